"""The champions that a worker serves. Each is one immutable bundle; a swap replaces the bundle, never its parts."""

import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import polars as pl

from feature_repo.errors import DataError, RegistryError
from serving import champions
from serving.champions import Promoted
from serving.features import Read
from serving.limits import LIMITS
from serving.metrics import Metrics
from training.model import load_model, verify
from training.product import Model, Product

LOG = logging.getLogger("talentml.serving")
WarmUp = Callable[[Product], Read]
"""Gives a few rows of a product's columns, as a request would read them."""


@dataclass(frozen=True)
class Champion:
    """A version that has loaded and answered. An answer takes all it says about the model from one of these."""

    product: Product
    version: Promoted
    model: Model
    loaded_at: datetime


@dataclass(frozen=True)
class Refusal:
    """A promoted version that could not be served, and when that was found (time.monotonic)."""

    version: Promoted
    reason: str
    at: float

    def stands(self, wanted: Promoted) -> bool:
        """Whether it is too early to try again: nothing about the version has changed."""
        return self.is_about(wanted) and time.monotonic() - self.at < LIMITS.load_retry_seconds

    def is_about(self, wanted: Promoted) -> bool:
        """Whether it is this version that was refused, whose files were (or were not) fetched as they are now."""
        return self.version.is_same(wanted) and self.version.error == wanted.error


class Models:
    """Loads what champions.json wants, warms it up and swaps it in; what fails leaves the previous one serving."""

    def __init__(self, home: Path, products: Mapping[str, Product], warm_up: WarmUp, metrics: Metrics) -> None:
        self.home, self.products, self.warm_up, self.metrics = home, products, warm_up, metrics
        self.registry = champions.Champions()
        self.active: Mapping[str, Champion] = {}
        self.refused: Mapping[str, Refusal] = {}
        for name in products:
            metrics.active.labels(name).set(0)
            metrics.load_failures.labels(name)

    def refresh(self) -> None:
        """Catch up with champions.json. Called by one thread only; readers of `active` need no lock."""
        self.registry = champions.read(self.home)
        for name, wanted in self.registry.wanted.items():
            if name in self.products:
                self._catch_up(self.products[name], wanted)

    def _catch_up(self, product: Product, wanted: Promoted) -> None:
        served = self.active.get(product.name)
        refusal = self.refused.get(product.name)
        if served and served.version.is_same(wanted):
            self._forgive(product)
            return
        if refusal and refusal.stands(wanted):
            return
        if not self._take(product, wanted) and served is None:
            self._take_previous(product, wanted)

    def _take_previous(self, product: Product, wanted: Promoted) -> None:
        """At a cold start with a champion that fails: the version that was served last."""
        previous, refusal = champions.served(self.home, product.name), self.refused[product.name]
        if previous and previous.number != wanted.number and self._take(product, previous):
            self.refused = {**self.refused, product.name: refusal}

    def _take(self, product: Product, wanted: Promoted) -> bool:
        try:
            champion = self._loaded(product, wanted)
        except Exception as error:  # noqa: BLE001  a foreign model may fail in any way, and must not stop the service
            self._refuse(product, wanted, f"{type(error).__name__}: {error}")
            return False
        self.active = {**self.active, product.name: champion}
        self._forgive(product)
        self.metrics.active.labels(product.name).set(wanted.number)
        champions.remember(self.home, product.name, wanted)
        LOG.info("%s: version %s serves", product.name, wanted.number)
        return True

    def _forgive(self, product: Product) -> None:
        self.refused = {name: refusal for name, refusal in self.refused.items() if name != product.name}

    def _refuse(self, product: Product, wanted: Promoted, reason: str) -> None:
        earlier = self.refused.get(product.name)
        self.refused = {**self.refused, product.name: Refusal(wanted, reason, time.monotonic())}
        if earlier and earlier.is_about(wanted):
            return  # tried again, counted once
        self.metrics.load_failures.labels(product.name).inc()
        LOG.error("%s: version %s is not served: %s", product.name, wanted.number, reason)

    def _loaded(self, product: Product, wanted: Promoted) -> Champion:
        if wanted.error:
            raise RegistryError(wanted.error)
        folder = self.home / "models" / product.name / str(wanted.number)
        verify(folder, wanted.sha256)
        model = load_model(folder)
        check(product, model, self.warm_up(product))
        return Champion(product, wanted, model, datetime.now(UTC))


def check(product: Product, model: Model, read: Read) -> None:
    """Let the model answer and explain once: it is warm afterwards.

    Raises DataError where an output is missing; or where the first one is not a number, though features were read.
    """
    rows = read.features
    predicted = model.predict(rows)
    missing = set(product.outputs) - set(predicted.columns)
    if missing or predicted.height != rows.height:
        raise DataError(
            f"{product.name}: answers {predicted.columns}, allowed {product.outputs} for {rows.height} rows"
        )
    first = predicted[product.outputs[0]].cast(pl.Float64).to_numpy()
    if read.snapshot is not None and not np.isfinite(first).all():
        raise DataError(f"{product.name}: {product.outputs[0]} is not finite in warm-up, allowed: numbers")
    model.contributions(rows.head(1))
