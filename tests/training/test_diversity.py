"""Maximal marginal relevance, by hand."""

import numpy as np
import polars as pl
import pytest

from feature_repo.column import Column
from training.asking.diversity import diverse, marginal
from training.route import Rows

VECTOR = Column(name="vector", dtype=list[float], view="content", function=abs)
RELEVANCE = np.array([1.0, 0.9, 0.5])
ALIKE = np.array([[1.0, 1.0, 0.0], [1.0, 1.0, 0.0], [0.0, 0.0, 1.0]])  # the first two are the same


@pytest.mark.parametrize(
    ("weight", "picked"),
    [
        (1.0, [0, 1, 2]),  # relevance alone
        (0.7, [0, 2, 1]),  # 0.7 * 0.9 - 0.3 = 0.33 < 0.7 * 0.5 = 0.35
        (0.8, [0, 1, 2]),  # 0.8 * 0.9 - 0.2 = 0.52 > 0.8 * 0.5 = 0.40
    ],
)
def test_the_next_item_is_relevant_and_unlike_what_was_picked(weight, picked):
    assert marginal(RELEVANCE, ALIKE, weight, 3) == picked


def test_no_more_are_picked_than_asked_for_or_there_are():
    assert marginal(RELEVANCE, ALIKE, 0.7, 2) == [0, 2]
    assert len(marginal(RELEVANCE, ALIKE, 0.7, 9)) == 3
    assert marginal(RELEVANCE[:0], ALIKE[:0, :0], 0.7, 3) == []


def rows(scores, vectors, by_model=None, limit=10, **options) -> Rows:
    return Rows(
        items=[f"k{n}" for n in range(len(scores))],
        outputs={"score": np.asarray(scores, np.float64)},
        features=pl.DataFrame({VECTOR.qualified: pl.Series(vectors, dtype=pl.List(pl.Float64))}),
        by_model=np.array([True] * len(scores) if by_model is None else by_model, dtype=bool),
        options=options,
        limit=limit,
    )


X, Y = [1.0, 0.0], [0.0, 1.0]


def test_scores_are_spread_over_0_to_1_before_they_are_weighed():
    assert diverse(VECTOR)(rows([0.30, 0.29, 0.25], [X, X, Y])) == [0, 1, 2]  # 0.7 * 0.8 - 0.3 = 0.26 > 0
    assert diverse(VECTOR)(rows([0.30, 0.27, 0.265, 0.20], [X, X, Y, Y])) == [0, 2, 1, 3]


def test_what_has_no_vector_is_like_nothing():
    assert diverse(VECTOR)(rows([0.30, 0.27, 0.265, 0.20], [X, X, None, Y])) == [0, 2, 1, 3]


def test_items_that_tie_come_in_the_order_of_their_names():
    assert diverse(VECTOR)(rows([0.5, 0.5, 0.5], [X, Y, None])) == [0, 1, 2]


def test_what_the_rule_scored_comes_after_what_the_model_did():
    assert diverse(VECTOR)(rows([0.9, 0.1, 0.2], [X, X, Y], [False, True, True])) == [2, 1, 0]
    assert diverse(VECTOR)(rows([0.9, 0.1, 0.2], [X, X, Y], [False, True, True], limit=2)) == [2, 1]


def test_what_scores_less_than_asked_for_is_left_out():
    assert diverse(VECTOR)(rows([0.9, 0.1, 0.5], [X, X, Y], min_score=0.4)) == [0, 2]


def test_nothing_to_rank_gives_nothing():
    assert diverse(VECTOR)(rows(pl.Series([], dtype=pl.Float64), [])) == []
