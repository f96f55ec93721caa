"""Naive baselines and rules: what a model must beat, and what answers when there is no model."""

import numpy as np
import polars as pl
from numpy.typing import NDArray

from feature_repo.column import Column
from feature_repo.features import affinity, effort, history, match, task
from training.product import Baseline

Floats = NDArray[np.float64]


def known(column: Column, missing: float) -> pl.Expr:
    """A column's value, and `missing` where it is not known."""
    return pl.col(column.qualified).fill_null(missing).fill_nan(missing)


def scored(score: pl.Expr, frame: pl.DataFrame, most: float = 1.0) -> pl.DataFrame:
    """A rule's score from 0 to most; how sure it is, a rule does not know."""
    return frame.select(score=score.clip(0, most), confidence=pl.lit(None, pl.Float64))


def _ranking(score: pl.Expr, frame: pl.DataFrame) -> pl.DataFrame:
    content = pl.col("score").alias("content_score")
    return frame.select(score=score).with_columns(content, collaborative_score=pl.lit(0.5))


def _saturated(count: Column, half: float) -> pl.Expr:
    """A count to 0..1, one half at `half`."""
    return known(count, 0.0) / (known(count, 0.0) + half)


_popular = affinity.evidence["person_evidence"]
most_popular = Baseline("most_popular", (_popular,), lambda frame: _ranking(_saturated(_popular, 10.0), frame))
"""Who started most tasks lately."""

_raiser = affinity.shares["raiser_started_180d_share"]
same_raiser = Baseline("same_raiser", (_raiser,), lambda frame: _ranking(known(_raiser, 0.0), frame))
"""Who took most of this raiser's tasks lately."""

RULE_WEIGHTS = {"skill": 0.35, "past": 0.25, "availability": 0.20, "balance": 0.15, "collaboration": 0.05}
"""REQUIREMENTS 3.1."""

_open_tasks, _open_hours = history.open_tasks, history.open_hours
RULE_COLUMNS = (match.skill_match, match.past_effort, _open_tasks, _open_hours, _raiser)


def _rule(frame: pl.DataFrame) -> pl.DataFrame:
    parts = {
        "skill": known(match.skill_match, 0.5),
        "past": known(match.past_effort, 0.7),
        "availability": 1 - _saturated(_open_hours, 40.0),
        "balance": 1 - _saturated(_open_tasks, 5.0),
        "collaboration": known(_raiser, 0.0),
    }
    return _ranking(pl.sum_horizontal(RULE_WEIGHTS[name] * part for name, part in parts.items()), frame)


rule = Baseline("rule", RULE_COLUMNS, _rule)
"""Skill match, past effort ratings, availability, balance and collaboration, in the weights above."""


def _outcome(hours: Floats, days: Floats, frame: pl.DataFrame) -> pl.DataFrame:
    """Outputs without intervals or quality: a rule knows neither."""
    unknown = np.full(frame.height, np.nan)
    values = {"hours": hours, "timeliness_days": days, "quality": unknown}
    bounds = ("", "_low", "_high")
    return pl.DataFrame({n + b: values[n] if not b else unknown for n in values for b in bounds})


def _estimate(frame: pl.DataFrame) -> Floats:
    hours: Floats = frame[task.estimate_hours.qualified].to_numpy().astype(np.float64)
    return hours


_days = effort.log_days["person_log_days_365d"]
human_estimate = Baseline(
    "human_estimate",
    (task.estimate_hours, _days),
    lambda frame: _outcome(_estimate(frame), np.expm1(frame[_days.qualified].to_numpy()), frame),
)
"""The hours that people estimated, and the person's usual days."""

_ratio = effort.log_ratios["person_log_ratio_365d"]
person_ratio = Baseline(
    "person_ratio",
    (task.estimate_hours, _ratio, _days),
    lambda frame: _outcome(
        np.expm1(np.log1p(_estimate(frame)) + frame[_ratio.qualified].to_numpy()),
        np.expm1(frame[_days.qualified].to_numpy()),
        frame,
    ),
)
"""The estimate, corrected by how the person's tasks usually went."""
