"""A fitted model with all that is known about it; fit makes it, registry and card read it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

import polars as pl

from feature_repo.window import Window
from training.product import Model, Product

Numbers = Mapping[str, float]
"""Metric name to its value; NaN where it is undefined."""


@dataclass(frozen=True)
class Scores:
    """Metrics of a model and of each naive baseline on the same `rows` rows."""

    rows: int
    champion: Numbers
    baselines: Mapping[str, Numbers]


@dataclass(frozen=True)
class Candidate:
    """What a training run made.

    metrics, baselines, slices: measured on the test window, as in `talentml evaluate --json`.
    rows: training rows. train_window holds the rows that were fitted or used for stopping and calibration, so the
    model has seen nothing at or after its end; test_window follows it and ends at the as-of date.
    test_frame: the unseen rows of the test window: spine, columns and labels, without predictions.
    importance, confusion, cross_validation: for the training history, empty where the trainer has none.
    """

    product: Product
    model: Model
    metrics: Numbers
    baselines: Mapping[str, Numbers]
    slices: Mapping[str, Scores]
    data_hash: str
    rows: int
    train_window: Window
    test_window: Window
    test_frame: pl.DataFrame
    parameters: Mapping[str, object]
    seconds: float = 0.0
    importance: Numbers = field(default_factory=dict)
    confusion: Mapping[str, object] = field(default_factory=dict)
    cross_validation: Mapping[str, object] = field(default_factory=dict)

    @property
    def as_of(self) -> datetime:
        return self.test_window.until

    @property
    def trained_until(self) -> datetime:
        return self.train_window.until
