"""The order of ranked items."""

import numpy as np
import polars as pl
import pytest

from training.route import Rows, best_first

NAN = float("nan")


def rows(scores, items="abcd", by_model=None, limit=10, **options) -> Rows:
    return Rows(
        items=list(items[: len(scores)]),
        outputs={"score": np.asarray(scores, np.float64)},
        features=pl.DataFrame(),
        by_model=np.array([True] * len(scores) if by_model is None else by_model, dtype=bool),
        options=options,
        limit=limit,
    )


@pytest.mark.parametrize(
    ("scores", "items", "order"),
    [
        ([0.1, 0.9, 0.5], "abc", [1, 2, 0]),
        ([0.5, 0.9, 0.5], "cab", [1, 2, 0]),  # b before c
        ([0.0, -0.0, 0.1], "bac", [2, 1, 0]),  # 0 and -0 tie
        ([NAN, 0.2, NAN, 0.3], "dbca", [3, 1, 2, 0]),  # what has no score comes last, by id
        ([0.5], "a", [0]),
        ([], "", []),
    ],
)
def test_the_best_come_first_and_ties_go_by_id(scores, items, order):
    assert best_first(rows(scores, items)) == order


def test_what_the_rule_scored_comes_after_what_the_model_did():
    assert best_first(rows([0.9, 0.1, 0.8, 0.2], by_model=[False, True, False, True])) == [3, 1, 0, 2]


@pytest.mark.parametrize(("least", "order"), [(None, [1, 2, 0]), (0.5, [1, 2]), (0.95, [])])
def test_what_does_not_reach_the_least_score_is_left_out(least, order):
    assert best_first(rows([0.1, 0.9, 0.5], min_score=least)) == order


def test_no_more_than_the_limit_are_answered():
    assert best_first(rows([0.1, 0.9, 0.5], limit=2)) == [1, 2]
