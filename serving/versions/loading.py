"""A version as a worker holds it, how it is loaded, and why one was refused."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import polars as pl

from feature_repo.errors import DataError, RegistryError
from serving.answering.features import Read
from serving.limits import LIMITS
from serving.versions.champions import Promoted
from training.model import load_model, verify
from training.product import Model, Product

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


def loaded(home: Path, product: Product, wanted: Promoted, warm_up: WarmUp) -> Champion:
    """The version from its local copy: the hash compared, the model loaded and warm.

    Raises RegistryError for files that are not what was registered; whatever a foreign model raises, when it is loaded.
    """
    if wanted.error:
        raise RegistryError(wanted.error)
    folder = home / "models" / product.name / str(wanted.number)
    verify(folder, wanted.sha256)
    model = load_model(folder)
    check(product, model, warm_up(product))
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
    model.contributions(rows.rows([0]))
