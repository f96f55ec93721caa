"""The index of vectors: a contract with an exact search, hand-worked cosines, and what it refuses."""

from pathlib import Path

import numpy as np
import pytest

from feature_repo.errors import DataError
from feature_repo.neighbours import SPARE, Neighbours

COMPASS = {"north": (0, 1), "north-east": (1, 1), "east": (2, 0), "south": (0, -3)}


def compass() -> Neighbours:
    return Neighbours.build(list(COMPASS), list(COMPASS.values()))


def random_vectors(rows: int, dims: int = 48, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal((rows, dims)).astype(np.float32)


def test_the_nearest_come_first_with_their_cosines_whatever_the_lengths():
    found = compass().search([0, 5], 3)
    assert found.keys.tolist() == [["north", "north-east", "east"]]
    assert found.scores[0] == pytest.approx([1, 1 / np.sqrt(2), 0], abs=1e-6)


@pytest.mark.parametrize("rows", [1, 10 * SPARE, 10 * SPARE + 1, 10_000])
def test_it_finds_what_an_exact_search_finds(rows):
    vectors, queries = random_vectors(rows), random_vectors(20, seed=1)
    found = Neighbours.build(np.arange(rows), vectors).search(queries, 10)
    cosines = queries @ vectors.T / np.outer(np.linalg.norm(queries, axis=1), np.linalg.norm(vectors, axis=1))
    exact = np.sort(cosines, axis=1)[:, ::-1][:, :10]
    assert found.scores == pytest.approx(exact, abs=1e-5)
    assert np.take_along_axis(cosines, found.keys, axis=1) == pytest.approx(exact, abs=1e-5)


def test_a_batch_answers_as_its_queries_one_by_one():
    index, queries = Neighbours.build(np.arange(5_000), random_vectors(5_000)), random_vectors(5, seed=1)
    assert index.search(queries, 7).keys.tolist() == [index.search(query, 7).keys[0].tolist() for query in queries]


def test_fewer_rows_than_asked_for_are_all_found():
    assert compass().search([0, 1], 100).keys.shape == (1, 4)


def test_an_empty_index_finds_nothing():
    found = Neighbours.build([], np.empty((0, 2))).search([[0, 1], [1, 0]], 5)
    assert found.keys.shape == found.scores.shape == (2, 0)


def test_a_vector_of_length_zero_scores_zero():
    index = Neighbours.build(["nothing", "east"], [(0, 0), (1, 0)])
    assert dict(zip(*(part[0].tolist() for part in vars(index.search([1, 0], 2)).values()), strict=True)) == {
        "east": pytest.approx(1),
        "nothing": 0,
    }


def test_it_survives_save_and_load(tmp_path: Path):
    index, queries = Neighbours.build([f"job-{n}" for n in range(3_000)], random_vectors(3_000)), random_vectors(3)
    index.save(tmp_path)
    before, after = index.search(queries, 5), Neighbours.load(tmp_path).search(queries, 5)
    assert (before.keys == after.keys).all()
    assert (before.scores == after.scores).all()


def test_a_key_taken_out_is_no_longer_found():
    assert compass().without(["north", "unheard of"]).search([0, 1], 1).keys.tolist() == [["north-east"]]


def test_an_update_replaces_a_known_key_and_adds_a_new_one():
    index = compass().updated(["north", "west-north-west"], [(1, 0), (-2, 1)])
    assert len(index.keys) == 5
    assert index.search([-1, 0], 1).keys.tolist() == [["west-north-west"]]
    assert set(index.search([1, 0], 2).keys[0].tolist()) == {"north", "east"}


@pytest.mark.parametrize(
    ("keys", "vectors", "message"),
    [
        (["a", "a"], [(0, 1), (1, 0)], "1 repeated keys, allowed: none"),
        (["a"], [(0, 1), (1, 0)], "keys for 2 vectors, allowed: one each"),
        (["a", "b"], [(0, 1), (1, np.nan)], "1 vectors are not finite, allowed: none"),
        (["a"], np.ones((1, 2, 3)), r"vectors of shape \(1, 2, 3\), allowed: \(rows, dims\)"),
    ],
)
def test_what_cannot_be_indexed_is_refused(keys, vectors, message):
    with pytest.raises(DataError, match=message):
        Neighbours.build(keys, vectors)


def test_queries_and_updates_of_other_dims_are_refused():
    with pytest.raises(DataError, match="queries of 3 dims, allowed: 2"):
        compass().search([0, 1, 0], 1)
    with pytest.raises(DataError, match="vectors of 3 dims, allowed: 2"):
        compass().updated(["up"], [(0, 0, 1)])
    with pytest.raises(DataError, match="0 asked for, allowed: at least 1"):
        compass().search([0, 1], 0)
