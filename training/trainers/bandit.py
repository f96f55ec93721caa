"""A contextual bandit's policy, learned from lists that were shown: what an item is worth to a person."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np
import polars as pl
from numpy.typing import NDArray

from feature_repo.column import Column
from feature_repo.errors import TooFewError
from feature_repo.table import Frame
from training.contributions import Contributions
from training.route import Outputs
from training.trainers.ensemble import BoostedEnsemble, Ensemble
from training.trainers.factors import Factors

Floats = NDArray[np.float64]
FEWEST_SHOWN = 300


@dataclass(frozen=True)
class EngagementBandit:
    """score = expected reward (content) plus a share of what people who finished alike things finished (collaborative).

    attributes: qualified text columns that make items alike. shares: those that are tried on the validation rows.
    """

    attributes: tuple[str, ...]
    label: str = "reward"
    factors: int = 16
    shares: tuple[float, ...] = (0.0, 0.1, 0.2, 0.4)

    def fit(self, train: pl.DataFrame, validation: pl.DataFrame, columns: Sequence[Column], seed: int) -> "Bandit":
        """Learns from the rows that were shown. Raises TooFewError where they are too few, or worthless."""
        shown, held = (frame.drop_nulls(self.label) for frame in (train, validation))
        if shown.height < FEWEST_SHOWN:
            raise TooFewError(f"engagement bandit: {shown.height} items shown, at least {FEWEST_SHOWN}")
        read = [column for column in columns if column.dtype is not str]
        content = BoostedEnsemble(label=self.label, leaves=7, learning_rate=0.03).fit(shown, held, read, seed)
        finished = shown.filter(pl.col(self.label) > 0)
        if not finished.height:
            raise TooFewError("engagement bandit: nothing that was shown was worth anything")
        known = Factors.fit(finished, self.attributes, self.factors, seed)
        fitted = [Bandit(content, known, share) for share in self.shares]
        return max(fitted, key=lambda each: _agreement(each, held, self.label)) if held.height else fitted[0]


def _agreement(model: "Bandit", held: pl.DataFrame, label: str) -> float:
    """How well the scores order the rewards: Spearman's correlation."""
    ranks = pl.DataFrame({"score": model.predict(held)["score"], "reward": held[label]}).select(pl.all().rank())
    found = ranks.select(pl.corr("score", "reward")).item()
    return float(np.nan_to_num(found))


@dataclass(frozen=True)
class Bandit:
    """The fitted policy. share: of the collaborative score in the score."""

    explains: ClassVar[str] = "content_score"
    scale: ClassVar[str] = "reward"

    content: Ensemble
    factors: Factors
    share: float

    def predict(self, frame: Frame) -> Outputs:
        """score, content_score (expected reward) and collaborative_score, 0 to 1; the last .5 without evidence."""
        told = self.content.predict(frame)
        affinity = self.factors.affinity(frame)
        liked = np.where(np.isnan(affinity), 0.5, np.clip(0.5 + 0.5 * affinity, 0.0, 1.0))
        return {
            "score": (1 - self.share) * told["score"] + self.share * liked,
            "content_score": told["score"],
            "collaborative_score": liked,
            "confidence": told["confidence"],
        }

    def contributions(self, frame: Frame) -> Contributions:
        """What each column added to the expected reward."""
        return self.content.contributions(frame)

    @property
    def is_compiled(self) -> bool:
        """As Boosted.is_compiled."""
        return self.content.is_compiled

    def save(self, folder: Path) -> None:
        """Write the content part in its own folder, factors.npz, factors.json and model.json."""
        (folder / "content").mkdir()
        self.content.save(folder / "content")
        self.factors.save(folder)
        (folder / "model.json").write_text(json.dumps({"kind": "bandit", "share": self.share}))

    @staticmethod
    def load(folder: Path) -> "Bandit":
        """Read what save wrote."""
        share = json.loads((folder / "model.json").read_text())["share"]
        return Bandit(Ensemble.load(folder / "content"), Factors.load(folder), share)
