"""Versions of the real recommender in a real MLflow: unlike tiny ones they load in a process that knows no test."""

from datetime import timedelta
from pathlib import Path

import polars as pl

from feature_repo.retrieval import historical_frame
from feature_repo.window import Window
from tests.serving import world
from tests.serving.ranker import PRODUCT, hybrid
from training.candidate import Candidate
from training.history import Move
from training.registry import Registry
from training.version import Version


def recommender(home: Path, number: int) -> Candidate:
    """The model as if it had been trained `number` days later; what was measured of it is made up."""
    test = Window(world.AS_OF - timedelta(days=30 - number), world.AS_OF)
    train = Window(world.START, test.since)
    spine = pl.DataFrame({"person_id": world.PEOPLE}).with_columns(
        task_id=pl.lit("T60"), event_timestamp=pl.lit(world.AS_OF), group=pl.lit("T60"),
        relevance=pl.Series([1.0, *[0.0] * 7]), is_candidate=pl.lit(True), raiser_differs=pl.lit(True),
    )  # fmt: skip
    rows = historical_frame(home, spine, PRODUCT.columns)
    metrics = dict.fromkeys((metric.name for metric in PRODUCT.metrics), 0.5)
    rules = {rule.name: dict.fromkeys(metrics, 0.25) for rule in PRODUCT.baselines}
    return Candidate(PRODUCT, hybrid(), metrics, rules, {}, f"hash-{number}", 500, train, test, rows, {"trees": 20})


def two_champions(registry: Registry) -> tuple[Version, Version]:
    """Two versions, the second promoted after the first."""
    one, two = (registry.register(recommender(registry.root, number), PRODUCT.name, "0123abc") for number in (1, 2))
    for version, previous in ((one, None), (two, one.number)):
        registry.move(Move(PRODUCT.name, "promote", version.number, previous, "a test"))
    return one, two
