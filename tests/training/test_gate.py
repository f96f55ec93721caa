"""The gate's rules, each with numbers that can be checked by hand."""

from dataclasses import replace
from itertools import product
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from feature_repo.errors import DataError
from training.gate import Evidence, Part, decide, lower_bound
from training.product import Gate

UNITS = 200
GATE = Gate("ndcg", beats="popular", improvement=0.02, confidence=0.95, minimum_units=50)
NOISE = np.tile([-0.05, 0.05], UNITS // 2)


def flat(value: float, units: int = UNITS) -> Any:
    """The same value for every unit: a paired difference without noise."""
    return np.full(units, value)


def case(candidate: Any, champion: Any = None, baseline: Any = 0.10, higher: bool = True, **more: Any) -> Evidence:
    """Evidence from numbers, which stand for flat values, or arrays."""
    arrays = [flat(each) if isinstance(each, float) else each for each in (candidate, champion, baseline)]
    return Evidence("ndcg", higher, more.pop("gate", GATE), *arrays, **more)


# candidate, champion, baseline -> promoted
HIGHER_IS_BETTER = [
    (0.30, None, 0.20, True),  # the first model beats the naive baseline
    (0.20, None, 0.20, False),  # the first model ties it
    (0.19, None, 0.20, False),  # the first model is worse
    (0.51, 0.50, 0.20, True),  # exactly 2% better
    (0.509, 0.50, 0.20, False),  # 1.8% better
    (0.50, 0.50, 0.20, False),  # a tie
    (0.49, 0.50, 0.20, False),  # worse
    (0.19, 0.10, 0.20, False),  # far better than a champion that has fallen below the baseline, and below it too
    (0.21, 0.10, 0.20, True),
    (0.10, 0.0, 0.05, True),  # a champion without a single hit
]


@pytest.mark.parametrize(("candidate", "champion", "baseline", "promoted"), HIGHER_IS_BETTER)
def test_more_is_better_where_the_metric_says_so(
    candidate: float, champion: float | None, baseline: float, promoted: bool
) -> None:
    assert decide(case(candidate, champion, baseline)).promote is promoted


@pytest.mark.parametrize(("candidate", "champion", "baseline", "promoted"), HIGHER_IS_BETTER)
def test_the_negated_metric_where_less_is_better_gives_the_same_verdicts(
    candidate: float, champion: float | None, baseline: float, promoted: bool
) -> None:
    negative = None if champion is None else -champion
    assert decide(case(-candidate, negative, -baseline, higher=False)).promote is promoted


# errors: candidate, champion, baseline -> promoted
LOWER_IS_BETTER = [
    (0.40, None, 0.50, True),
    (0.60, None, 0.50, False),
    (0.49, 0.50, 0.90, True),  # exactly 2% less
    (0.495, 0.50, 0.90, False),
    (0.60, 0.50, 0.90, False),
    (0.40, 0.50, 0.30, False),  # better than the champion, but a rule would do better still
]


@pytest.mark.parametrize(("candidate", "champion", "baseline", "promoted"), LOWER_IS_BETTER)
def test_less_is_better_for_errors(candidate: float, champion: float | None, baseline: float, promoted: bool) -> None:
    assert decide(case(candidate, champion, baseline, higher=False)).promote is promoted


def test_a_difference_that_may_be_chance_is_no_improvement() -> None:
    """10% better on average, but 55 units gain 1 and 45 lose 1: the bound of the mean, .10, is about -.06."""
    champion = flat(1.0, 100)
    candidate = champion + np.repeat([1.0, -1.0], [55, 45])
    verdict = decide(case(candidate, champion, flat(0.1, 100)))
    assert not verdict.promote
    assert verdict.numbers["relative_gain"] == pytest.approx(0.10)
    assert -0.12 < verdict.numbers["gain_lower_bound"] < 0
    assert "may be chance" in verdict.reason


def test_a_coin_flip_against_the_baseline_promotes_no_first_model() -> None:
    baseline = flat(1.0, 100)
    candidate = baseline + np.repeat([1.0, -1.0], [52, 48])
    verdict = decide(case(candidate, None, baseline))
    assert not verdict.promote
    assert "may be chance" in verdict.reason


def test_pairing_finds_a_small_gain_in_noisy_units() -> None:
    """Units differ by 10 times the gain, but each one gains: unpaired bounds would overlap."""
    champion = np.tile([0.1, 0.9], UNITS // 2)
    assert decide(case(champion + 0.02, champion, 0.05)).promote


def test_the_bound_of_a_normal_sample_is_the_textbooks() -> None:
    """mean - 1.645 s / sqrt(n), within the bootstrap's own error."""
    sample = np.random.default_rng(7).normal(0.3, 1.0, 400)
    expected = sample.mean() - 1.645 * sample.std() / 20
    assert lower_bound(sample, None, 0.95, 42, 4000) == pytest.approx(expected, abs=0.01)


def test_units_of_one_group_are_drawn_together() -> None:
    """Ten copies of each unit are no more evidence than one, when they say so."""
    sample = np.random.default_rng(7).normal(0.1, 1.0, 100)
    alone = lower_bound(sample, None, 0.95, 42, 4000)
    copied = lower_bound(np.repeat(sample, 10), np.repeat(np.arange(100), 10), 0.95, 42, 4000)
    pretended = lower_bound(np.repeat(sample, 10), None, 0.95, 42, 4000)
    assert copied == pytest.approx(alone, abs=1e-9)
    assert pretended > alone + 0.08


def test_large_samples_are_drawn_in_parts_and_stay_quick() -> None:
    sample = np.random.default_rng(7).normal(0.1, 1.0, 50_000)
    assert lower_bound(sample, None, 0.95, 42, 200) == pytest.approx(0.1 - 1.645 / 223.6, abs=0.008)


@pytest.mark.parametrize(("units", "promoted"), [(49, False), (50, True)])
def test_a_sample_below_the_minimum_is_refused(units: int, promoted: bool) -> None:
    verdict = decide(case(flat(0.5, units), flat(0.3, units), flat(0.1, units)))
    assert verdict.promote is promoted
    assert promoted or "49 units are too few" in verdict.reason


def test_groups_count_for_the_minimum_not_their_rows() -> None:
    clusters = np.arange(UNITS) // 10
    verdict = decide(case(0.5, 0.3, clusters=clusters))
    assert not verdict.promote
    assert "20 units are too few" in verdict.reason


@pytest.mark.parametrize(
    ("role", "value"), list(product(["candidate", "champion", "baseline"], [np.nan, np.inf, -np.inf]))
)
def test_a_missing_value_is_a_refusal(role: str, value: float) -> None:
    arrays = {"candidate": flat(0.5), "champion": flat(0.3), "baseline": flat(0.1)}
    arrays[role][7] = value
    verdict = decide(case(**arrays))
    assert not verdict.promote
    assert f"of the {role} is missing for 1 of 200 units" in verdict.reason


def test_a_candidate_without_any_value_is_refused() -> None:
    assert not decide(case(flat(np.nan), None, 0.1)).promote
    assert not decide(case(flat(np.nan), 0.3, 0.1)).promote


def test_a_unit_that_nobody_can_be_judged_by_is_left_out() -> None:
    arrays = [flat(value) for value in (0.5, 0.3, 0.1)]
    for values in arrays:
        values[:100] = np.nan
    verdict = decide(case(*arrays))
    assert verdict.promote
    assert verdict.numbers["units"] == 100


def test_nothing_to_judge_by_is_a_refusal() -> None:
    empty = np.empty(0)
    assert not decide(case(empty, empty, empty)).promote
    assert not decide(case(flat(np.nan), flat(np.nan), flat(np.nan))).promote


def test_units_that_are_not_the_same_are_an_error() -> None:
    with pytest.raises(DataError, match="the same units"):
        decide(case(flat(0.5, 100), flat(0.3, 99), flat(0.1, 100)))
    with pytest.raises(DataError, match="slice new"):
        decide(case(0.5, 0.3, slices={"new": Part(-0.1, flat(1.0, 3), flat(1.0, 2))}))


# floor, candidate and champion on the slice -> promoted
SLICES = [
    (-0.10, 0.40, 0.40, True),
    (-0.10, 0.36, 0.40, True),  # 10% worse: at the floor
    (-0.10, 0.35, 0.40, False),  # 12.5% worse
    (0.0, 0.39, 0.40, False),
    (-0.10, 0.0, 0.40, False),
]


@pytest.mark.parametrize(("floor", "candidate", "champion", "promoted"), SLICES)
def test_no_slice_may_fall_below_its_floor(floor: float, candidate: float, champion: float, promoted: bool) -> None:
    part = Part(floor, flat(candidate, 60), flat(champion, 60))
    verdict = decide(case(0.60, 0.50, slices={"new people": part}))
    assert verdict.promote is promoted
    assert promoted or "slice new people" in verdict.reason


def test_a_slice_gets_worse_by_a_higher_error() -> None:
    part = Part(-0.10, flat(0.6, 60), flat(0.5, 60))
    assert not decide(case(0.4, 0.5, 0.9, higher=False, slices={"new": part})).promote


def test_a_slice_without_units_decides_nothing_and_one_without_a_value_refuses() -> None:
    empty, missing = Part(-0.1, np.empty(0), np.empty(0)), Part(-0.1, flat(np.nan, 9), flat(0.4, 9))
    assert decide(case(0.60, 0.50, slices={"new": empty})).promote
    assert not decide(case(0.60, 0.50, slices={"new": missing})).promote


def test_the_first_model_has_no_champion_to_fall_behind_on_a_slice() -> None:
    assert decide(case(0.60, None, slices={"new": Part(-0.1, flat(0.1, 9), None)})).promote


def test_the_reason_names_the_numbers() -> None:
    assert decide(case(0.60, 0.50)).reason == (
        "promoted: ndcg 0.6 against 0.5 of the champion, 20.0% better, "
        "lower 95% bound of the difference 0.1 over 200 units"
    )
    part = Part(-0.1, flat(0.1), flat(0.2))
    assert decide(case(0.40, 0.50, slices={"new": part})).reason == (
        "refused: ndcg 0.4 against 0.5 of the champion is worse by 20.0%; slice new changes by -50.0%, allowed -10%"
    )
    assert decide(case(0.50, 0.50)).reason == "refused: ndcg 0.5 against 0.5 of the champion is a tie"


def test_the_confidence_is_the_gates() -> None:
    """A gain of .05 with a standard error of .037: above 0 at 80% confidence, not at 99%."""
    champion = flat(1.0)
    candidate = champion + np.random.default_rng(3).permutation(np.repeat([0.57, -0.47], UNITS // 2))
    assert decide(case(candidate, champion, gate=replace(GATE, confidence=0.80))).promote
    assert not decide(case(candidate, champion, gate=replace(GATE, confidence=0.99))).promote


def test_the_same_evidence_gives_the_same_verdict_and_the_seed_is_part_of_it() -> None:
    champion = np.random.default_rng(1).random(UNITS)
    candidate = champion + np.random.default_rng(2).normal(0.03, 0.2, UNITS)
    first, again = decide(case(candidate, champion)), decide(case(candidate, champion))
    other = decide(case(candidate, champion, seed=43))
    assert first.numbers == again.numbers
    assert first.reason == again.reason
    assert first.numbers["gain_lower_bound"] != other.numbers["gain_lower_bound"]


values = st.lists(st.floats(0.0, 1.0, width=32), min_size=60, max_size=60).map(np.array)


@settings(max_examples=60, deadline=None)
@given(values, values, values)
def test_of_two_models_at_most_one_is_promoted_over_the_other(one: Any, other: Any, baseline: Any) -> None:
    assert not (decide(case(one, other, baseline)).promote and decide(case(other, one, baseline)).promote)


@settings(max_examples=60, deadline=None)
@given(values, values, st.booleans())
def test_no_model_is_promoted_over_itself(one: Any, baseline: Any, higher: bool) -> None:
    assert not decide(case(one, one.copy(), baseline, higher=higher)).promote


@settings(max_examples=60, deadline=None)
@given(values, values, values)
def test_whatever_is_promoted_is_better_by_what_the_gate_asks(one: Any, champion: Any, baseline: Any) -> None:
    if decide(case(one, champion, baseline)).promote:
        assert one.mean() - champion.mean() >= 0.02 * champion.mean() - 1e-9
        assert one.mean() > baseline.mean()
