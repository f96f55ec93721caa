"""Tiny versions in a real registry, as a training would leave them."""

from datetime import timedelta
from pathlib import Path

import numpy as np
import polars as pl

from feature_repo.retrieval import historical_frame
from feature_repo.window import Window
from tests.serving import tiny, world
from training.candidate import Candidate
from training.history import Move
from training.products import PRODUCTS
from training.registry import Registry
from training.version import Version

PRODUCT = PRODUCTS["task_assignment"]


def candidate(home: Path, number: int) -> Candidate:
    """A tiny model as a candidate; what was measured of it is made up. Of another home it is another version."""
    test = Window(world.AS_OF - timedelta(days=30 - number), world.AS_OF)
    train = Window(world.START, test.since)
    spine = pl.DataFrame({"person_id": world.PEOPLE}).with_columns(
        task_id=pl.lit("T60"), event_timestamp=pl.lit(world.AS_OF), group=pl.lit("T60"),
        relevance=pl.Series(np.arange(8.0) == 0).cast(float), is_candidate=pl.lit(True), raiser_differs=pl.lit(True),
    )  # fmt: skip
    rows = historical_frame(home, spine, PRODUCT.columns)
    metrics = dict.fromkeys((metric.name for metric in PRODUCT.metrics), 0.5)
    model = tiny.tiny(PRODUCT, number)
    return Candidate(PRODUCT, model, metrics, {"rule": metrics}, {}, f"{home}-{number}", 500, train, test, rows, {})


def move(registry: Registry, version: Version, previous: Version | None) -> None:
    registry.move(Move(PRODUCT.name, "manual", version.number, previous.number if previous else None, "a test"))
