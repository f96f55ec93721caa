"""Raw scores have the bits of LightGBM's own, whatever the model and the rows hold."""

import lightgbm
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from feature_repo.errors import DataError
from tests.training.test_treeshap import MODELS, ODD, ROWS, boosted, rows
from training.shap import descent
from training.shap.descent import LANES
from training.shap.forest import Forest
from training.shap.scores import MOST_LEAVES, Scores, Together, verified
from training.shap.treeshap import probe


def theirs(booster: lightgbm.Booster, matrix: np.ndarray) -> np.ndarray:
    """Shape (classes, rows)."""
    return booster.predict(matrix, raw_score=True).reshape(len(matrix), -1).T


def ours(matrix: np.ndarray, *boosters: lightgbm.Booster) -> np.ndarray:
    return Together(boosters).raw(matrix.T, np.arange(matrix.shape[1]))


def assert_equal_to_lightgbm(booster: lightgbm.Booster, matrix: np.ndarray) -> None:
    columns = np.ascontiguousarray(matrix.T)
    np.testing.assert_array_equal(Scores.of(booster).sums(columns, np.arange(len(columns))), theirs(booster, matrix))


@pytest.mark.parametrize("parameters", MODELS.values(), ids=MODELS)
def test_they_equal_those_of_lightgbm_bit_for_bit(parameters):
    learned = rows(1, 5, 0.2)
    booster = boosted(learned, **parameters)
    assert verified(booster) is not None
    assert_equal_to_lightgbm(booster, np.vstack([learned, rows(2, 5, 0.5)]))
    assert_equal_to_lightgbm(booster, probe(Forest.read(booster.model_to_string()), 200))


@settings(deadline=None, max_examples=150)
@given(
    seed=st.integers(0, 10**6),
    features=st.integers(2, 8),
    leaves=st.integers(2, MOST_LEAVES),
    missing=st.sampled_from([0.0, 0.1, 0.6]),
    parameters=st.sampled_from([{}, {"zero_as_missing": True}, {"use_missing": False}, {"max_cat_to_onehot": 64}]),
)
def test_they_equal_those_of_lightgbm_for_any_model(seed, features, leaves, missing, parameters):
    booster = boosted(rows(seed, features, missing), 6, num_leaves=leaves, **parameters)
    assert_equal_to_lightgbm(booster, rows(seed + 1, features, 0.3, 50))
    assert_equal_to_lightgbm(booster, probe(Forest.read(booster.model_to_string()), 50, seed))


@pytest.mark.parametrize("value", ODD.values(), ids=ODD)
@pytest.mark.parametrize("parameters", [{}, {"zero_as_missing": True}, {"use_missing": False}])
def test_odd_values_in_numbers_and_categories_go_where_lightgbm_sends_them(value, parameters):
    learned = rows(3, 4, 0.2)
    booster = boosted(learned, num_leaves=20, **parameters)
    for place in range(4):
        asked = learned[:20].copy()
        asked[:, place] = value
        assert_equal_to_lightgbm(booster, asked)


@pytest.mark.parametrize("count", [0, 1, 7, 8, 9, LANES - 1, LANES, LANES + 1, 3 * LANES + 5])
def test_any_number_of_rows_is_scored_in_order(count):
    booster = boosted(rows(6, 4, 0.2), num_leaves=20)
    asked = rows(7, 4, 0.2, 3 * LANES + 5)
    whole = theirs(booster, asked)
    for each in (asked[:count], np.asfortranarray(asked[:count])):
        columns = np.ascontiguousarray(each.T)
        np.testing.assert_array_equal(Scores.of(booster).sums(columns, np.arange(len(columns))), whole[:, :count])


@pytest.mark.parametrize(
    ("parameters", "why"),
    [({"linear_tree": True}, "linear trees"), ({"num_leaves": MOST_LEAVES + 1}, "a tree of 65 leaves, allowed: 64")],
)
def test_a_model_that_is_not_covered_scores_by_lightgbm_itself(parameters, why):
    learned = rows(8, 4, 0.0, 3_000)
    booster = boosted(learned, min_data_in_leaf=1, **parameters)
    with pytest.raises(DataError, match=why):
        Scores.of(booster)
    np.testing.assert_array_equal(ours(learned, booster), theirs(booster, learned))


def test_rows_of_another_width_are_refused_by_lightgbm_itself():
    booster = boosted(rows(10, 4, 0.2))
    with pytest.raises(lightgbm.basic.LightGBMError, match="number of features"):
        ours(np.zeros((3, 5)), booster)


def test_early_stopping_counts_for_both():
    booster = boosted(rows(11, 4, 0.2), 20)
    booster.best_iteration = 7
    asked = rows(12, 4, 0.2, ROWS)
    np.testing.assert_array_equal(ours(asked, booster), theirs(booster, asked))


def test_boosters_that_are_scored_together_score_as_each_alone():
    learned, asked = rows(13, 5, 0.2), rows(14, 5, 0.3, 50)
    boosters = [boosted(learned, 9, **parameters) for parameters in MODELS.values()]
    alone = np.concatenate([theirs(booster, asked) for booster in boosters])
    columns = np.ascontiguousarray(asked.T)
    np.testing.assert_array_equal(Scores.of(*boosters).sums(columns, np.arange(len(columns))), alone)


def test_the_kernel_is_compiled_for_one_kind_of_columns():
    booster, asked = boosted(rows(15, 4, 0.2)), rows(16, 4, 0.3)
    fixed = asked.copy()
    fixed.setflags(write=False)
    for each in (asked, np.asfortranarray(asked), fixed, asked[:1]):
        ours(each, booster)
    assert len(descent.add_scores.signatures) == 1


def test_columns_are_read_where_they_lie():
    booster, asked = boosted(rows(15, 4, 0.2)), rows(16, 4, 0.3)
    places = np.array([5, 0, 2, 3])
    table = np.full((7, len(asked)), -1.0)
    table[places] = asked.T
    np.testing.assert_array_equal(Scores.of(booster).sums(table, places), theirs(booster, asked))


def test_where_one_is_not_covered_all_score_by_lightgbm_itself():
    learned = rows(17, 4, 0.0)
    covered, other = boosted(learned), boosted(learned, linear_tree=True)
    alone = np.concatenate([theirs(covered, learned), theirs(other, learned)])
    np.testing.assert_array_equal(ours(learned, covered, other), alone)
