"""How much a skill is asked for, period by period, as it was known at the end of each."""

import polars as pl
from ibis.expr import types as ir

from feature_repo.column import View
from feature_repo.entities import demanded_skill
from feature_repo.features.events import Streams

SERIES = "demand_series"
LONGEST = 60  # periods: five years of months
SOURCE = "mysql.skill_demand"


def series(rows: pl.DataFrame) -> pl.DataFrame:
    """At the end of each period the values of the LONGEST periods up to it, oldest first, null where one is missing.

    rows: of the stream skill_demand; of a period that was corrected the first version counts, and one that was counted
    later than the period after it is missing in that period's list. Gives skill_id, months, recorded_at and values.
    """
    ordered = rows.sort("recorded_at", "period_at", maintain_order=True)
    first = ordered.unique(["skill_id", "period_at"], keep="first", maintain_order=True)
    month = pl.col("period_at").dt.year().cast(pl.Int64) * 12 + pl.col("period_at").dt.month() - 1
    first = first.with_columns(period=month // pl.col("months"))
    spans = first.group_by("skill_id").agg(period=pl.int_range(pl.col("period").min(), pl.col("period").max() + 1))
    whole = spans.explode("period").join(first, on=["skill_id", "period"], how="left").sort("skill_id", "period")
    known = [_known(lag) for lag in range(LONGEST - 1, -1, -1)]
    place = pl.int_range(1, pl.len() + 1).over("skill_id").clip(upper_bound=LONGEST)
    listed = whole.with_columns(values=pl.concat_list(known).list.tail(place)).drop_nulls("recorded_at")
    last = listed.sort("recorded_at", "period").unique(["skill_id", "recorded_at"], keep="last", maintain_order=True)
    is_latest = pl.col("period") == pl.col("period").cum_max().over("skill_id")
    return last.filter(is_latest).select("skill_id", "months", "recorded_at", "values")


def _known(lag: int) -> pl.Expr:
    """The value so many periods before, if it was known by the row's own recorded_at."""
    value, at = (pl.col(name).shift(lag).over("skill_id") for name in ("value", "recorded_at"))
    return pl.when(at <= pl.col("recorded_at")).then(value)


def _rows(streams: Streams) -> ir.Table:
    rows = streams[SERIES]
    return rows.mutate(event_timestamp=rows.recorded_at, created_timestamp=rows.recorded_at)


view = View("series", (demanded_skill,), _rows)


@view.column(list[float], unit="points", item_nulls=True, source=SOURCE)
def values(rows: ir.Table) -> ir.Value:
    """The skill's share of the latest periods, oldest first; missing where nothing was counted."""
    return rows["values"]


@view.column(float, unit="months", minimum=1, maximum=12, source=SOURCE)
def months(rows: ir.Table) -> ir.Value:
    """How long a period is."""
    return rows.months.cast("float64")
