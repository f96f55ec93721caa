"""What the rows say beyond what happened: accounts, promotions, how a choice was made. Drawn once, so rows are pure."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from feature_repo.seed.catalogue import SENIORITY_LEVELS
from feature_repo.seed.people import Ints, People
from feature_repo.seed.tasks import SECONDS_PER_DAY

PROMOTED = 0.08
RESTING = 0.05
SELF_CHOSEN = 0.2
OLDEST_ACCOUNT_DAYS, YOUNGEST_ACCOUNT_DAYS = 2_000, 30

Flags = NDArray[np.bool_]


@dataclass(frozen=True)
class Details:
    """opened: over people, days before the history in which the account was opened.

    promoted, promoted_at: people who rose by a rank, and when in seconds. is_self_chosen: over tasks.
    is_resting: over the skills that people declare, in the order of numpy's nonzero.
    """

    opened: Ints
    promoted: Ints
    promoted_at: Ints
    is_self_chosen: Flags
    is_resting: Flags


def details(everybody: People, tasks: int, days: int, rng: np.random.Generator) -> Details:
    """The details of a world with that many tasks and days."""
    count, last = len(everybody), len(SENIORITY_LEVELS) - 1
    opened = rng.integers(YOUNGEST_ACCOUNT_DAYS, OLDEST_ACCOUNT_DAYS, count)
    may_rise = (everybody.hired == 0) & (everybody.seniority < last)
    promoted = np.flatnonzero((rng.random(count) < PROMOTED) & may_rise)
    return Details(
        opened=opened,
        promoted=promoted,
        promoted_at=rng.integers(1, days, len(promoted)) * SECONDS_PER_DAY,
        is_self_chosen=rng.random(tasks) < SELF_CHOSEN,
        is_resting=rng.random(int(np.count_nonzero(everybody.levels))) < RESTING,
    )
