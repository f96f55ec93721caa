"""One LightGBM booster with its encoding: kept as text, explained by what each column contributes."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from feature_repo.column import Column
from feature_repo.table import Frame
from training.contributions import Contributions
from training.shap.scores import Together
from training.shap.treeshap import contributions_of, is_compiled
from training.trainers.encoding import Encoding

Floats = NDArray[np.float64]
# One seed and one histogram order: the same rows give the same model on any number of cores.
REPEATABLE = {"verbosity": -1, "deterministic": True, "force_row_wise": True}


@dataclass(frozen=True)
class Rows:
    """What a booster learns from. groups: rows per group, in order, for ranking objectives."""

    frame: pl.DataFrame
    target: Floats
    weight: Floats | None = None
    groups: NDArray[np.int64] | None = None

    def dataset(self, encoding: Encoding) -> Any:
        import lightgbm

        return lightgbm.Dataset(
            encoding.matrix(self.frame),
            label=self.target,
            weight=self.weight,
            group=self.groups,
            feature_name=list(encoding.names),
            categorical_feature=encoding.categorical,
        )


@dataclass(frozen=True)
class Boosted:
    """A booster that reads qualified columns."""

    booster: Any
    encoding: Encoding

    @staticmethod
    def fit(train: Rows, columns: Sequence[Column], parameters: Mapping[str, object], rounds: int) -> "Boosted":
        """Boost for a number of rounds."""
        import lightgbm

        encoding = Encoding.of(train.frame, columns)
        return Boosted(lightgbm.train({**REPEATABLE, **parameters}, train.dataset(encoding), rounds), encoding)

    @staticmethod
    def best_rounds(
        train: Rows, held: Rows, columns: Sequence[Column], parameters: Mapping[str, object], most: int, patience: int
    ) -> int:
        """After how many rounds the held rows' loss is least; boosting ends `patience` rounds after the last gain."""
        import lightgbm

        encoding = Encoding.of(train.frame, columns)
        stop = lightgbm.early_stopping(patience, verbose=False)
        learned = train.dataset(encoding)
        judge = held.dataset(encoding).set_reference(learned)
        settings = {**REPEATABLE, **parameters}
        return int(lightgbm.train(settings, learned, most, [judge], callbacks=[stop]).best_iteration)

    def raw(self, frame: Frame) -> Floats:
        """The booster's answer per row, on its raw scale."""
        raw: Floats = self._alone.raw(*self.encoding.columns(frame))[0]
        return raw

    @cached_property
    def _alone(self) -> Together:
        return Together((self.booster,))

    def contributions(self, frame: Frame) -> Contributions:
        """What each column added to `raw` (SHAP values)."""
        return Contributions.of(self.encoding.names, contributions_of(self.booster, *self.encoding.columns(frame)))

    @property
    def is_compiled(self) -> bool:
        """Whether it is explained by our own kernels, which cannot hang; known after the first explanation."""
        return is_compiled(self.booster)

    def save(self, folder: Path, name: str) -> None:
        """Write <name>.txt, LightGBM's text, and <name>.json, the encoding."""
        (folder / f"{name}.txt").write_text(self.booster.model_to_string())
        facts = {"names": self.encoding.names, "categories": self.encoding.categories}
        (folder / f"{name}.json").write_text(json.dumps(facts, ensure_ascii=False))

    @staticmethod
    def load(folder: Path, name: str) -> "Boosted":
        """Read what save wrote."""
        import lightgbm

        facts = json.loads((folder / f"{name}.json").read_text())
        categories = {column: tuple(values) for column, values in facts["categories"].items()}
        booster = lightgbm.Booster(model_str=(folder / f"{name}.txt").read_text())
        return Boosted(booster, Encoding(tuple(facts["names"]), categories))


@dataclass(frozen=True)
class Committee:
    """Boosters of one output each that are asked together: what they read alike is read once."""

    members: tuple[Boosted, ...]

    def raw(self, frame: Frame) -> Floats:
        """The answer of each on its raw scale, shape (members, rows)."""
        if not self._reads_alike:
            return np.array([member.raw(frame) for member in self.members])
        return self._together.raw(*self.members[0].encoding.columns(frame))

    @cached_property
    def _reads_alike(self) -> bool:
        return all(member.encoding == self.members[0].encoding for member in self.members)

    @cached_property
    def _together(self) -> Together:
        return Together(tuple(member.booster for member in self.members))
