"""How open a person is to another job: a boosted classifier over a profile with rungs, kinds and gaps."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import product
from pathlib import Path
from typing import ClassVar

import numpy as np
import polars as pl
from numpy.typing import NDArray

from feature_repo.errors import DataError
from training.contributions import Contributions
from training.trainers.boosted import Boosted, Rows
from training.trainers.encoding import Encoding

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Profile:
    """What is read of a person. ladders: a text column and its values, lowest first; for the others the values are
    put in alphabetical order. crowds: text columns of which it also counts how many learned rows share the value.
    """

    numbers: tuple[str, ...]
    ladders: Mapping[str, tuple[str, ...]]
    crowds: tuple[str, ...] = ()

    @property
    def columns(self) -> tuple[str, ...]:
        return (*self.numbers, *self.ladders)

    def learned(self, frame: pl.DataFrame) -> "Reading":
        """The rungs and crowds of a training frame."""
        ladders = {name: rungs or _values(frame[name]) for name, rungs in self.ladders.items()}
        crowds = {name: dict(frame[name].drop_nulls().value_counts().sort(name).iter_rows()) for name in self.crowds}
        return Reading(self.numbers, ladders, crowds)


def _values(column: pl.Series) -> tuple[str, ...]:
    return tuple(column.drop_nulls().unique().sort().to_list())


@dataclass(frozen=True)
class Reading:
    """A profile as numbers. A missing or unknown value is NaN, in a crowd 0; `gaps` counts what was left out."""

    numbers: tuple[str, ...]
    ladders: Mapping[str, tuple[str, ...]]
    crowds: Mapping[str, Mapping[str, int]]

    # Native categories of LightGBM cost .002 AUC on hr_job_change against a plain order, even an alphabetical one.
    def frame(self, people: pl.DataFrame) -> pl.DataFrame:
        """Shape (people, numbers + ladders + crowds + gaps). Raises DataError where a column is missing."""
        absent = [name for name in (*self.numbers, *self.ladders) if name not in people.columns]
        if absent:
            raise DataError(f"openness: no column {absent[0]}, needed: {', '.join((*self.numbers, *self.ladders))}")
        rungs = [_coded(name, values, range(len(values)), None) for name, values in self.ladders.items()]
        crowds = [
            _coded(name, tuple(counts), counts.values(), 0).alias(f"{name}_crowd")
            for name, counts in self.crowds.items()
        ]
        gaps = pl.sum_horizontal(pl.col(name).is_null() for name in self.ladders).cast(pl.Float64).alias("gaps")
        return people.select(*(pl.col(name).cast(pl.Float64) for name in self.numbers), *rungs, *crowds, gaps)


def _coded(name: str, values: Iterable[str], codes: Iterable[int], default: float | None) -> pl.Expr:
    numbers = [float(code) for code in codes]
    return pl.col(name).cast(pl.String).replace_strict(list(values), numbers, default=default, return_dtype=pl.Float64)


@dataclass(frozen=True)
class OpennessClassifier:
    """leaves, rounds: what is chosen from, by the mean AUC over `folds` folds inside the learned rows."""

    profile: Profile
    leaves: tuple[int, ...] = (8, 15)
    rounds: tuple[int, ...] = (150, 200, 250, 300)
    folds: int = 3
    parameters: Mapping[str, object] = field(
        default_factory=lambda: {
            "learning_rate": 0.03,
            "min_data_in_leaf": 40,
            "feature_fraction": 0.6,
            "bagging_fraction": 0.8,
            "bagging_freq": 1,
            "lambda_l2": 5.0,
        }
    )

    def fit(self, people: pl.DataFrame, is_open: NDArray[np.bool_], seed: int) -> "Openness":
        """Choose leaves and rounds inside the rows, then learn from all of them.

        Raises DataError where all answers are the same, or fewer of one kind than there are folds.
        """
        rarest = min(int(is_open.sum()), int((~is_open).sum()))
        if rarest < self.folds:
            raise DataError(f"openness: {rarest} people of the rarer answer, allowed: at least {self.folds}")
        leaves, rounds = self._chosen(people, is_open, seed)
        return self._fitted(people, is_open, seed, leaves, rounds)

    def _chosen(self, people: pl.DataFrame, is_open: NDArray[np.bool_], seed: int) -> tuple[int, int]:
        from sklearn.metrics import roc_auc_score
        from sklearn.model_selection import StratifiedKFold

        choices = list(product(self.leaves, self.rounds))
        if len(choices) == 1:
            return choices[0]
        area = dict.fromkeys(choices, 0.0)
        inner = StratifiedKFold(self.folds, shuffle=True, random_state=seed).split(is_open, is_open)
        for (learned, held), leaves in product(inner, self.leaves):
            model = self._fitted(people[learned], is_open[learned], seed, leaves, max(self.rounds))
            for rounds in self.rounds:
                area[leaves, rounds] += float(roc_auc_score(is_open[held], model.raw(people[held], rounds)))
        return max(choices, key=lambda choice: area[choice])

    def _fitted(
        self, people: pl.DataFrame, is_open: NDArray[np.bool_], seed: int, leaves: int, rounds: int
    ) -> "Openness":
        reading = self.profile.learned(people)
        frame = reading.frame(people)
        settings = {**self.parameters, "objective": "binary", "num_leaves": leaves, "seed": seed}
        rows = Rows(frame, is_open.astype(np.float64))
        return Openness(reading, _boosted(rows, settings, rounds))


def _boosted(rows: Rows, settings: Mapping[str, object], rounds: int) -> Boosted:
    import lightgbm

    encoding = Encoding(tuple(rows.frame.columns))
    steady = {"verbosity": -1, "deterministic": True, "force_row_wise": True, **settings}
    return Boosted(lightgbm.train(steady, rows.dataset(encoding), rounds), encoding)


@dataclass(frozen=True)
class Openness:
    """A fitted classifier. A row needs the profile's columns and no more."""

    explains: ClassVar[str] = "openness"
    scale: ClassVar[str] = "log odds of being open"

    reading: Reading
    boosted: Boosted

    def raw(self, people: pl.DataFrame, rounds: int | None = None) -> Floats:
        """Log odds, shape (people,). rounds: of the first trees only."""
        matrix = self.boosted.encoding.matrix(self.reading.frame(people))
        return np.asarray(self.boosted.booster.predict(matrix, raw_score=True, num_iteration=rounds))

    def predict(self, people: pl.DataFrame) -> pl.DataFrame:
        """openness: the probability that the person is open to another job."""
        return pl.DataFrame({"openness": 1 / (1 + np.exp(-self.raw(people)))})

    def contributions(self, people: pl.DataFrame) -> Contributions:
        """What each column added to `raw`."""
        return self.boosted.contributions(self.reading.frame(people))

    def save(self, folder: Path) -> None:
        """Write model.json, openness.txt and openness.json."""
        facts = {name: getattr(self.reading, name) for name in ("numbers", "ladders", "crowds")}
        (folder / "model.json").write_text(json.dumps({"kind": "openness", **facts}, ensure_ascii=False))
        self.boosted.save(folder, "openness")

    @staticmethod
    def load(folder: Path) -> "Openness":
        """Read what save wrote."""
        facts = json.loads((folder / "model.json").read_text())
        ladders = {name: tuple(rungs) for name, rungs in facts["ladders"].items()}
        reading = Reading(tuple(facts["numbers"]), ladders, facts["crowds"])
        return Openness(reading, Boosted.load(folder, "openness"))
