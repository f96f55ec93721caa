"""What happened, as rows of signed amounts: the raw material of every history column.

Every row is dated by when it became known. An amount that is corrected later gives a second row with the difference,
so that a running sum over the rows known at an instant is what was believed at that instant.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import ibis
import polars as pl
from ibis.expr import types as ir

from feature_repo.features import wording

Streams = Mapping[str, ir.Table]
EVENTS = "task_events"  # what task_events gives, among the streams that views read
DAY = pl.col("day")
DAY_LENGTH = 86_400_000_000  # us
AMOUNTS = (
    "started", "own", "start_priority", "start_log_estimate", "assigned", "opened", "open_hours",
    "finished", "log_ratio", "log_error", "exact", "log_hours", "effort_rating", "dated", "log_days",
)  # fmt: skip
OUTCOMES = AMOUNTS[AMOUNTS.index("finished") :]
EFFORT_RATINGS = ((1.1, 5), (1.3, 4), (1.5, 3), (2.0, 2))
"""At most so many times the estimate earns so many stars, else one (REQUIREMENTS 3.1)."""

KEYS = (
    "person_id", "project_id", "breakdown_id", "subcategory_id", "raiser_id", "category",
    *(column.name for column in wording.view.columns),
)  # fmt: skip
WIDEST_LOG = 2.0  # of ln(actual / estimated): beyond it a single mistaken entry would rule a mean
FORGOTTEN_DAYS = 90  # a task that nobody finished for so long no longer counts as load (SiP leaves 20% open for ever)


@dataclass(frozen=True)
class Events:
    """Event rows sorted by keys and time, and running sums over those of the same keys, as Polars expressions.

    Polars adds up each key's rows one after the other. A window sum of DuckDB does not: it adds in a tree whose shape
    depends on the rows that follow, so that a past sum changed in its last bit when later rows arrived.
    """

    frame: pl.DataFrame
    keys: tuple[str, ...]

    def total(self, amount: str) -> pl.Expr:
        """The sum of an amount over the events so far."""
        return pl.col(amount).cum_sum().over(self.keys)

    def latest(self, amount: str) -> pl.Expr:
        """The day of the last event so far with an amount above 0, null where there is none."""
        return pl.when(pl.col(amount) > 0).then(DAY).forward_fill().over(self.keys)

    def decayed(self, amount: str, days: float) -> pl.Expr:
        """As total, an event of age d weighing exp(-d / days).

        Ages are taken from the keys' first event, which keeps exp in range for 700 times `days`.
        """
        age = (DAY - DAY.first().over(self.keys)) / days
        return (pl.col(amount) * age.exp()).cum_sum().over(self.keys) * (-age).exp()


def differences(table: ir.Table, key: str, **amounts: ir.Value) -> ir.Table:
    """Each amount less the same row's amount in its previous version; `version` counts them from 0."""
    earlier = ibis.window(group_by=key, order_by=table.recorded_at)
    table = table.mutate(version=ibis.row_number().over(earlier), **amounts)
    earlier = ibis.window(group_by=key, order_by=table.recorded_at)
    return table.mutate(**{name: table[name] - table[name].lag().over(earlier).fill_null(0.0) for name in amounts})


def first_known(table: ir.Table, keys: Sequence[str]) -> ir.Table:
    """The first version of each row."""
    order = ibis.window(group_by=list(keys), order_by=table.recorded_at)
    return table.mutate(version=ibis.row_number().over(order)).filter(ibis._.version == 0).drop("version")


def specified(streams: Streams) -> ir.Table:
    """Tasks as first specified, with every key that makes them alike."""
    tasks = first_known(streams["tasks"], ("task_id",)).join(streams["wording"], ["task_id", "recorded_at"])
    keys = (key for key in KEYS if key != "person_id")
    return tasks.select("task_id", *keys, "priority", "estimate_hours", "estimated_at")


def _dated(table: ir.Table, at: ir.Value, kind: str, **amounts: ir.Value) -> ir.Table:
    version = table.version.cast("string") if "version" in table.columns else ibis.literal("0")
    event_id = table.task_id + "|" + kind + "|" + table.person_id + "|" + version
    # an amount that nobody knows, such as an estimate, adds nothing
    known = {name: amounts.get(name, ibis.literal(0.0)).cast("float64").fill_null(0.0) for name in AMOUNTS}
    return table.select("task_id", *KEYS, event_timestamp=at, event_id=event_id, **known)


def _started(streams: Streams) -> ir.Table:
    work = first_known(streams["worked_on"], ("task_id", "person_id")).join(specified(streams), "task_id")
    amounts = {
        "started": ibis.literal(1.0),
        "own": (work.person_id == work.raiser_id).fill_null(False),
        "start_priority": work.priority,
        "start_log_estimate": _log1p(work.estimate_hours),
    }
    return _dated(work, work.recorded_at, "s", **amounts)


def _finished(streams: Streams) -> ir.Table:
    """A row per person who was assigned and version of the completion: the second version adds only its difference."""
    ended = streams["completions"].join(specified(streams), "task_id")
    ended = differences(ended, "task_id", **_outcome(ended))
    given = first_known(streams["assignments"], ("task_id", "person_id"))
    ended = ended.join(given.select("task_id", "person_id", given_at="recorded_at"), "task_id")
    amounts = {name: ended[name] for name in OUTCOMES}
    return _dated(ended, ibis.greatest(ended.recorded_at, ended.given_at), "f", **amounts)


def _outcome(ended: ir.Table) -> dict[str, ir.Value]:
    """What a finished task adds. Days and hours are logarithms of 1 + x, as zeros occur."""
    actual, estimate = ended.actual_hours, ended.estimate_hours
    ratio = (_log1p(actual) - _log1p(estimate)).clip(-WIDEST_LOG, WIDEST_LOG)
    days = (ended.completed_at.epoch_seconds() - ended.estimated_at.epoch_seconds()).clip(lower=0) / 86_400
    rating = ibis.cases(*((actual <= most * estimate, float(stars)) for most, stars in EFFORT_RATINGS), else_=1.0)
    return {
        "finished": ibis.literal(1.0),
        "log_ratio": ratio,
        "log_error": ratio.abs(),
        "exact": (actual == estimate).cast("float64"),
        "log_hours": _log1p(actual),
        "effort_rating": rating,
        "dated": ended.completed_at.notnull().cast("float64"),
        "log_days": _log1p(days).fill_null(0.0),
    }


def _log1p(value: ir.Value) -> ir.Value:
    return (1.0 + value).ln()


def _open(streams: Streams) -> ir.Table:
    given = first_known(streams["assignments"], ("task_id", "person_id")).join(specified(streams), "task_id")
    one = ibis.literal(1.0)
    return _dated(given, given.recorded_at, "o", assigned=one, opened=one, open_hours=given.estimate_hours)


def _closed(streams: Streams) -> ir.Table:
    ended = first_known(streams["completions"], ("task_id",)).select("task_id", ended_at="recorded_at")
    given = first_known(streams["assignments"], ("task_id", "person_id")).join(specified(streams), "task_id")
    given = given.left_join(ended, "task_id").drop("task_id_right")
    forgotten = given.recorded_at + ibis.interval(days=FORGOTTEN_DAYS)
    at = ibis.greatest(given.recorded_at, ibis.least(given.ended_at.fill_null(forgotten), forgotten))
    return _dated(given, at, "x", opened=ibis.literal(-1.0), open_hours=-given.estimate_hours)


def task_events(streams: Streams) -> pl.DataFrame:
    """Every start, finish, opening and closing of a task by a person: keys, times, amounts, and `day` since 1970."""
    parts = (_started(streams), _finished(streams), _open(streams), _closed(streams))
    events: pl.DataFrame = ibis.union(*parts, distinct=False).to_polars()
    known = pl.col("event_timestamp").cast(pl.Datetime("us", "UTC"))
    return events.with_columns(event_timestamp=known, created_timestamp=known).with_columns(
        day=known.dt.epoch("us") / DAY_LENGTH
    )


def by(*keys: str) -> Callable[[Mapping[str, Any]], Events]:
    """The rows of a history view about these keys; events without one of them are left out."""

    def rows(streams: Mapping[str, Any]) -> Events:
        events: pl.DataFrame = streams[EVENTS]
        return Events(events.drop_nulls(keys).sort(*keys, "event_timestamp", "event_id"), keys)

    return rows
