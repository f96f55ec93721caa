"""Demand for a skill some months ahead: an ensemble of damped trends over the skill's own past, with an interval.

Which members count is learned from all skills together; where a skill stands is read from its own values at once, so a
new month needs no new training.

Not a library's models, though statsforecast's stand beside these in the suite: its AutoETS was off by .760, .157 and
.465 points on the three real families of series, this by .740, .139 and .398 (docs/real-suite.md); it takes 2.5 ms a
series in every answer, and it brings pandas into the worker.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar

import numpy as np
import polars as pl
from numpy.typing import NDArray

from feature_repo.column import Column
from feature_repo.errors import DataError
from feature_repo.table import Frame
from training.contributions import Contributions
from training.route import Outputs
from training.trainers.forecast_interval import Margins
from training.trainers.forecast_members import MEMBERS, PARTS, Alarm, Paths, Series, paths, weights
from training.trainers.forecast_rows import Reading
from training.trainers.smoothing import LEAST_NOISE, Member, unrest

Floats = NDArray[np.float64]
LEAST_LEVEL = 0.1  # points: members that differ on next to nothing do not differ
FEWEST_ROWS = 50
SURE = 0.8
YEAR = 365.25 * 86_400e6  # microseconds
SEASONAL = (0.0, 0.5, 1.0)
"""The shares of the season among which fit chooses."""


def direction(rising: float) -> str:
    """In a word: rising or falling where at least SURE of the possible futures lie on one side of the present level."""
    return "rising" if rising >= SURE else "falling" if rising <= 1 - SURE else "steady"


@dataclass(frozen=True)
class DemandForecaster:
    """Learns weights of members and margins.

    coverage: of the intervals. threshold: of a shift of the level, in usual errors: at 3.5, 1% of series of 60 values
    of plain noise raise a false alarm, and 96% of shifts of 6 usual errors are seen (at 4.0: 0.2% and 90%). floor: no
    series' usual error is taken for less than this share of the median one, as new skills begin with a row of zeros
    (at 0.75 the hiring posts raise no alarm; at 0.5 a skill in sixteen did). memory_years: rows so old count half; one
    to four years differ by 0.7% on the hiring posts of 2016-2017. rounds: of the choice of members. most_rows: to
    learn from.
    """

    reading: Reading = field(default_factory=Reading)
    label: str = "actual_demand"
    coverage: float = 0.8
    threshold: float = 3.5
    floor: float = 0.75
    memory_years: float = 2.0
    rounds: int = 10
    most_rows: int = 10_000
    members: tuple[Member, ...] = MEMBERS

    def fit(self, train: pl.DataFrame, validation: pl.DataFrame, columns: Sequence[Column], seed: int) -> "Demand":
        """Choose members on train, take margins from their misses on validation, then choose on both.

        columns: not needed, as the reading names them. Raises DataError where fewer than 50 rows have a label.
        """
        del columns
        earlier, later = (self._labelled(frame, seed) for frame in (train, validation))
        for name, frame in (("train", earlier), ("validation", later)):
            if frame.height < FEWEST_ROWS:
                raise DataError(f"forecast: {frame.height} labelled rows to {name} with, at least {FEWEST_ROWS}")
        alarm = Alarm(self.threshold, self._floor(earlier))
        first = self._chosen(earlier, Margins({}), alarm)
        margins = Margins.of(*first.misses(later, later[self.label].to_numpy()))
        return self._chosen(pl.concat([earlier, later], how="diagonal"), margins, alarm)

    def _labelled(self, frame: pl.DataFrame, seed: int) -> pl.DataFrame:
        """The rows with a label, most_rows of them at most: every row of a long table tells the same few weights."""
        rows = frame.drop_nulls(self.label)
        return rows if rows.height <= self.most_rows else rows.sample(self.most_rows, seed=seed)

    def _floor(self, frame: pl.DataFrame) -> float:
        """The least usual error of a series, of square roots."""
        values = self.reading.series(frame).values
        return max(self.floor * float(np.median(unrest(values, np.inf).noise)), LEAST_NOISE)

    def _chosen(self, frame: pl.DataFrame, margins: Margins, alarm: Alarm) -> "Demand":
        """The share of the season and the members that are nearest to the labels."""
        series, actual = self.reading.series(frame), frame[self.label].to_numpy()
        importance = self._importance(frame)
        found = {}
        for share in SEASONAL:
            forecasts = paths(series, self.members, alarm, share).total
            chosen = weights(forecasts, actual, importance, self.rounds)
            found[share] = (float(importance @ np.abs(forecasts @ chosen - actual)), chosen)
        share = min(found, key=lambda each: found[each][0])
        counted = {m: float(w) for m, w in zip(self.members, found[share][1], strict=True) if w}
        return Demand(self.reading, counted, margins, share, alarm, self.coverage)

    def _importance(self, frame: pl.DataFrame) -> Floats:
        """Of sum one, halved every memory_years; even where rows have no event_timestamp."""
        if "event_timestamp" not in frame.columns:
            return np.full(frame.height, 1 / frame.height)
        at = frame["event_timestamp"].cast(pl.Datetime("us")).to_numpy().astype(np.float64)
        faded = 0.5 ** ((at.max() - at) / (self.memory_years * YEAR))
        importance: Floats = faded / faded.sum()
        return importance


@dataclass(frozen=True)
class Demand:
    """A fitted forecaster. weights: of the members, of sum one; seasonal: the share of the season that is believed."""

    explains: ClassVar[str] = "demand"
    scale: ClassVar[str] = "points"

    reading: Reading
    weights: Mapping[Member, float]
    margins: Margins
    seasonal: float
    alarm: Alarm
    coverage: float

    def predict(self, frame: Frame) -> Outputs:
        """demand with _low and _high, demand_now (the present level), rising (the probability of more than now).

        confidence: 1 - min(2 * variance of the members over the present level, .5). Source: REQUIREMENTS 3.
        """
        series = self.reading.series(frame)
        found = self._paths(series)
        forecast, now = self._mixed(found.total), self._mixed(found.parts["level"])
        low, high = self.margins.bounds(forecast, found.noise, series.ahead, self.coverage)
        rising = self.margins.above(forecast, found.noise, series.ahead, now)
        spread = self._mixed((found.total - forecast[:, None]) ** 2) / np.maximum(now, LEAST_LEVEL) ** 2
        return {
            "demand": forecast,
            "demand_low": low,
            "demand_high": high,
            "demand_now": now,
            "rising": rising,
            "confidence": 1 - np.minimum(2 * spread, 0.5),
        }

    def contributions(self, frame: Frame) -> Contributions:
        """What adds up to demand, in points.

        expected: the mean of the series' values; level: where it stands now beside that; trend: if it went straight on;
        reversion: what of that fades; season: what the month adds.
        """
        series = self.reading.series(frame)
        parts = {name: self._mixed(part) for name, part in self._paths(series).parts.items()}
        expected = np.nanmean(series.values, axis=1) if frame.height else np.zeros(0)
        parts["level"] -= expected
        return Contributions(PARTS, np.column_stack([parts[name] for name in PARTS]), expected)

    def misses(self, frame: pl.DataFrame, actual: Floats) -> tuple[Floats, Floats]:
        """(actual - forecast) / noise and the horizon of each row."""
        series = self.reading.series(frame)
        found = self._paths(series)
        return (actual - self._mixed(found.total)) / found.noise, series.ahead

    def _paths(self, series: Series) -> Paths:
        return paths(series, list(self.weights), self.alarm, self.seasonal)

    def _mixed(self, each: Floats) -> Floats:
        mixed: Floats = each @ np.array(list(self.weights.values()))
        return mixed

    def save(self, folder: Path) -> None:
        """Write model.json, all there is."""
        facts = {
            "kind": "demand",
            "reading": vars(self.reading),
            "members": [{**vars(member), "weight": weight} for member, weight in self.weights.items()],
            "margins": {str(horizon): list(misses) for horizon, misses in self.margins.misses.items()},
            "seasonal": self.seasonal,
            "alarm": vars(self.alarm),
            "coverage": self.coverage,
        }
        (folder / "model.json").write_text(json.dumps(facts, indent=1))

    @staticmethod
    def load(folder: Path) -> "Demand":
        """Read what save wrote."""
        facts = json.loads((folder / "model.json").read_text())
        counted = {Member(**{k: v for k, v in m.items() if k != "weight"}): m["weight"] for m in facts["members"]}
        margins = Margins({int(horizon): np.array(misses) for horizon, misses in facts["margins"].items()})
        reading = Reading(**facts["reading"])
        return Demand(reading, counted, margins, facts["seasonal"], Alarm(**facts["alarm"]), facts["coverage"])
