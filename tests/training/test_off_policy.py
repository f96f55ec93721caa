"""What a policy would have been worth, from lists that a logging policy with known propensities drew."""

import numpy as np
import polars as pl
import pytest

from training.off_policy import SHARPNESS, dr_value, ips_value, policy

LISTS, ITEMS, PLACES, TRIALS = 4000, 6, 3, 30
WORTH = np.array([0.1, 0.2, 0.3, 0.5, 0.7, 0.9])  # of each item, the same for everybody
SCORE = np.array([6.0, 1.0, 4.0, 2.0, 5.0, 3.0])  # of the policy that is judged


def test_a_policy_prefers_the_better_scored_by_a_fixed_ratio():
    [chances] = policy(np.array([[0.1, 9.0, 0.2, 5.0]]), np.array([[True, True, True, False]]))
    weights = np.exp(-SHARPNESS * np.array([2, 0, 1]))
    assert chances == pytest.approx([*weights / weights.sum(), 0])


def logged(seed: int, lists: int = LISTS) -> tuple[pl.DataFrame, float]:
    """Lists filled place by place, and what the judged policy is worth for a place on average, known exactly."""
    random = np.random.default_rng(seed)
    remaining = np.ones((lists, ITEMS), dtype=bool)
    position, propensity = np.full((2, lists, ITEMS), np.nan)
    reward, rows, value = np.full((lists, ITEMS), np.nan), np.arange(lists), 0.0
    for place in range(1, PLACES + 1):
        value += (policy(np.tile(SCORE, (lists, 1)), remaining) @ WORTH).mean() / PLACES
        weight = np.exp(-0.4 * np.arange(ITEMS)) * remaining
        chance = weight / weight.sum(axis=1, keepdims=True)
        drawn = (chance.cumsum(axis=1) < random.random((lists, 1))).sum(axis=1)
        position[rows, drawn], propensity[rows, drawn] = place, chance[rows, drawn]
        reward[rows, drawn] = random.random(lists) < WORTH[drawn]
        remaining[rows, drawn] = False
    names = {"group": np.repeat([f"g{n:05}" for n in range(lists)], ITEMS), "item": np.tile([*"abcdef"], lists)}
    facts = {"position": position, "propensity": propensity, "reward": reward}
    frame = pl.DataFrame(names | {name: each.ravel() for name, each in facts.items()}).fill_nan(None)
    return frame.with_columns(score=pl.Series(np.tile(SCORE, lists))), value


@pytest.mark.parametrize("metric", [ips_value(), dr_value()], ids=["ips", "dr"])
def test_the_estimate_is_unbiased(metric):
    errors, deviations = [], []
    for seed in range(TRIALS):
        frame, value = logged(seed, 500)
        found = metric.values(frame)
        errors.append(found.mean() - value)
        deviations.append(found.std() / np.sqrt(len(found)))
    assert abs(np.mean(errors)) < 3 * np.mean(deviations) / np.sqrt(TRIALS)


def test_the_doubly_robust_estimate_is_steadier():
    frame, _ = logged(1)
    assert dr_value().values(frame).var() < 0.7 * ips_value().values(frame).var()


def test_a_better_policy_is_worth_more():
    frame, _ = logged(1)
    better = frame.with_columns(score=pl.Series(np.tile(WORTH, LISTS)))
    worse = frame.with_columns(score=pl.Series(np.tile(-WORTH, LISTS)))
    for metric in (ips_value(), dr_value()):
        assert metric.values(worse).mean() < metric.values(frame).mean() < metric.values(better).mean()


def test_one_list_by_hand():
    """Two items, one place: the judged policy shows the one that was shown with 1 / (1 + exp(-0.5))."""
    rows = [("g", "a", 1.0, 1, 0.25, 0.5), ("g", "b", 0.0, None, None, None)]
    frame = pl.DataFrame(rows, schema=["group", "item", "score", "position", "propensity", "reward"], orient="row")
    assert ips_value().values(frame) == pytest.approx([0.5 / (1 + np.exp(-SHARPNESS)) / 0.25])


def test_only_the_ranking_counts_not_the_scale_of_the_scores():
    frame, _ = logged(1, 200)
    scaled = frame.with_columns(score=pl.col("score") * 1000 - 7)
    assert dr_value().values(scaled).tolist() == dr_value().values(frame).tolist()


def test_lists_come_in_the_order_of_their_names_whatever_the_order_of_the_rows():
    frame, _ = logged(1, 200)
    shuffled = frame.sample(fraction=1.0, shuffle=True, seed=1)
    assert dr_value().values(shuffled) == pytest.approx(dr_value().values(frame))


def test_a_list_of_which_nothing_was_shown_has_no_value():
    frame, _ = logged(1, 3)
    blank = pl.when(pl.col("group") != "g00001")
    cut = frame.with_columns(blank.then(name).alias(name) for name in ("position", "propensity", "reward"))
    assert np.isnan(dr_value().values(cut)).tolist() == [False, True, False]
