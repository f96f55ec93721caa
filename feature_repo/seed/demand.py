"""The synthetic demand for skills, by month: a level, a trend that fades, a season, shifts, and counts of posts."""

from dataclasses import dataclass
from datetime import datetime

import numpy as np

from feature_repo.seed.catalogue import SKILLS
from feature_repo.seed.people import Floats

MONTHS = 72
SHIFTED = 0.25  # of the skills have one lasting shift of level
PERSISTENCE = 0.7  # of what is neither trend nor season, from month to month
FIRST_POSTS, GROWTH = 12_000, 0.006


@dataclass(frozen=True)
class Demand:
    """starts: MONTHS + 1 first instants of months, the last the end. share: (skills, MONTHS), percent of posts."""

    starts: tuple[datetime, ...]
    share: Floats
    posts: Floats


def demand(until: datetime, rng: np.random.Generator) -> Demand:
    """The demand of the months that end before until."""
    return Demand(_months(until), *_shares(rng))


def _months(until: datetime) -> tuple[datetime, ...]:
    """The last of them is the latest month's start that lies before until."""
    last = until.year * 12 + until.month - 1
    if until == until.replace(day=1, hour=0, minute=0, second=0, microsecond=0):
        last -= 1
    first = until.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    return tuple(first.replace(year=month // 12, month=month % 12 + 1) for month in range(last - MONTHS, last + 1))


def _shares(rng: np.random.Generator) -> tuple[Floats, Floats]:
    """Percent of posts by skill and month, and posts by month."""
    count, month = len(SKILLS), np.arange(MONTHS)
    level = rng.uniform(np.log(0.008), np.log(0.12), (count, 1))
    slope = rng.normal(0, 0.012, (count, 1)) * (1 - np.exp(-month / 40)) * 40
    season = rng.uniform(0, 0.12, (count, 1)) * np.cos(2 * np.pi * (month - rng.integers(0, 12, (count, 1))) / 12)
    at = rng.integers(MONTHS // 6, MONTHS - 3, (count, 1))
    size = rng.choice([-1.0, 1.0], (count, 1)) * rng.uniform(0.3, 0.6, (count, 1))
    shift = np.where((rng.random((count, 1)) < SHIFTED) & (month >= at), size, 0.0)
    log_share = level + slope + season + shift + _drift(count, rng)
    posts = np.round(FIRST_POSTS * np.exp(GROWTH * month) * rng.lognormal(0, 0.05, MONTHS))
    named = rng.binomial(posts.astype(np.int64), np.clip(np.exp(log_share), 0, 0.9))
    return np.round(100 * named / posts, 4), posts


def _drift(count: int, rng: np.random.Generator) -> Floats:
    """First-order autoregressive noise, shape (skills, MONTHS)."""
    steps = rng.normal(0, 0.035, (count, MONTHS))
    for month in range(1, MONTHS):
        steps[:, month] += PERSISTENCE * steps[:, month - 1]
    return steps
