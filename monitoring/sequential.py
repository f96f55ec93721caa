"""Whether two arms differ in mean reward, tested anew with every unit: looking at it often costs nothing.

Under a random split the centred inverse-propensity score of a unit,
Z = (y - m) (a / p - (1 - a) / (1 - p)), has the mean difference of the arms as its expectation, whatever m was guessed
from the units before. A gambler who starts with 1, stakes a share of the wealth on Z > d and is right that the
difference exceeds d grows rich; if it does not, the wealth is a supermartingale and reaches 2 / alpha with chance
alpha / 2 at most, ever (Ville). One gambler for each direction: alpha in all. The differences d at which neither got
rich are the confidence sequence.

Valid for one observation per unit. A unit keeps its arm, so that its second outcome depends on its first; count the
first one only. It needs rewards within [0, 1] that stay as they are, and arms drawn with the stated chance, among the
units that answer also: see `imbalance`. What people say they may change, and it counts as said then. With a look after
every 25 of 1,000 units, alpha 5%: 2.1% of 1,000 runs without a difference were false alarms where nobody changed a
word, 2.9% and 4.0% where one in ten and three in ten did, to one drawn anew, but 10.9% where all did.

A look after every unit, 1,000 runs of 5,000 units without a difference: 0.8% to 2.6% false alarms at alpha 5%, over
Bernoulli .1 and .5 and skewed ratings, shares .5 and .1 (tests/monitoring/test_sequential.py).

Units until a lift on Bernoulli .5 is found, 300 runs, beside a z-test of one look, whose size is chosen with the lift
known:

| lift, share | mean | median | 80% of runs | z-test of 80% power |
|---|---|---|---|---|
| .05, .5 | 4,030 | 3,810 | 6,130 | 3,120 |
| .10, .5 |   990 |   910 | 1,470 |   770 |
| .05, .1 | 10,940 | 10,830 | 15,940 | 8,640 |
| .10, .1 |  2,810 |  2,640 |  4,160 | 2,100 |

Sources: Waudby-Smith & Ramdas 2024, "Estimating means of bounded random variables by betting", JRSS B 86 (the hedged
capital process; fixed bets mixed, section B); Howard, Ramdas, McAuliffe, Sekhon 2021, "Time-uniform, nonparametric,
nonasymptotic confidence sequences", Annals of Statistics 49 (section 4.2, average treatment effects); Lindon & Malek
2022, "Anytime-valid inference for multinomial count data", NeurIPS (the arms' sizes).
"""

from dataclasses import dataclass
from math import exp, lgamma, log

import numpy as np
from numpy.typing import NDArray

from feature_repo.errors import DataError

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]

STAKES = tuple(0.005 * 2**power for power in range(8))
"""Shares of the wealth, .005 to .64, each tried with an eighth of it: small ones suit small differences.

A stake within sqrt(2) of the best one grows at 83% or more of its rate.
"""
HALVINGS = 18
MOST = 700.0


@dataclass(frozen=True)
class Evidence:
    """What has been found by the last unit.

    low, high: hold the true difference at all times, with chance 1 - alpha; low > high where it was not one number
    all along. e_value: the largest so far; at 1 / alpha the arms are told apart. decided: the place of the unit
    that did so, None before; is_higher: whether for the better.
    """

    difference: float | None
    low: float
    high: float
    e_value: float
    decided: int | None
    is_higher: bool | None


def evidence(rewards: Floats, treated: Mask, share: float, alpha: float) -> Evidence:
    """The difference of mean rewards, treated minus others.

    rewards in [0, 1], treated: shape (units,), in the order of time. share: the chance to be treated.
    Raises DataError for a reward outside, or a share or alpha that is none.
    """
    scores, floor, ceiling = scored(rewards, treated, share)
    _check_chance("alpha", alpha)
    up, down = _hedged(scores, floor, ceiling)
    found = np.maximum(up, down) / 2
    told = np.flatnonzero(found >= 1 / alpha)
    decided = int(told[0]) if told.size else None
    return Evidence(
        difference=_difference(rewards, treated),
        low=_lowest(scores, floor, alpha),
        high=-_lowest(-scores, ceiling, alpha),
        e_value=float(found.max(initial=1.0)),
        decided=decided,
        is_higher=None if decided is None else bool(up[decided] > down[decided]),
    )


def e_values(rewards: Floats, treated: Mask, share: float) -> Floats:
    """The evidence against equal means after each unit; shape (..., units), time along the last axis."""
    up, down = _hedged(*scored(rewards, treated, share))
    found: Floats = np.maximum(up, down) / 2
    return found


def _hedged(scores: Floats, floor: Floats, ceiling: Floats) -> tuple[Floats, Floats]:
    """The wealth after each unit of who holds that the treated do better, and of who holds that they do worse."""
    up, down = (np.exp(np.minimum(log, MOST)) for log in (_wealth(scores, floor), _wealth(-scores, ceiling)))
    return up, down


def scored(rewards: Floats, treated: Mask, share: float) -> tuple[Floats, Floats, Floats]:
    """The scores Z, and the bounds -floor <= Z <= ceiling that were known before each unit; shape (..., units)."""
    _check_chance("share", share)
    outside = ~((rewards >= 0) & (rewards <= 1))
    if outside.any():
        raise DataError(f"reward: {rewards[outside][0]}, allowed 0 to 1")
    before = np.cumsum(rewards, axis=-1) - rewards
    guess = (0.5 + before) / np.arange(1, rewards.shape[-1] + 1)
    scores = (rewards - guess) * np.where(treated, 1 / share, -1 / (1 - share))
    floor = np.maximum(guess / share, (1 - guess) / (1 - share))
    ceiling = np.maximum((1 - guess) / share, guess / (1 - share))
    return scores, floor, ceiling


def _wealth(scores: Floats, floor: Floats, difference: float = 0.0) -> Floats:
    """The log wealth after each unit of a gambler who holds that the mean exceeds a difference in (-1, 1).

    floor >= 1: whatever is guessed, one arm's bound is.
    """
    odds = (scores - difference) / (floor + difference)
    total = np.full(odds.shape, -np.inf)
    for stake in STAKES:
        np.logaddexp(total, np.cumsum(np.log1p(stake * odds), axis=-1), out=total)
    return total - log(len(STAKES))


def _lowest(scores: Floats, floor: Floats, alpha: float) -> float:
    """Every smaller difference was given up at some time: the wealth falls as the difference grows."""
    low, high = -1.0, 1.0
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        is_given_up = _wealth(scores, floor, middle).max(initial=0.0) >= log(2 / alpha)
        low, high = (middle, high) if is_given_up else (low, middle)
    return low


def _difference(rewards: Floats, treated: Mask) -> float | None:
    if treated.all() or not treated.any():
        return None
    return float(rewards[treated].mean() - rewards[~treated].mean())


def imbalance(treated: int, others: int, share: float) -> float:
    """The evidence, an e-value, that units came into the arms with another chance than share.

    Where it is large the split is broken, or one arm's people answer more often: the difference is then not to be
    trusted.
    """
    _check_chance("share", share)
    prior = (share, 1 - share)  # one unit's weight
    counts = (treated, others)
    marginal = sum(lgamma(p + n) - lgamma(p) for p, n in zip(prior, counts, strict=True)) - lgamma(1 + sum(counts))
    return exp(min(marginal - sum(n * log(p) for p, n in zip(prior, counts, strict=True)), MOST))


def _check_chance(name: str, chance: float) -> None:
    if not 0 < chance < 1:
        raise DataError(f"{name}: {chance}, allowed: above 0, below 1")
