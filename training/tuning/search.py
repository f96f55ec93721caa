"""Hyperparameter search within a budget: settings of a product's trainer, compared on periods before the unseen one.

Source: REQUIREMENTS 4.
"""

import hashlib
import json
import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Literal

from feature_repo.errors import DataError
from training.evaluation import labelled_frame
from training.fit import SEED, data_hash
from training.product import Product
from training.report.insight import gate_metric
from training.tuning.folds import Fold, Read, folds, frames
from training.tuning.space import Search, Value, declared
from training.tuning.study import Asked, asked
from training.tuning.trials import Searched, Trial, place, read, write

Clock = Callable[[], float]


def search(product: Product, home: Path, as_of: datetime, budget: Search, seed: int = SEED) -> Searched:
    """Search as of a date within the budget, or go on with the same search of this home where it was left.

    Raises DataError where the space and the trainer do not fit, TooFewError where there is too little to learn from.
    """
    return searched(product, partial(labelled_frame, product, home), as_of, budget, home, seed)


def searched(
    product: Product,
    rows: Read,
    as_of: datetime,
    budget: Search,
    home: Path,
    seed: int = SEED,
    clock: Clock = time.monotonic,
) -> Searched:
    """As search, of any source of labelled rows. clock: seconds."""
    began = clock()
    own = declared(budget.space, product.trainer)
    parts = folds(product, rows, as_of, budget.folds)
    found = _kept(home, _asked(product, as_of, budget, seed, parts))
    before = found.seconds - began
    judge = _Judge(product, parts, budget, seed, lambda: clock() + before)
    while len(found.trials) < budget.trials and (trial := judge.next(found, own)):
        found = replace(found, trials=(*found.trials, trial), seconds=judge.spent(), ended="")
        write(home, found)
    if not found.ended:
        whole = len(found.trials) >= budget.trials
        found = replace(found, ended="trials" if whole else "seconds")
        write(home, found)
    return found


def _asked(product: Product, as_of: datetime, budget: Search, seed: int, parts: Sequence[Fold]) -> Searched:
    """The search before its first trial. What may be spent is no part of its name."""
    metric = gate_metric(product)
    found = Searched(
        product=product.name,
        as_of=as_of.isoformat(),
        seed=seed,
        metric=metric.name,
        higher_is_better=metric.higher_is_better,
        trainer=repr(product.trainer),
        digest="",
        folds=tuple(str(fold.window) for fold in parts),
    )
    space = {name: str(allowed) for name, allowed in budget.space.items()}
    columns = [column.qualified for column in product.columns]
    facts = json.dumps([vars(found), space, columns, data_hash(*frames(parts))])
    return replace(found, digest=hashlib.sha256(facts.encode()).hexdigest()[:12])


def _kept(home: Path, found: Searched) -> Searched:
    """What was done of this search already."""
    path = place(home, found)
    return read(path) if path.is_file() else found


@dataclass(frozen=True)
class _Judge:
    """Judges settings on the folds while the budget lasts. spent: seconds until now, with those of earlier runs."""

    product: Product
    parts: Sequence[Fold]
    budget: Search
    seed: int
    spent: Clock

    def next(self, found: Searched, own: Mapping[str, Value]) -> Trial | None:
        """The next trial; None where it would not end within the budget.

        The first one is of the declared settings, and is judged to its end whatever that takes.
        """
        if not found.trials:
            return self._declared(own)
        following = asked(self.budget.space, found.trials, found.higher_is_better, self.seed)
        slowest = max(trial.seconds / len(trial.scores) for trial in found.trials)
        return self._suggested(following, len(found.trials), slowest)

    def _declared(self, own: Mapping[str, Value]) -> Trial:
        began = self.spent()
        scores = tuple(self._score(fold, own) for fold in self.parts)
        if not all(map(math.isfinite, scores)):
            raise DataError(f"search {self.product.name}: the folds' metric is {scores}, allowed: numbers")
        return Trial(0, own, scores, self.spent() - began, "complete")

    def _suggested(self, following: Asked, number: int, slowest: float) -> Trial | None:
        """slowest: seconds that a fold took at most; a fold is begun only where so much is left."""
        began, scores = self.spent(), list[float]()
        for fold in self.parts:
            if scores and not (math.isfinite(scores[-1]) and following.goes_on(scores)):
                return Trial(number, following.parameters, tuple(scores), self.spent() - began, "pruned")
            if self.spent() + slowest > self.budget.seconds:
                return None
            scores.append(self._score(fold, following.parameters))
        state: Literal["complete", "pruned"] = "complete" if math.isfinite(scores[-1]) else "pruned"
        return Trial(number, following.parameters, tuple(scores), self.spent() - began, state)

    def _score(self, fold: Fold, parameters: Mapping[str, Value]) -> float:
        trainer = replace(self.product.trainer, **parameters)  # type: ignore[type-var]
        return fold.score(self.product, trainer, self.seed)
