"""A batch score says of each task what the service would."""

from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest

from feature_repo.retrieval import historical_frame
from feature_repo.window import last_before
from tests.serving import ranker, world
from tests.serving.conftest import Service, home, promote, promoted, serve
from tests.serving.test_fallback import give
from training.batch import batch_score, in_order
from training.evaluation import columns_of
from training.products import PRODUCTS

__all__ = ["home", "serve"]
PRODUCT = PRODUCTS["task_assignment"]
ROUNDING = 1e-12  # polars adds up several groups in another order than one


@pytest.fixture(scope="module")
def batch() -> pl.DataFrame:
    return batch_score(PRODUCT, world.published(), world.AS_OF, ranker.hybrid().predict)


def test_every_open_task_has_everybody_who_worked_in_the_year_before(batch: pl.DataFrame) -> None:
    assert batch["task_id"].unique().sort().to_list() == [f"T{number}" for number in range(60, 69)]
    assert batch.filter(pl.col("task_id") == "T60")["person_id"].sort().to_list() == world.PEOPLE
    assert batch["event_timestamp"].unique().to_list() == [last_before(world.AS_OF)]


def test_the_rows_hold_keys_group_and_outputs(batch: pl.DataFrame) -> None:
    assert batch.columns == ["person_id", "task_id", "event_timestamp", "group", *PRODUCT.outputs]


def test_a_task_in_a_batch_is_scored_as_it_is_alone(batch: pl.DataFrame) -> None:
    for part in batch.partition_by("task_id"):
        pairs = part.select("person_id", "task_id", "event_timestamp")
        frame = historical_frame(world.published(), pairs, columns_of(PRODUCT))
        alone = pl.DataFrame(ranker.hybrid().predict(frame))
        assert part.select(PRODUCT.outputs).to_numpy() == pytest.approx(alone.to_numpy(), abs=ROUNDING)


def test_a_batch_says_of_a_task_what_the_service_answers(
    batch: pl.DataFrame, home: Path, serve: Callable[[Path], Service]
) -> None:
    promote(home, promoted(home, 3))
    service = serve(home)
    give(service, PRODUCT.name, ranker.hybrid())
    for task, part in batch.group_by("task_id", maintain_order=True):
        people = part["person_id"].to_list()
        answer = service.rank(task_id=task[0], candidates=people, limit=100, explain=False)["candidates"]
        assert [row["person_id"] for row in answer] == people
        for name in PRODUCT.outputs:
            assert [row[name] for row in answer] == pytest.approx(part[name].to_list(), abs=ROUNDING)


def test_rankings_list_the_best_first_and_estimates_go_by_key() -> None:
    keys = {"task_id": ["b", "a", "a"], "person_id": ["x", "y", "x"], "group": ["b", "a", "a"]}
    first = [
        in_order(PRODUCTS[name], pl.DataFrame({**keys, PRODUCTS[name].outputs[0]: [1.0, 3.0, 2.0]})).row(0)
        for name in ("task_assignment", "task_performance")
    ]
    assert first == [("a", "y", "a", 3.0), ("a", "x", "a", 2.0)]
