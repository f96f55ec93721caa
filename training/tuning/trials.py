"""What a search tried and found, kept as JSON in the home: <home>/searches/<product>/<name>.json."""

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Literal

from feature_repo.errors import DataError
from feature_repo.window import instant
from training.product import Product
from training.tuning.space import Value, declared


@dataclass(frozen=True)
class Trial:
    """One setting. scores: of the folds that it was judged on, oldest first; pruned: not on all of them."""

    number: int
    parameters: Mapping[str, Value]
    scores: tuple[float, ...]
    seconds: float
    state: Literal["complete", "pruned"]

    @property
    def mean(self) -> float:
        """Over the folds that it was judged on."""
        return math.fsum(self.scores) / len(self.scores)


@dataclass(frozen=True)
class Searched:
    """A search. trials: the first is of the declared settings. digest: of all that decides what the trials are.

    folds: the judged periods. seconds: spent, with the reading of rows. ended: which part of the budget was spent,
    trials or seconds; "" while it goes on, or where it was killed.
    """

    product: str
    as_of: str
    seed: int
    metric: str
    higher_is_better: bool
    trainer: str
    digest: str
    folds: tuple[str, ...]
    trials: tuple[Trial, ...] = ()
    seconds: float = 0.0
    ended: str = ""

    @property
    def name(self) -> str:
        return f"{instant(self.as_of):%Y%m%dT%H%M%SZ}-{self.digest}"

    @property
    def best(self) -> Trial:
        """The best complete trial; of two that are equal the first, so that the declared settings win a tie."""
        sign = 1 if self.higher_is_better else -1
        complete = [trial for trial in self.trials if trial.state == "complete"]
        return max(complete, key=lambda trial: (sign * trial.mean, -trial.number))

    @property
    def gain(self) -> float:
        """How much better the best is than the declared settings, as a share of these, on the folds that chose it.

        The best of many is flattered by them; the unseen rows tell what it is worth.
        """
        sign, before = (1 if self.higher_is_better else -1), self.trials[0].mean
        return sign * (self.best.mean - before) / abs(before) if before else 0.0

    def applied(self, product: Product) -> Product:
        """The product with the best settings in its trainer."""
        return replace(product, trainer=replace(product.trainer, **self.best.parameters))  # type: ignore[type-var]


def place(home: Path, searched: Searched) -> Path:
    """Where it is kept."""
    return home / "searches" / searched.product / f"{searched.name}.json"


def write(home: Path, searched: Searched) -> None:
    """Keep it, in place of what was kept of it before."""
    path = place(home, searched)
    path.parent.mkdir(parents=True, exist_ok=True)
    aside = path.with_suffix(".making")
    aside.write_text(json.dumps(asdict(searched), indent=1))
    aside.replace(path)


def read(path: Path) -> Searched:
    """What write wrote."""
    found = json.loads(path.read_text())
    trials = tuple(Trial(**{**trial, "scores": tuple(trial["scores"])}) for trial in found.pop("trials"))
    return Searched(**{**found, "folds": tuple(found["folds"])}, trials=trials)


def newest(home: Path, product: Product, as_of: datetime) -> Searched:
    """The ended search of the product as it is declared now that has seen most, of those as of that date or before.

    What it chose from lies before its own unseen period, and so before that of as_of.
    Raises DataError where there is none.
    """
    known = [each for each in _ended(home, product) if instant(each.as_of) <= as_of]
    if not known:
        raise DataError(
            f"{product.name}: no search of its declared settings as of {as_of:%F} or before has ended, "
            f"`talentml search {product.name} --as-of {as_of:%F}` comes first"
        )
    return max(known, key=lambda each: (instant(each.as_of), len(each.trials), each.name))


def _ended(home: Path, product: Product) -> Iterator[Searched]:
    files: Sequence[Path] = sorted((home / "searches" / product.name).glob("*.json"))
    own = None if product.search is None else declared(product.search.space, product.trainer)
    for found in map(read, files):
        if found.ended and found.trainer == repr(product.trainer) and found.trials[0].parameters == own:
            yield found
