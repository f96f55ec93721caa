"""The hybrid recommender of REQUIREMENTS 3.1: what a person and a task are like, and who did what before."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np
import polars as pl
from numpy.typing import NDArray

from feature_repo.column import Column
from feature_repo.errors import DataError
from feature_repo.kernels import kernels
from feature_repo.table import Frame, Table
from training.contributions import Contributions
from training.route import Outputs
from training.trainers.boosted import Boosted, Rows
from training.trainers.factors import Factors

Floats = NDArray[np.float64]
Groups = NDArray[np.int64]


@dataclass(frozen=True)
class HybridRanker:
    """score = content * a ranker over columns + collaborative * a factorisation of who did what.

    attributes: qualified text columns that make tasks alike. own_weight: of tasks that their raiser took, which are
    many and easy. steepness: of the collaborative score over standard deviations within a task.
    """

    content: float = 0.6
    collaborative: float = 0.4
    factors: int = 50
    attributes: tuple[str, ...] = ()
    rounds: int = 200
    learning_rate: float = 0.05
    leaves: int = 15
    own_weight: float = 0.3
    steepness: float = 0.5

    def fit(self, train: pl.DataFrame, validation: pl.DataFrame, columns: Sequence[Column], seed: int) -> "Hybrid":
        """Learn from the candidates of every task; nothing is held back, as the rounds are fixed."""
        frame = pl.concat([train, validation]).sort("event_timestamp", "group", "person_id")
        if not (frame["relevance"] > 0).any():
            raise DataError("hybrid ranker: no relevant row to learn from, allowed: at least one per task")
        read = [column for column in columns if column.dtype is not str]
        boosted = Boosted.fit(self._rows(frame), read, self._parameters(seed), self.rounds)
        known = Factors.fit(frame.filter(pl.col("relevance") > 0), self.attributes, self.factors, seed)
        return Hybrid(self.content, self.collaborative, self.steepness, boosted, known)

    def _parameters(self, seed: int) -> dict[str, object]:
        return {
            "objective": "lambdarank",
            "learning_rate": self.learning_rate,
            "num_leaves": self.leaves,
            "min_data_in_leaf": 40,
            "feature_fraction": 0.5,
            "bagging_fraction": 0.8,
            "bagging_freq": 1,
            "lambda_l2": 5.0,
            "seed": seed,
        }

    def _rows(self, frame: pl.DataFrame) -> Rows:
        relevant = pl.col("relevance") > 0
        rows = frame.filter("is_candidate").filter(relevant.any().over("group"))
        took = (relevant & (pl.col("pair__is_raiser") == 1)).any().over("group")
        weights = rows.select(pl.when(took).then(self.own_weight).otherwise(1.0)).to_series().to_numpy()
        sizes = rows.group_by("event_timestamp", "group", maintain_order=True).len()["len"].to_numpy()
        return Rows(rows, rows["relevance"].to_numpy(), weights, sizes.astype(np.int64))


@dataclass(frozen=True)
class Hybrid:
    """A fitted hybrid recommender. Scores compare the rows of one `group`; a frame without groups is one."""

    explains: ClassVar[str] = "content_score"
    scale: ClassVar[str] = "log odds against the other candidates"

    content: float
    collaborative: float
    steepness: float
    boosted: Boosted
    factors: Factors

    def predict(self, frame: Frame) -> Outputs:
        """score, content_score and collaborative_score, each 0 to 1; collaborative is 0.5 without evidence.

        content_score is the probability of being the one, of the candidates asked about: they sum to 1.
        """
        group, within = _groups(frame), kernels("training.trainers.standing")
        raised = within.powers_of(self.boosted.raw(frame), group, self.steepness, *self.factors.evidence(frame))
        np.exp(raised, out=raised)
        score, content, collaborative = within.weigh(raised, group, self.content, self.collaborative)
        return {"score": score, "content_score": content, "collaborative_score": collaborative}

    def contributions(self, frame: Frame) -> Contributions:
        """What each column added to the content part, on the booster's raw scale."""
        return self.boosted.contributions(frame)

    @property
    def is_compiled(self) -> bool:
        """As Boosted.is_compiled."""
        return self.boosted.is_compiled

    def save(self, folder: Path) -> None:
        """Write model.json, content.txt, content.json, factors.npz and factors.json."""
        numbers = {name: getattr(self, name) for name in ("content", "collaborative", "steepness")}
        (folder / "model.json").write_text(json.dumps({"kind": "hybrid", **numbers}))
        self.boosted.save(folder, "content")
        self.factors.save(folder)

    @staticmethod
    def load(folder: Path) -> "Hybrid":
        """Read what save wrote."""
        facts = json.loads((folder / "model.json").read_text())
        weights = facts["content"], facts["collaborative"], facts["steepness"]
        return Hybrid(*weights, Boosted.load(folder, "content"), Factors.load(folder))


def _groups(frame: Frame) -> Groups:
    """The number of each row's group, from 0 on; of one where the frame has none."""
    is_there = "group" in (frame.others if isinstance(frame, Table) else frame.columns)  # 1 us less than 80 names
    if not is_there:
        return np.zeros(frame.height, np.int64)
    groups: Groups = frame["group"].rank("dense").to_numpy().astype(np.int64) - 1
    return groups
