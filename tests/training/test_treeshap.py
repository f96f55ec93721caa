"""Contributions are the Shapley values of the trees, equal to LightGBM's own, whatever the model and the rows hold."""

import itertools
import re
from math import factorial

import lightgbm
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from feature_repo.errors import DataError
from training.shap.forest import Forest
from training.shap.treeshap import TreeShap, contributions, probe, verified

ROWS = 400
NOTHING, BEYOND = float("nan"), 2.0**40


def rows(seed: int, features: int, missing: float, count: int = ROWS) -> np.ndarray:
    """Numbers, whole numbers and zeros, the last column 30 categories; a share of all values is missing."""
    random = np.random.default_rng(seed)
    matrix = random.normal(size=(count, features))
    matrix[:, 1::3] = random.integers(-2, 4, matrix[:, 1::3].shape)
    matrix[:, -1] = random.integers(0, 30, count)
    matrix[random.random(matrix.shape) < missing] = NOTHING
    return matrix


def target(matrix: np.ndarray) -> np.ndarray:
    """Depends on products, on which categories go together, and on what is missing."""
    known = np.nan_to_num(matrix)
    return known[:, 0] * known[:, 1] + (known[:, -1] % 3 == 1) * (1 + known[:, 0]) + np.isnan(matrix).sum(axis=1)


def boosted(matrix: np.ndarray, rounds: int = 12, **parameters: object) -> lightgbm.Booster:
    given = {"verbosity": -1, "num_threads": 1, "min_data_in_leaf": 3, "min_data_per_group": 5, "seed": 1, **parameters}
    labels = target(matrix)
    if parameters.get("objective") in {"binary", "multiclass"}:
        labels = np.digitize(labels, np.quantile(labels, [0.5] if given["objective"] == "binary" else [0.3, 0.7]))
    return lightgbm.train(
        given, lightgbm.Dataset(matrix, labels, categorical_feature=[matrix.shape[1] - 1], params=given), rounds
    )


def assert_equal_to_lightgbm(booster: lightgbm.Booster, matrix: np.ndarray) -> None:
    ours, theirs = TreeShap.of(booster).contributions(matrix), booster.predict(matrix, pred_contrib=True)
    np.testing.assert_allclose(ours, theirs, rtol=0, atol=1e-9 * max(1.0, np.abs(theirs).max()))


MODELS = {
    "few leaves": {"num_leaves": 3},
    "deep, a feature often on a path": {"num_leaves": 60, "max_depth": -1, "learning_rate": 0.5},
    "one split a tree": {"num_leaves": 2},
    "zero is missing": {"zero_as_missing": True},
    "nothing is missing": {"use_missing": False},
    "categories one by one": {"max_cat_to_onehot": 64},
    "two classes": {"objective": "binary"},
    "three classes": {"objective": "multiclass", "num_class": 3},
    "dropped trees": {"boosting": "dart"},
    "a random forest": {"boosting": "rf", "bagging_fraction": 0.7, "bagging_freq": 1},
    "no tree beyond its root": {"min_data_in_leaf": ROWS},
    "median": {"objective": "l1"},
}


@pytest.mark.parametrize("parameters", MODELS.values(), ids=MODELS)
def test_they_equal_those_of_lightgbm(parameters):
    learned = rows(1, 5, 0.2)
    booster = boosted(learned, **parameters)
    assert_equal_to_lightgbm(booster, np.vstack([learned, rows(2, 5, 0.5)]))
    assert_equal_to_lightgbm(booster, probe(Forest.read(booster.model_to_string()), 200))
    assert verified(booster) is not None


@settings(deadline=None, max_examples=150)
@given(
    seed=st.integers(0, 10**6),
    features=st.integers(2, 8),
    leaves=st.integers(2, 24),
    missing=st.sampled_from([0.0, 0.1, 0.6]),
    parameters=st.sampled_from([{}, {"zero_as_missing": True}, {"use_missing": False}, {"max_cat_to_onehot": 64}]),
)
def test_they_equal_those_of_lightgbm_for_any_model(seed, features, leaves, missing, parameters):
    booster = boosted(rows(seed, features, missing), 6, num_leaves=leaves, **parameters)
    assert_equal_to_lightgbm(booster, rows(seed + 1, features, 0.3, 50))
    assert_equal_to_lightgbm(booster, probe(Forest.read(booster.model_to_string()), 50, seed))


ODD = {
    "missing": NOTHING,
    "never seen": 1000.0,
    "negative": -1.0,
    "just above -1": -0.5,
    "a fraction": 3.7,
    "too large for an integer": BEYOND,
    "infinite": np.inf,
    "minus infinity": -np.inf,
    "almost zero": 1e-36,
    "almost zero from below": -1e-36,
}


@pytest.mark.parametrize("value", ODD.values(), ids=ODD)
@pytest.mark.parametrize("parameters", [{}, {"zero_as_missing": True}, {"use_missing": False}])
def test_odd_values_in_numbers_and_categories_go_where_lightgbm_sends_them(value, parameters):
    learned = rows(3, 4, 0.2)
    booster = boosted(learned, num_leaves=20, **parameters)
    for place in range(4):
        asked = learned[:20].copy()
        asked[:, place] = value
        assert_equal_to_lightgbm(booster, asked)


def test_thresholds_are_compared_as_doubles_also_where_rows_are_single_precision():
    booster = boosted(rows(4, 3, 0.0), num_leaves=30)
    asked = probe(Forest.read(booster.model_to_string()), 300).astype(np.float32)
    theirs = booster.predict(asked, pred_contrib=True)
    np.testing.assert_allclose(contributions(booster, asked), theirs, rtol=0, atol=1e-9)


def shapley(value_of, features: int) -> list[float]:
    """By definition: what a feature adds, averaged over all orders in which features may become known."""

    def added(feature: int) -> float:
        others = [other for other in range(features) if other != feature]
        sets = itertools.chain.from_iterable(itertools.combinations(others, n) for n in range(features))
        weight = {n: factorial(n) * factorial(features - n - 1) / factorial(features) for n in range(features)}
        return sum(weight[len(known)] * (value_of({*known, feature}) - value_of({*known})) for known in sets)

    return [added(feature) for feature in range(features)]


def test_they_are_shapley_values_by_definition():
    """What is unknown follows the training rows: both children, weighed by their rows."""
    learned = rows(5, 4, 0.0)
    booster = boosted(learned, 1, num_leaves=12, min_data_per_group=ROWS)
    nodes = Forest.read(booster.model_to_string()).nodes
    row = learned[7]

    def score(known: set[int], place: int = 0) -> float:
        node = nodes[place]
        if node["left"] < 0:
            return float(node["value"])
        if int(node["feature"]) in known:
            return score(known, int(node["left"] if row[node["feature"]] <= node["threshold"] else node["right"]))
        share = nodes[node["left"]]["count"] / node["count"]
        return float(share * score(known, int(node["left"])) + (1 - share) * score(known, int(node["right"])))

    assert not (nodes["decision"] & 1).any(), "this test reads numerical splits only"
    assert contributions(booster, row[None])[0] == pytest.approx([*shapley(score, 4), score(set())], abs=1e-12)


class Text:
    """A model that is only its text."""

    def __init__(self, text: str) -> None:
        self.text = text

    def model_to_string(self) -> str:
        return self.text


TWO_LEAVES = """tree
num_tree_per_iteration=1
max_feature_idx=1

Tree=0
num_leaves=2
num_cat=0
split_feature=1
threshold=0.5
decision_type=2
left_child=-1
right_child=-2
leaf_value=-1 3
leaf_count=30 10
internal_count=40
is_linear=0


end of trees
"""


def test_a_tree_of_two_leaves_gives_each_side_its_distance_from_the_mean():
    """Leaves -1 (30 rows) and 3 (10 rows): their mean is 0, so contributions are the leaves themselves."""
    found = TreeShap.of(Text(TWO_LEAVES)).contributions(np.array([[9.0, 0.5], [9.0, 0.6]]))
    assert found == pytest.approx(np.array([[0.0, -1.0, 0.0], [0.0, 3.0, 0.0]]))


def test_they_add_up_to_the_raw_score():
    learned = rows(6, 6, 0.2)
    booster = boosted(learned, 50)
    assert contributions(booster, learned).sum(axis=1) == pytest.approx(booster.predict(learned), abs=1e-9)


def test_a_batch_is_answered_as_its_rows_are_one_by_one_bit_for_bit():
    learned = rows(7, 6, 0.2)
    booster = boosted(learned, 30)
    single = np.vstack([contributions(booster, learned[place : place + 1]) for place in range(101)])
    assert np.array_equal(contributions(booster, learned[:101]), single)


def test_a_model_stops_at_its_best_iteration():
    learned = rows(8, 4, 0.1)
    booster = boosted(learned, 20)
    booster.best_iteration = 5
    assert contributions(booster, learned) == pytest.approx(booster.predict(learned, pred_contrib=True), abs=1e-9)


@pytest.mark.parametrize("order", ["C", "F"])
def test_rows_may_be_read_only_and_in_any_order_in_memory_and_are_not_compiled_for_again(order):
    from training.shap.quadrature import add_contributions

    learned = rows(10, 4, 0.1)
    booster = boosted(learned)
    contributions(booster, learned)
    asked = np.array(learned, order=order)
    asked.flags.writeable = False
    contributions(booster, asked)
    assert len(add_contributions.signatures) == 1


def test_linear_trees_are_refused_as_lightgbm_does(caplog):
    learned = rows(11, 4, 0.0)
    booster = boosted(learned, linear_tree=True)
    with pytest.raises(lightgbm.basic.LightGBMError, match="not implemented for linear trees"):
        contributions(booster, learned)
    assert "linear trees, allowed: constant leaves" in caplog.text


def test_a_model_that_is_not_covered_is_explained_by_lightgbm_itself(caplog):
    learned = rows(11, 4, 0.0)
    # as long as before: LightGBM finds the next tree by the length of this one
    text = re.sub(r"(?<=leaf_count=)\d+", lambda found: "0" * len(found[0]), boosted(learned).model_to_string())
    booster = lightgbm.Booster(model_str=text)
    found = contributions(booster, learned)
    assert np.array_equal(found, booster.predict(learned, pred_contrib=True), equal_nan=True)
    assert "no training row, allowed: 1 or more" in caplog.text


def test_a_model_whose_values_would_differ_is_explained_by_lightgbm_itself(caplog, monkeypatch):
    learned = rows(12, 4, 0.0)
    booster = boosted(learned)
    monkeypatch.setattr(Forest, "expected", lambda forest: np.ones(forest.classes))
    found = contributions(booster, learned)
    assert np.array_equal(found, booster.predict(learned, pred_contrib=True))
    assert "ours differ by" in caplog.text


def test_rows_of_another_width_are_refused_as_lightgbm_does():
    learned = rows(13, 4, 0.0)
    with pytest.raises(lightgbm.basic.LightGBMError, match="number of features"):
        contributions(boosted(learned), learned[:, :3])


DAMAGE = {
    "a number is missing": ("leaf_count=30 10", "leaf_count=30"),
    "no rows in a leaf": ("leaf_count=30 10", "leaf_count=40 0"),
    "a child that is its parent": ("left_child=-1", "left_child=0"),
    "a word for a number": ("threshold=0.5", "threshold=half"),
    "a line is missing": ("internal_count=40\n", ""),
    "no tree": ("\nTree=0\n", "\nOther=0\n"),
}
"""What it does to the text of a sound model: replaced, by what."""


@pytest.mark.parametrize(("before", "after"), DAMAGE.values(), ids=DAMAGE)
def test_a_text_of_another_form_is_refused(before, after):
    assert before in TWO_LEAVES
    Forest.read(TWO_LEAVES)
    with pytest.raises(DataError, match="LightGBM text"):
        Forest.read(TWO_LEAVES.replace(before, after))


def test_a_booster_is_read_once():
    model = Text(TWO_LEAVES)
    assert Forest.of(model) is Forest.of(model)


def test_a_probe_falls_on_thresholds_beside_them_on_zero_on_nothing_and_into_unknown_categories():
    """Of two features, no split reads the first, and one reads the second at 0.5. Of categories, 0 to 29 are known."""
    asked = probe(Forest.read(TWO_LEAVES), 200)
    assert set(asked[:, 0][~np.isnan(asked[:, 0])]) == {0.0}
    assert set(asked[:, 1][~np.isnan(asked[:, 1])]) == {0.0, 0.5, np.nextafter(0.5, 1.0)}
    assert np.isnan(asked).any(axis=0).all()
    categories = set(probe(Forest.read(boosted(rows(14, 4, 0.1)).model_to_string()), 500)[:, -1])
    assert {-1.0, 0.0, 29.0, 31.0, 32.0} <= categories
