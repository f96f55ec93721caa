"""A version as a worker holds it, how it is loaded, and why one was refused."""

import gc
import logging
import math
import time
import timeit
from collections.abc import Callable
from concurrent.futures import Future, wait
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path

import numpy as np

from feature_repo.errors import DataError, RegistryError, ServingError
from feature_repo.table import Table
from serving.answering.explain import factors
from serving.answering.features import Read
from serving.answering.phrases import Phrases
from serving.limits import LIMITS
from serving.telemetry.redaction import described
from serving.versions.champions import Promoted
from serving.watch import begun
from training.model import load_model
from training.product import Model, Product

LOG = logging.getLogger("talentml.serving")
TIMED = 5
WarmUp = Callable[[Product], Read]
"""Gives a few rows of a product's columns, as a request would read them."""


@dataclass(frozen=True)
class Champion:
    """A version that has loaded and answered. An answer takes all it says about the model from one of these.

    is_warm: whether it answered about features that were read, and not about nulls.
    """

    product: Product
    version: Promoted
    model: Model
    loaded_at: datetime
    is_warm: bool = True
    explained_seconds: float = math.inf
    """How long kernels of ours, which cannot hang, take to explain one row; infinite where others do it."""

    @cached_property
    def phrases(self) -> Phrases:
        """How its factors are said."""
        return Phrases(self.product.declared, self.model.explains)

    def is_explained_inline(self, rows: int) -> bool:
        """Whether so many rows are explained on the event loop: fast, and by kernels that cannot hang."""
        is_fast = self.explained_seconds <= LIMITS.inline_explained_seconds
        return is_fast and rows <= LIMITS.inline_explained_rows


class UnreadError(ServingError):
    """A model that cannot answer about nulls, which is all there is until features can be read."""


@dataclass(frozen=True)
class Refusal:
    """A promoted version that could not be served, and when that was found (time.monotonic).

    is_unread: only because no features could be read then. It is tried again once they can be, and no failure.
    """

    version: Promoted
    reason: str
    at: float
    is_unread: bool = False

    @classmethod
    def of(cls, version: Promoted, error: Exception) -> "Refusal":
        """That of a version for which an error stands, found just now."""
        return cls(version, described(error), time.monotonic(), isinstance(error, UnreadError))

    def stands(self, wanted: Promoted) -> bool:
        """Whether it is too early to try again: nothing about the version has changed."""
        return self.is_about(wanted) and time.monotonic() - self.at < LIMITS.load_retry_seconds

    def is_about(self, wanted: Promoted) -> bool:
        """Whether it is this version that was refused, whose files were (or were not) fetched as they are now."""
        return self.version.is_same(wanted) and self.version.error == wanted.error


@dataclass(frozen=True)
class UnderWay:
    """A version that is being loaded, since when (time.monotonic)."""

    champion: Future[Champion]
    since: float = field(default_factory=time.monotonic)


class Loader:
    """Loads versions, each in a thread of its own: a foreign model that hangs keeps no other one from being served.

    One that holds the interpreter's lock all the while stops the worker all the same. For one thread.
    """

    def __init__(
        self,
        home: Path,
        warm_up: WarmUp,
        seconds: float = LIMITS.load_seconds,
        patience: float = LIMITS.load_wait_seconds,
    ) -> None:
        self.home, self.warm_up, self.seconds, self.patience = home, warm_up, seconds, patience
        self._under_way: dict[tuple[str, int, str], UnderWay] = {}

    def champion(self, product: Product, wanted: Promoted, patience: float | None = None) -> Champion | None:
        """The version, loaded; None while it is under way: ask again. patience: how long to wait when it is begun.

        Raises what `loaded` does; and ServingError once it takes longer than seconds. It is not begun anew then: who
        asks later is told the same, or given what came of it in the end.
        """
        key = (product.name, wanted.number, wanted.sha256)
        held = self._under_way.get(key)
        if held is None:
            self._forget(product)
            self._under_way[key] = held = self._begin(product, wanted)
            wait([held.champion], self.patience if patience is None else patience)
        if held.champion.done():
            return self._under_way.pop(key).champion.result()
        if time.monotonic() - held.since >= self.seconds:
            raise ServingError(f"not loaded and warm within {self.seconds:g} s")
        return None

    def _forget(self, product: Product) -> None:
        """What was given up and has loaded since; it is held until then, a model or two of a product."""
        self._under_way = {
            key: each for key, each in self._under_way.items() if key[0] != product.name or not each.champion.done()
        }

    def _begin(self, product: Product, wanted: Promoted) -> UnderWay:
        return UnderWay(begun(lambda: loaded(self.home, product, wanted, self.warm_up), f"load {product.name}"))


def loaded(home: Path, product: Product, wanted: Promoted, warm_up: WarmUp) -> Champion:
    """The version from its local copy: the hash compared, the model loaded and warm.

    Raises RegistryError for files that are not what was registered; whatever a foreign model raises, when it is loaded;
    UnreadError where it does not answer, and there were no features to answer about.
    """
    if wanted.error:
        raise RegistryError(wanted.error)
    model = load_model(home / "models" / product.name / str(wanted.number), wanted.sha256)
    read = warm_up(product)
    try:
        check(product, model, read)
    except Exception as error:
        if read.snapshot is None:
            raise UnreadError(f"features cannot be read, and without them: {described(error)}") from error
        raise
    row = read.features.rows([0])
    seconds = explained_seconds(model, row)
    champion = Champion(product, wanted, model, datetime.now(UTC), read.snapshot is not None, seconds)
    try:
        factors(model.contributions(row), row, champion.phrases)  # compiled, and templates made
    except DataError as error:  # as at a request: a score is worth having without its explanation
        LOG.warning("%s: version %s does not explain: %s", product.name, wanted.number, error)
    return champion


def explained_seconds(model: Model, row: Table) -> float:
    """The least of a few explanations of one row, as others may be in the way of each; infinite where a model does not
    say, once it has explained, that kernels of ours do it.
    """
    model.contributions(row)
    if not getattr(model, "is_compiled", False):
        return math.inf
    # timeit stops the collector of the whole process, for good where a model hangs
    return min(timeit.repeat(lambda: model.contributions(row), gc.enable, number=1, repeat=TIMED))


def check(product: Product, model: Model, read: Read) -> None:
    """Let the model answer once: it is warm for that afterwards.

    Raises DataError where an output is missing; or where the first one is not a number, though features were read.
    """
    rows = read.features
    predicted = model.predict(rows)
    found = {name: values.shape for name, values in predicted.items()}
    if any(found.get(name) != (rows.height,) for name in product.outputs):
        raise DataError(f"{product.name}: answers {found}, allowed {product.outputs} for {rows.height} rows")
    if read.snapshot is not None and not np.isfinite(predicted[product.outputs[0]]).all():
        raise DataError(f"{product.name}: {product.outputs[0]} is not finite in warm-up, allowed: numbers")
