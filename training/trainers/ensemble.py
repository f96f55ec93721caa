"""Boosters that differ only in their seed, averaged: a score or a calibrated chance, and how far they agree."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar, Literal

import numpy as np
import polars as pl
from numpy.typing import NDArray

from feature_repo.column import Column
from feature_repo.errors import TooFewError
from feature_repo.table import Frame
from training.contributions import Contributions, mean
from training.route import Outputs
from training.trainers.boosted import Boosted, Committee, Rows
from training.tuning.space import Range, Space

Floats = NDArray[np.float64]
Objective = Literal["regression", "binary"]
FEWEST_LABELS = 50
PATIENCE = 30
SPACE: Space = {
    "learning_rate": Range(0.02, 0.15, log=True),
    "leaves": Range(4, 63, log=True),
    "fewest_in_leaf": Range(10, 100, log=True),
}
"""Of a search. The rounds are found by each fit."""


@dataclass(frozen=True)
class BoostedEnsemble:
    """Settings. label: the column that is learned. greatest: of the score; chances go up to 1.

    The number of rounds is where the validation rows stop to gain; a chance is calibrated on them too.
    """

    label: str
    objective: Objective = "regression"
    greatest: float = 1.0
    members: int = 3
    rounds: int = 600
    learning_rate: float = 0.05
    leaves: int = 15
    fewest_in_leaf: int = 30

    def fit(self, train: pl.DataFrame, validation: pl.DataFrame, columns: Sequence[Column], seed: int) -> "Ensemble":
        """Raises TooFewError where there are fewer than FEWEST_LABELS labels, or all are the same."""
        learned, held = (Rows(frame, frame[self.label].cast(pl.Float64).to_numpy()) for frame in (train, validation))
        if len(learned.target) < FEWEST_LABELS or len(np.unique(learned.target)) < 2:
            raise TooFewError(f"{self.label}: {len(learned.target)} rows, at least {FEWEST_LABELS} that differ")
        rounds = self._rounds(learned, held, columns, seed)
        members = tuple(
            Boosted.fit(learned, columns, self._parameters(seed + member), rounds) for member in range(self.members)
        )
        slope, offset = self._calibration(members, held)
        return Ensemble(members, self.objective, self.greatest, slope, offset)

    def _parameters(self, seed: int) -> dict[str, object]:
        return {
            "objective": self.objective,
            "learning_rate": self.learning_rate,
            "num_leaves": self.leaves,
            "min_data_in_leaf": self.fewest_in_leaf,
            "feature_fraction": 0.8,
            "bagging_fraction": 0.8,
            "bagging_freq": 1,
            "cat_smooth": 20.0,
            "seed": seed,
        }

    def _rounds(self, learned: Rows, held: Rows, columns: Sequence[Column], seed: int) -> int:
        """How many rounds the validation rows want; half the most where there are too few to tell."""
        if len(held.target) < FEWEST_LABELS:
            return self.rounds // 2
        return Boosted.best_rounds(learned, held, columns, self._parameters(seed), self.rounds, PATIENCE)

    def _calibration(self, members: Sequence[Boosted], held: Rows) -> tuple[float, float]:
        """Slope and offset of the log odds that make the validation rows' chances right; (1, 0) for scores.

        Source: Platt 1999, with his smoothed targets.
        """
        if self.objective != "binary" or len(held.target) < FEWEST_LABELS or len(np.unique(held.target)) < 2:
            return 1.0, 0.0
        from scipy.optimize import minimize

        odds = np.mean(Committee(tuple(members)).raw(held.frame), axis=0)
        positive = held.target.sum()
        high, low = (positive + 1) / (positive + 2), 1 / (len(held.target) - positive + 2)
        target = np.where(held.target > 0, high, low)

        def loss(line: Floats) -> float:
            logits = line[0] * odds + line[1]
            return float(np.mean(np.logaddexp(0, logits) - target * logits))

        slope, offset = minimize(loss, np.array([1.0, 0.0]), method="BFGS").x
        return (float(slope), float(offset)) if slope > 0 else (1.0, 0.0)


@dataclass(frozen=True)
class Ensemble:
    """The fitted boosters. What is explained is the score before it is cut to its range, or the calibrated log odds."""

    members: tuple[Boosted, ...]
    objective: Objective
    greatest: float
    slope: float
    offset: float
    explains: ClassVar[str] = "score"

    @property
    def scale(self) -> str:
        """Of the contributions."""
        return "log odds" if self.objective == "binary" else "points"

    def predict(self, frame: Frame) -> Outputs:
        """score: 0 to greatest. confidence: 1 - min(2 * variance of the members' scores over greatest, .5).

        Source of the confidence: REQUIREMENTS 3.
        """
        raw = self.slope * self._committee.raw(frame) + self.offset
        spread = _variance(self._scores(raw) / self.greatest)
        return {"score": self._scores(_mean(raw)), "confidence": 1 - np.minimum(2 * spread, 0.5)}

    @cached_property
    def _committee(self) -> Committee:
        return Committee(self.members)

    def _scores(self, raw: Floats) -> Floats:
        if self.objective == "binary":
            chances: Floats = self.greatest / (1 + np.exp(-raw))
            return chances
        return np.clip(raw, 0.0, self.greatest)

    def contributions(self, frame: Frame) -> Contributions:
        """The mean of the members' SHAP values, on the calibrated scale."""
        parts = mean([member.contributions(frame) for member in self.members])
        return Contributions(parts.names, parts.values * self.slope, parts.expected * self.slope + self.offset)

    @property
    def is_compiled(self) -> bool:
        """As Boosted.is_compiled."""
        return all(member.is_compiled for member in self.members)

    def save(self, folder: Path) -> None:
        """Write each member and the calibration."""
        for number, member in enumerate(self.members):
            member.save(folder, f"member_{number}")
        facts: dict[str, Any] = {"kind": "ensemble", "members": len(self.members)}
        facts |= {name: getattr(self, name) for name in ("objective", "greatest", "slope", "offset")}
        (folder / "model.json").write_text(json.dumps(facts))

    @staticmethod
    def load(folder: Path) -> "Ensemble":
        """Read what save wrote."""
        facts = json.loads((folder / "model.json").read_text())
        members = tuple(Boosted.load(folder, f"member_{number}") for number in range(facts["members"]))
        return Ensemble(members, facts["objective"], facts["greatest"], facts["slope"], facts["offset"])


def _mean(members: Floats) -> Floats:
    mean: Floats = members.sum(axis=0) / len(members)
    return mean


def _variance(members: Floats) -> Floats:
    """As np.var has it, in a third of its time for the rows of one request."""
    away = members - _mean(members)
    return _mean(away * away)
