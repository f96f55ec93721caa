"""A median with an interval around it: three boosters and a conformal margin."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from feature_repo.column import Column
from feature_repo.table import Frame
from training.contributions import Contributions, mean
from training.trainers.boosted import Boosted, Committee, Rows

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Recipe:
    """How boosters are fitted. members: boosters whose mean is the median; coverage: of the interval."""

    columns: Sequence[Column]
    parameters: Mapping[str, object]
    coverage: float
    rounds: int
    tail_rounds: int
    seeds: tuple[int, ...]

    def boosted(self, rows: Rows, rounds: int, **objective: object) -> Boosted:
        """One booster for an objective."""
        return Boosted.fit(rows, self.columns, {**self.parameters, **objective}, rounds)


@dataclass(frozen=True)
class Interval:
    """margin: what the low and high boosters are moved apart by, so that held-out rows are covered as promised."""

    members: tuple[Boosted, ...]
    low: Boosted
    high: Boosted
    margin: float

    @staticmethod
    def fit(train: Rows, validation: Rows, recipe: Recipe) -> "Interval":
        """Members learn from all rows, tails from the earlier ones, and the later ones set the margin.

        Source: conformalised quantile regression, Romano, Patterson & Candes 2019.
        """
        tail = (1 - recipe.coverage) / 2
        everything = Rows(pl.concat([train.frame, validation.frame]), np.concatenate([train.target, validation.target]))
        members = tuple(recipe.boosted(everything, recipe.rounds, objective="l1", seed=seed) for seed in recipe.seeds)
        low, high = (
            recipe.boosted(train, recipe.tail_rounds, objective="quantile", alpha=alpha, seed=recipe.seeds[0])
            for alpha in (tail, 1 - tail)
        )
        below = low.raw(validation.frame) - validation.target
        above = validation.target - high.raw(validation.frame)
        level = min(1.0, recipe.coverage * (1 + 1 / len(below)))
        return Interval(members, low, high, max(0.0, float(np.quantile(np.maximum(below, above), level))))

    def predict(self, frame: Frame) -> tuple[Floats, Floats, Floats]:
        """Median, low and high, low <= median <= high, each of shape (rows,)."""
        *members, low, high = self._committee.raw(frame)
        median: Floats = np.mean(members, axis=0)
        return median, np.minimum(low - self.margin, median), np.maximum(high + self.margin, median)

    @cached_property
    def _committee(self) -> Committee:
        return Committee((*self.members, self.low, self.high))

    def contributions(self, frame: Frame) -> Contributions:
        """What each column added to the median: the mean over the members, which is exact for their mean."""
        return mean([member.contributions(frame) for member in self.members])

    @property
    def is_compiled(self) -> bool:
        """As Boosted.is_compiled."""
        return all(member.is_compiled for member in self.members)

    def save(self, folder: Path, name: str) -> None:
        """Write the boosters of <name> and its margin."""
        for part, booster in self._named(name):
            booster.save(folder, part)
        (folder / f"{name}.json").write_text(json.dumps({"margin": self.margin, "members": len(self.members)}))

    def _named(self, name: str) -> list[tuple[str, Boosted]]:
        members = [(f"{name}_{n}", member) for n, member in enumerate(self.members)]
        return [*members, (f"{name}_low", self.low), (f"{name}_high", self.high)]

    @staticmethod
    def load(folder: Path, name: str) -> "Interval":
        """Read what save wrote."""
        facts = json.loads((folder / f"{name}.json").read_text())
        members = tuple(Boosted.load(folder, f"{name}_{n}") for n in range(facts["members"]))
        low, high = (Boosted.load(folder, f"{name}_{part}") for part in ("low", "high"))
        return Interval(members, low, high, facts["margin"])
