"""How a task will go: hours, days and quality for a person and a task, each with an interval."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np
import polars as pl
from numpy.typing import NDArray

from feature_repo.column import Column
from feature_repo.errors import DataError
from feature_repo.table import Frame, matrix
from training.contributions import Contributions
from training.route import Outputs
from training.trainers.boosted import Rows
from training.trainers.interval import Interval, Recipe

Floats = NDArray[np.float64]
FEWEST_LABELS = 100
# Small corrections are wrong more often than right, as people book what they estimated: exactly that on 38% of SiP's
# tasks of 2007 to 2010. On those years, leaving out corrections below a tenth took the mean error in log hours from
# .369 to .365 (estimate: .384).
SMALLEST_CORRECTION = 0.1


def _log_ratio(frame: pl.DataFrame) -> Floats:
    """ln((1 + actual) / (1 + estimated hours)): the estimate is the best single guess, so only its error is learned."""
    logs: Floats = np.log1p(frame["actual_hours"].to_numpy()) - frame["pair__log_estimate"].to_numpy()
    return logs


def _log_days(frame: pl.DataFrame) -> Floats:
    days: Floats = np.log1p(frame["actual_timeliness_days"].to_numpy())
    return days


TARGETS = {
    "hours": ("actual_hours", _log_ratio),
    "timeliness_days": ("actual_timeliness_days", _log_days),
    "quality": ("actual_quality", lambda frame: frame["actual_quality"].to_numpy().astype(np.float64)),
}
"""Output to its label and to what is learned of it."""


@dataclass(frozen=True)
class OutcomeForecaster:
    """Boosters for each output that has labels. coverage: of the intervals."""

    coverage: float = 0.8
    rounds: int = 600
    tail_rounds: int = 250
    members: int = 3
    learning_rate: float = 0.03
    leaves: int = 7

    def fit(self, train: pl.DataFrame, validation: pl.DataFrame, columns: Sequence[Column], seed: int) -> "Outcomes":
        """Learn each output from the rows that have it; an output with too few labels is left out."""
        intervals = {}
        for output, (label, target) in TARGETS.items():
            learned, held = (frame.drop_nulls(label) for frame in (train, validation))
            if min(learned.height, 2 * held.height) >= FEWEST_LABELS:
                earlier, later = (Rows(frame, target(frame)) for frame in (learned, held))
                intervals[output] = Interval.fit(earlier, later, self._recipe(columns, seed))
        if "hours" not in intervals:
            raise DataError(f"outcome forecaster: {train.height} tasks with known hours, at least {FEWEST_LABELS}")
        return Outcomes(intervals)

    def _recipe(self, columns: Sequence[Column], seed: int) -> Recipe:
        parameters = {
            "learning_rate": self.learning_rate,
            "num_leaves": self.leaves,
            "min_data_in_leaf": 40,
            "feature_fraction": 0.4,
            "bagging_fraction": 0.8,
            "bagging_freq": 1,
            "lambda_l2": 5.0,
        }
        seeds = tuple(range(seed, seed + self.members))
        return Recipe(_read(columns), parameters, self.coverage, self.rounds, self.tail_rounds, seeds)


def _hours(frame: Frame, median: Floats, low: Floats, high: Floats) -> tuple[Floats, ...]:
    estimate = matrix(frame, ["pair__log_estimate"])[:, 0]
    middle = np.where(_is_corrected(median), median, 0.0)
    bounds = middle, np.minimum(low, middle), np.maximum(high, middle)
    return tuple(np.maximum(np.expm1(value + estimate), 0.0) for value in bounds)


def _is_corrected(median: Floats) -> NDArray[np.bool_]:
    return np.abs(median) > SMALLEST_CORRECTION


def _days(_: Frame, median: Floats, low: Floats, high: Floats) -> tuple[Floats, ...]:
    """Bounds are whole days: half of all tasks end on their first day, which a bound of 0.02 days would miss."""
    middle, least, most = (np.maximum(np.expm1(value), 0.0) for value in (median, low, high))
    return middle, np.floor(least), np.ceil(most)


def _stars(_: Frame, *values: Floats) -> tuple[Floats, ...]:
    return tuple(np.clip(value, 1.0, 5.0) for value in values)


RESTORED: Mapping[str, Callable[..., tuple[Floats, ...]]] = {
    "hours": _hours,
    "timeliness_days": _days,
    "quality": _stars,
}
"""Output to what turns learned values back into its unit."""


def _read(columns: Sequence[Column]) -> list[Column]:
    return [column for column in columns if column.dtype is not str]


@dataclass(frozen=True)
class Outcomes:
    """A fitted forecaster. intervals: by output; an output without one is NaN."""

    explains: ClassVar[str] = "hours"
    scale: ClassVar[str] = "ln((1 + hours) / (1 + estimated hours))"

    intervals: Mapping[str, Interval]

    def predict(self, frame: Frame) -> Outputs:
        """hours, timeliness_days and quality with _low and _high; NaN where there were no labels to learn from."""
        columns: dict[str, Floats] = {}
        for output in TARGETS:
            values = self._interval(output, frame)
            columns |= dict(zip((output, f"{output}_low", f"{output}_high"), values, strict=True))
        return columns

    def _interval(self, output: str, frame: Frame) -> tuple[Floats, ...]:
        if output not in self.intervals:
            return (np.full(frame.height, np.nan),) * 3
        return RESTORED[output](frame, *self.intervals[output].predict(frame))

    def contributions(self, frame: Frame) -> Contributions:
        """What each column added to ln((1 + hours) / (1 + estimated hours)): nothing where the estimate was kept."""
        parts = self.intervals["hours"].contributions(frame)
        is_corrected = _is_corrected(parts.total)
        values = np.where(is_corrected[:, None], parts.values, 0.0)
        return Contributions(parts.names, values, np.where(is_corrected, parts.expected, 0.0))

    @property
    def is_compiled(self) -> bool:
        """As Boosted.is_compiled."""
        return self.intervals["hours"].is_compiled

    def save(self, folder: Path) -> None:
        """Write model.json and the boosters of each output."""
        (folder / "model.json").write_text(json.dumps({"kind": "outcomes", "outputs": list(self.intervals)}))
        for output, interval in self.intervals.items():
            interval.save(folder, output)

    @staticmethod
    def load(folder: Path) -> "Outcomes":
        """Read what save wrote."""
        outputs = json.loads((folder / "model.json").read_text())["outputs"]
        return Outcomes({output: Interval.load(folder, output) for output in outputs})
