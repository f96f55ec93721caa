"""Forecast how much skills are asked for, with intervals; which rise and which fall (REQUIREMENTS 3.7)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

import numpy as np
import polars as pl

from feature_repo.column import Field
from feature_repo.entities import demanded_skill
from feature_repo.features import demand
from feature_repo.window import Window, last_before
from training.metrics import absolute_error, interval_coverage
from training.product import Baseline, Drift, Facts, Gate, Label, Product, Slice, TimeSplit
from training.route import Answered, Choose, Extra, Ids, Published, Route, Rows
from training.trainers.forecast import DemandForecaster, direction

HORIZONS = (1, 3, 6, 12)  # periods ahead that are learned from and judged
ASKED_HORIZON = 6
SINCE_LAST = timedelta(days=200)  # a series without a value for so long is no longer followed
OUTPUTS = ("demand", "demand_low", "demand_high", "demand_now", "rising", "confidence")


def demand_rows(facts: Facts, window: Window) -> pl.DataFrame:
    """A row for each skill, period that ended in the window and horizon: what the demand was so many periods later.

    Only first versions of a period count. group is the row: forecasts do not compete. cluster is the skill: forecasts
    of neighbouring months share most of what comes, so the gate counts skills.
    """
    known = facts("skill_demand", first=True).sort("skill_id", "period_at")
    later = [
        known.with_columns(
            horizon=pl.lit(ahead, pl.Float64),
            actual_demand=pl.col("value").shift(-ahead).over("skill_id"),
            due_at=pl.col("period_at").shift(-ahead).over("skill_id"),
        ).filter(_months("due_at") - _months("period_at") == ahead * pl.col("months"))
        for ahead in HORIZONS
    ]
    rows = pl.concat(later).filter(pl.col("recorded_at").is_between(window.since, window.until, closed="left"))
    group = pl.concat_str("skill_id", "recorded_at", pl.col("horizon").cast(pl.Int64), separator="|")
    return (
        rows.select(
            "skill_id",
            pl.col("recorded_at").alias("event_timestamp"),
            "horizon",
            "actual_demand",
            group=group,
            cluster="skill_id",
        )
        .drop_nulls("actual_demand")
        .sort("event_timestamp", "skill_id", "horizon")
        .collect()
    )


def _months(name: str) -> pl.Expr:
    return pl.col(name).dt.year().cast(pl.Int64) * 12 + pl.col(name).dt.month()


def followed_skills(facts: Facts, as_of: datetime) -> pl.DataFrame:
    """Every skill that was counted lately, as a batch score answers: skill_id, event_timestamp, group."""
    lately = facts("skill_demand").filter(pl.col("recorded_at") >= as_of - SINCE_LAST)
    at = pl.lit(last_before(as_of)).cast(pl.Datetime("us", "UTC"))
    skills = lately.select("skill_id").unique().sort("skill_id")
    return skills.select("skill_id", event_timestamp=at, group="skill_id").collect()


def _followed(published: Published) -> Choose:
    """The skills that were counted lately, those most asked for first."""
    counted = published.facts("skill_demand").filter(pl.col("recorded_at") >= published.at - SINCE_LAST)
    lately = counted.sort("recorded_at").group_by("skill_id").agg(pl.col("value").last())
    skills = lately.sort("value", "skill_id", descending=[True, False]).collect()["skill_id"].to_list()

    def choose(_: Ids) -> Sequence[str]:
        return skills

    return choose


def _by_change(rows: Rows) -> list[int]:
    """What changes most first, whether it rises or falls."""
    change = np.abs(rows.outputs["demand"] - rows.outputs["demand_now"])
    order = np.lexsort((np.asarray(rows.items), -np.nan_to_num(change)))
    return [int(row) for row in order[: rows.limit]]


def _directions(answered: Answered) -> list[str | None]:
    chances = answered.outputs["rising"].fill_nan(None).to_list()
    return [None if chance is None else direction(chance) for chance in chances]


@dataclass(frozen=True)
class Movers:
    """The skills of the answer that rise and that fall, the surest first."""

    rising: list[str]
    falling: list[str]


def _movers(answered: Answered) -> Movers:
    found = pl.DataFrame(
        {
            "skill": answered.features["skill_id"],
            "chance": answered.outputs["rising"],
            "direction": _directions(answered),
        }
    )
    rising, falling = (found.filter(pl.col("direction") == way) for way in ("rising", "falling"))
    return Movers(
        rising.sort("chance", "skill", descending=[True, False])["skill"].to_list(),
        falling.sort("chance", "skill")["skill"].to_list(),
    )


def _flat(level: pl.Expr, frame: pl.DataFrame) -> pl.DataFrame:
    """A forecast that stays at a level: it says nothing of intervals or directions."""
    unknown = pl.lit(None, pl.Float64)
    found = frame.select(demand=level, demand_now=level)
    return found.with_columns(demand_low=unknown, demand_high=unknown, rising=unknown, confidence=unknown).select(
        OUTPUTS
    )


_values = pl.col(demand.values.qualified)
recent_mean = Baseline("recent_mean", (demand.values,), lambda frame: _flat(_values.list.tail(3).list.mean(), frame))
"""The mean of the last three periods."""
last_value = Baseline("last_value", (demand.values,), lambda frame: _flat(_values.list.drop_nulls().list.last(), frame))
"""As it was last."""

HORIZON = Field(
    name="horizon",
    dtype=int,
    unit="periods",
    minimum=1,
    maximum=12,
    nulls=1.0,
    description=f"How far ahead, in months, or quarters where the skill is counted so; {ASKED_HORIZON} if left out",
)
DIRECTION = Extra(
    "direction",
    Literal["rising", "falling", "steady"],
    _directions,
    "Whether demand rises, falls or stays",
    per_row=True,
)

skill_demand = Product(
    name="skill_demand",
    title="Skill demand",
    entities=(demanded_skill,),
    columns=(demand.values, demand.months),
    label=Label("actual_demand", demand_rows),
    outputs=OUTPUTS,
    split=TimeSplit(validation=timedelta(days=365), test=timedelta(days=365), history=timedelta(days=365 * 10)),
    trainer=DemandForecaster(coverage=0.8),
    metrics=(
        absolute_error("mae_demand", "actual_demand", "demand"),
        interval_coverage("interval_coverage", "actual_demand", "demand"),
    ),
    baselines=(recent_mean, last_value),
    fallback="recent_mean",
    gate=Gate(metric="mae_demand", beats="recent_mean", minimum_units=20),
    slices=(Slice("half_a_year_ahead", lambda frame: frame["horizon"] == ASKED_HORIZON),),
    drift=Drift(share=0.3),
    routes=(
        Route(
            "/api/v1/trends/forecast/{skill_id}",
            subject=(demanded_skill,),
            title="How much a skill will be asked for",
            options=(HORIZON,),
            inputs={"horizon": float(ASKED_HORIZON)},
            extras=(DIRECTION,),
            method="GET",
        ),
        Route(
            "/api/v1/trends/analyze",
            subject=(),
            items=demanded_skill,
            title="Which skills rise and which fall",
            named="skills",
            pool=_followed,
            options=(HORIZON,),
            inputs={"horizon": float(ASKED_HORIZON)},
            order=_by_change,
            extras=(DIRECTION, Extra("movers", Movers, _movers, "Those that rise and those that fall")),
        ),
    ),
    due=followed_skills,
    units={"demand": "points"},
    tags={
        "question": "how much a skill will be asked for, and which rise and fall",
        "audience": "course planners, recruiters, and people who choose what to learn",
    },
    limits=(
        "Forecasts a year ahead are made but not judged on this page: within the unseen year their outcome is not "
        "known when it ends. Large shares are off by more points than small ones. A shift of the level is "
        "followed after two observations, until then the forecast lags. It knows a series' own past only: no "
        "news, no other skill. Shares are of what was counted, such as posts on one site, and most of a month's "
        "movement there is chance (see the real suite)."
    ),
)
