"""What people say of themselves: skills, imperfectly, and what they would like to work with."""

from dataclasses import dataclass

import numpy as np

from feature_repo.seed.catalogue import COMMON_SKILLS, CORE, SKILLS
from feature_repo.seed.market import Flags, Market
from feature_repo.seed.people import Floats, Ints

UNDECLARED = 0.12
OVERSTATED, UNDERSTATED = 0.12, 0.08  # by a level
NO_YEARS = 0.10
UNTOLD = (0.03, 0.10, 0.05)  # who do not say where they live, what they want to earn, which degree they have
LEARNT = 0.4  # years in use of each level above the first, by those whose years of work allow it
FEWEST_WISHES, MOST_WISHES = 2, 6
ENOUGH = 3.5  # the level above which one no longer wishes for a skill


@dataclass(frozen=True)
class Declared:
    """levels, years: shape (talents, skills); level 0 where a skill is not declared, years NaN where they are not.

    appeal: shape (talents, skills), standard units: how much a skill attracts a person; seen by nobody.
    wishes: shape (wishes, 2), pairs of a talent and a skill. tells_place, tells_pay, tells_degree: over talents.
    """

    levels: Floats
    years: Floats
    appeal: Floats
    wishes: Ints
    tells_place: Flags
    tells_pay: Flags
    tells_degree: Flags


def declared(places: Market, rng: np.random.Generator) -> Declared:
    """The declarations of all talents."""
    truth = places.levels
    said = np.where(rng.random(truth.shape) < UNDECLARED, 0.0, truth)
    chance = rng.random(truth.shape)
    step = np.where(chance < OVERSTATED, 1.0, np.where(chance < OVERSTATED + UNDERSTATED, -1.0, 0.0))
    levels = np.where(said > 0, np.clip(said + step, 1, 5), 0.0)
    used = LEARNT * 2 ** (truth - 1) * rng.lognormal(0, 0.3, truth.shape)
    years = np.asarray(np.round(np.minimum(places.talents.years[:, None], used), 1), dtype=np.float64)
    years[rng.random(truth.shape) < NO_YEARS] = np.nan
    appeal = _appeal(places, rng)
    wishes = _wishes(appeal, truth, rng)
    tells = rng.random((len(UNTOLD), len(truth))) >= np.array(UNTOLD)[:, None]
    return Declared(levels, years, appeal, wishes, *tells)


def _appeal(places: Market, rng: np.random.Generator) -> Floats:
    """Own work attracts most, then what all share; the rest is taste."""
    appeal = rng.normal(0, 1, places.levels.shape)
    core = places.talents.department[:, None] * CORE + np.arange(CORE)
    appeal[:, len(SKILLS) - len(COMMON_SKILLS) :] += 0.5
    np.put_along_axis(appeal, core, np.take_along_axis(appeal, core, axis=1) + 1.5, axis=1)
    return appeal


def _wishes(appeal: Floats, truth: Floats, rng: np.random.Generator) -> Ints:
    """The most attractive skills that a person does not master yet."""
    order = np.argsort(-np.where(truth < ENOUGH, appeal, -np.inf), axis=1)[:, :MOST_WISHES]
    count = rng.integers(FEWEST_WISHES, MOST_WISHES + 1, len(appeal))
    talent, rank = np.nonzero(np.arange(MOST_WISHES) < count[:, None])
    return np.stack([talent, order[talent, rank]], axis=1)
