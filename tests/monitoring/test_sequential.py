"""A test that may be looked at after every unit: how often it errs, how soon it finds, what its interval holds."""

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from feature_repo.errors import DataError
from monitoring.sequential import Evidence, e_values, evidence, imbalance, scored

ALPHA = 0.05
RUNS, UNITS = 1_000, 5_000
Draw = Callable[[np.random.Generator, tuple[int, ...]], NDArray[np.float64]]

RATINGS, SKEWED = [0, 0.25, 0.5, 0.75, 1], [0.04, 0.04, 0.07, 0.25, 0.6]
REWARDS: dict[str, Draw] = {
    "seldom accepted": lambda random, shape: (random.random(shape) < 0.1).astype(float),
    "accepted half the time": lambda random, shape: (random.random(shape) < 0.5).astype(float),
    "skewed ratings": lambda random, shape: random.choice(RATINGS, shape, p=SKEWED),
}  # fmt: skip


@pytest.mark.parametrize("share", [0.5, 0.1])
@pytest.mark.parametrize("rewards", REWARDS)
def test_of_a_thousand_equal_pairs_watched_after_every_unit_at_most_five_in_a_hundred_are_told_apart(
    rewards: str, share: float
) -> None:
    random = np.random.default_rng(2024)
    draws, treated = REWARDS[rewards](random, (RUNS, UNITS)), random.random((RUNS, UNITS)) < share
    alarms = (e_values(draws, treated, share) >= 1 / ALPHA).any(axis=1)
    assert alarms.mean() <= ALPHA


def trial(lift: float, units: int, seed: int = 1, share: float = 0.5) -> Evidence:
    random = np.random.default_rng(seed)
    treated = random.random(units) < share
    return evidence((random.random(units) < 0.5 + lift * treated).astype(float), treated, share, ALPHA)


@pytest.mark.parametrize(("lift", "units"), [(0.05, 10_000), (0.10, 2_500), (-0.10, 2_500)])
def test_a_lift_is_found_in_nine_of_ten_runs_with_less_than_two_and_a_half_times_a_fixed_sample(
    lift: float, units: int
) -> None:
    """A z-test of one look, its size chosen for this lift and a power of 90%, takes 4,180 and 1,030 units."""
    found = [trial(lift, units, seed) for seed in range(30)]
    assert sum(each.is_higher is (lift > 0) for each in found) >= 27
    assert not any(each.is_higher is (lift < 0) for each in found)


def test_the_interval_excludes_zero_exactly_when_the_arms_are_told_apart() -> None:
    for seed in range(40):
        found = trial(0.08, 1_500, seed)
        assert (found.is_higher is True) == (found.low > 0)
        assert (found.e_value >= 1 / ALPHA) == (found.decided is not None)


def test_the_interval_holds_the_true_difference_at_every_look_in_at_least_95_of_100_runs() -> None:
    """The running interval at the end is the narrowest: what it holds was held at every look before."""
    held = [(found := trial(0.2, 800, seed, share=0.3)).low <= 0.2 <= found.high for seed in range(100)]
    assert sum(held) >= 95


def test_the_interval_narrows_with_units_and_holds_everything_before_the_first() -> None:
    widths = [found.high - found.low for found in (trial(0.0, units) for units in (0, 100, 1_000, 10_000))]
    assert widths[0] == pytest.approx(2, abs=1e-4)
    assert widths[1] > widths[2] > widths[3]
    assert widths[3] < 0.1
    assert trial(0.0, 0) == Evidence(None, pytest.approx(-1, abs=1e-4), pytest.approx(1, abs=1e-4), 1.0, None, None)


def test_the_scores_of_two_units_by_hand() -> None:
    """The first guess is 0.5: 1 - 0.5 in a half gives 1. The next is (0.5 + 1) / 2 = 0.75: -(0 - 0.75) / 0.5 = 1.5."""
    scores, floor, ceiling = scored(np.array([1.0, 0.0]), np.array([True, False]), 0.5)
    assert scores.tolist() == [1.0, 1.5]
    assert floor.tolist() == [1.0, 1.5]
    assert ceiling.tolist() == [1.0, 1.5]


def test_a_guess_knows_nothing_of_the_unit_that_it_is_for() -> None:
    treated = np.zeros(50, dtype=bool)
    rewards = np.linspace(0, 1, 50)
    changed = np.where(np.arange(50) < 30, rewards, 1 - rewards)
    for one, other in zip(scored(rewards, treated, 0.5)[1:], scored(changed, treated, 0.5)[1:], strict=True):
        assert np.array_equal(one[:31], other[:31])


def test_scores_never_leave_the_bounds_that_were_known_before() -> None:
    random = np.random.default_rng(3)
    for share in (0.01, 0.3, 0.99):
        scores, floor, ceiling = scored(random.random(2_000), random.random(2_000) < share, share)
        assert (scores >= -floor).all()
        assert (scores <= ceiling).all()
        assert (np.minimum(floor, ceiling) >= 1).all()


def test_what_is_told_apart_stays_so_and_names_the_unit_that_did_it() -> None:
    rewards, treated = np.tile([1.0, 0.0], 100), np.tile([True, False], 100)
    whole = evidence(rewards, treated, 0.5, ALPHA)
    assert whole.decided is not None
    assert whole.is_higher
    assert evidence(rewards[: whole.decided + 1], treated[: whole.decided + 1], 0.5, ALPHA).decided == whole.decided
    assert evidence(rewards[: whole.decided], treated[: whole.decided], 0.5, ALPHA).decided is None


def test_a_difference_that_turned_round_shows_as_an_interval_that_holds_nothing() -> None:
    treated = np.tile([True, False], 3_000)
    rewards = np.where(np.arange(6_000) < 3_000, treated, ~treated).astype(float)
    found = evidence(rewards, treated, 0.5, ALPHA)
    assert found.low > found.high


@pytest.mark.parametrize(
    ("treated", "others", "share", "is_told"),
    [(500, 500, 0.5, False), (0, 0, 0.5, False), (620, 380, 0.5, True), (100, 900, 0.1, False), (500, 500, 0.1, True)],
)
def test_arms_of_other_sizes_than_were_drawn_are_told(treated: int, others: int, share: float, is_told: bool) -> None:
    assert (imbalance(treated, others, share) >= 100) is is_told


@pytest.mark.parametrize(
    ("reward", "share", "alpha", "named"),
    [(1.5, 0.5, 0.05, "reward: 1.5"), (np.nan, 0.5, 0.05, "reward: nan"), (1.0, 0.0, 0.05, "share: 0.0"),
     (1.0, 0.5, 1.0, "alpha: 1.0")],
)  # fmt: skip
def test_what_is_no_reward_and_no_chance_is_named(reward: float, share: float, alpha: float, named: str) -> None:
    with pytest.raises(DataError, match=named):
        evidence(np.array([reward]), np.array([True]), share, alpha)
