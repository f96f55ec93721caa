"""The synthetic people: where they work, how senior and how able they are, and what they can do."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from feature_repo.seed.catalogue import (
    COMMON_SKILLS,
    CORE,
    DEPARTMENT_SHARES,
    DEPARTMENTS,
    SENIORITY_LEVELS,
    SENIORITY_SHARES,
    SENIORITY_YEARS,
    SKILLS,
)

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

NEWCOMERS = 0.10  # hired during the history
CAPACITIES = (40.0, 32.0, 20.0)  # hours a week
CAPACITY_SHARES = (0.8, 0.12, 0.08)
LOWEST_RAISER = SENIORITY_LEVELS.index("SENIOR")


@dataclass(frozen=True)
class People:
    """Arrays over people. levels: shape (people, skills), 0 where the skill is lacking, else 1 to 5.

    hired: days since the history began, 0 for those who were there before. ability: standard normal, seen by nobody.
    """

    department: Ints
    seniority: Ints
    years: Floats
    capacity: Floats
    ability: Floats
    hired: Ints
    levels: Floats

    def __len__(self) -> int:
        return len(self.department)


def people(count: int, days: int, rng: np.random.Generator) -> People:
    """That many people; days: the length of the history."""
    department = shuffled_shares(count, DEPARTMENT_SHARES, rng)
    seniority = shuffled_shares(count, SENIORITY_SHARES, rng)
    years = np.round(np.array(SENIORITY_YEARS)[seniority] * rng.lognormal(0, 0.25, count), 1)
    is_new = (rng.random(count) < NEWCOMERS) & (seniority < LOWEST_RAISER)
    return People(
        department=department,
        seniority=seniority,
        years=years,
        capacity=np.array(CAPACITIES)[shuffled_shares(count, CAPACITY_SHARES, rng)],
        ability=rng.normal(size=count),
        hired=np.where(is_new, rng.integers(1, max(days * 3 // 4, 2), count), 0),
        levels=skill_levels(department, seniority, rng),
    )


def shuffled_shares(count: int, shares: tuple[float, ...], rng: np.random.Generator) -> Ints:
    """Indices into shares, in those proportions up to rounding, in random order; drawing each would stray."""
    bounds = np.round(np.cumsum(shares) * count).astype(np.int64)
    indices = np.searchsorted(bounds, np.arange(count), side="right")
    return rng.permutation(np.minimum(indices, len(shares) - 1))


def skill_levels(department: Ints, seniority: Ints, rng: np.random.Generator) -> Floats:
    """Who knows what how well: most of the department's core, some common and some foreign skills.

    The senior know more of the core, and know it better. Shape (people, skills), 0 or 1 to 5.
    """
    count = len(department)
    chance = np.full((count, len(SKILLS)), 0.03)
    chance[:, -len(COMMON_SKILLS) :] = 0.25
    core = department[:, None] * CORE + np.arange(CORE)
    known = 0.55 + 0.07 * seniority[:, None] - 0.05 * (np.arange(CORE) - CORE / 2)
    np.put_along_axis(chance, core, np.clip(known, 0.05, 0.97), axis=1)
    has = rng.random(chance.shape) < chance
    has[np.arange(count), core[:, 0]] = True
    level = 1.6 + 0.5 * seniority[:, None] + rng.normal(0, 0.7, chance.shape)
    return np.where(has, np.round(np.clip(level, 1, 5) * 4) / 4, 0.0)


def raisers(everybody: People) -> list[Ints]:
    """By department, the people who may raise tasks: those senior enough, or anybody where there are none."""
    found = []
    for number in range(len(DEPARTMENTS)):
        senior = np.flatnonzero((everybody.department == number) & (everybody.seniority >= LOWEST_RAISER))
        found.append(senior if len(senior) else np.flatnonzero(everybody.hired == 0))
    return found
