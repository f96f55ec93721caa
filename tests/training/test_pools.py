"""Which items a request that names none is answered from."""

from datetime import UTC, datetime

import numpy as np
import polars as pl
import pytest

from feature_repo.entities import job
from feature_repo.features import job as job_f
from feature_repo.features import talent as talent_f
from training.asking import pools

COUNT = 40
ANGLES = np.linspace(0, np.pi, COUNT)


class Market:
    """Jobs j00 ... on a half circle; ann looks where j30 is, bob says nothing. vectors: whether the jobs have any."""

    at = datetime(2020, 1, 1, tzinfo=UTC)

    def __init__(self, vectors: bool = True):
        self.vectors = vectors

    def read(self, spine, columns, given=None):
        [column] = columns
        if column is job_f.vector:
            found = [self._at(int(name[1:])) if self.vectors else None for name in spine["job_id"]]
        else:
            found = [self._at(30) if name == "ann" else None for name in spine["person_id"]]
        return spine.with_columns(pl.Series(column.qualified, found, dtype=pl.List(pl.Float64)))

    def _at(self, place: int) -> list[float]:
        return [float(np.cos(ANGLES[place])), float(np.sin(ANGLES[place]))]


def choose(market: Market, count: int = COUNT):
    names = pl.Series([f"j{n:02}" for n in range(count)])
    return pools.nearest(lambda _: names, job, job_f.vector, talent_f.vector)(market)


@pytest.fixture(autouse=True)
def few(monkeypatch):
    monkeypatch.setattr(pools, "MOST", 3)


def test_the_nearest_come_first():
    found = choose(Market())({"person_id": "ann"})
    assert found[0] == "j30"
    assert set(found) == {"j29", "j30", "j31"}


@pytest.mark.parametrize("person", ["bob", "nobody"])
def test_of_whom_nothing_is_known_gets_the_first(person):
    assert choose(Market())({"person_id": person}) == ["j00", "j01", "j02"]


def test_items_without_vectors_are_offered_all_the_same():
    assert choose(Market(vectors=False))({"person_id": "ann"}) == ["j00", "j01", "j02"]


def test_where_there_are_no_more_than_are_ranked_all_come():
    assert set(choose(Market(), 3)({"person_id": "ann"})) == {"j00", "j01", "j02"}


def test_without_items_there_is_nothing():
    assert list(choose(Market(), 0)({"person_id": "ann"})) == []
