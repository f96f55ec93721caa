"""A real, very small LightGBM model for any product. Its number shows in its answers: versions can be told apart."""

import json
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np

from feature_repo.table import Frame, matrix
from training.contributions import Contributions
from training.model import KINDS, save_model
from training.product import Product
from training.route import Outputs

KIND = "serving-tiny"


def install() -> None:
    """Let load_model know the kind."""
    KINDS[KIND] = f"{__name__}:Tiny"


class Tiny:
    """One booster; the first output is its probability, the others derive from it, the last one is number / 100."""

    kind: ClassVar[str] = KIND
    explains: ClassVar[str] = "score"
    scale: ClassVar[str] = "log odds"

    def __init__(self, booster: Any, names: list[str], outputs: list[str], number: int) -> None:
        self.booster, self.names, self.outputs, self.number = booster, names, outputs, number

    def predict(self, frame: Frame) -> Outputs:
        chance = np.asarray(self.booster.predict(self._matrix(frame)))
        return {**dict.fromkeys(self.outputs, chance), self.outputs[-1]: np.full(frame.height, self.number / 100)}

    def contributions(self, frame: Frame) -> Contributions:
        return Contributions.of(self.names, np.asarray(self.booster.predict(self._matrix(frame), pred_contrib=True)))

    def save(self, folder: Path) -> None:
        self.booster.save_model(str(folder / "booster.txt"))
        facts = {"kind": self.kind, "names": self.names, "outputs": self.outputs, "number": self.number}
        (folder / "model.json").write_text(json.dumps(facts))

    @classmethod
    def load(cls, folder: Path) -> Self:
        import lightgbm

        facts = json.loads((folder / "model.json").read_text())
        booster = lightgbm.Booster(model_file=str(folder / "booster.txt"))
        return cls(booster, facts["names"], facts["outputs"], facts["number"])

    def _matrix(self, frame: Frame) -> Any:
        return matrix(frame, self.names)


def tiny(product: Product, number: int) -> Tiny:
    """A model of a product's numeric columns, fitted to noise that depends on the number."""
    import lightgbm

    names = [column.qualified for column in product.columns if column.dtype in (float, int, bool)]
    random = np.random.default_rng(number)
    x = random.normal(size=(400, len(names))) * 10
    hours = x[:, [place for place, name in enumerate(names) if "estimate" in name]].sum(axis=1)
    y = (x[:, 0] + x[:, -1] + hours + random.normal(size=400) > 10).astype(float)
    settings = {"objective": "binary", "verbose": -1, "num_threads": 1, "num_leaves": 7}
    booster = lightgbm.train(settings, lightgbm.Dataset(x, y), num_boost_round=20)
    return Tiny(booster, names, list(product.outputs), number)


def save(home: Path, product: Product, number: int) -> str:
    """Save version `number` where the registry would put its verified copy; gives its sha256."""
    return save_model(tiny(product, number), home / "models" / product.name / str(number))
