"""The synthetic tasks as they are specified: nothing here knows how they will end."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from feature_repo.seed.catalogue import (
    COMMON_SKILLS,
    CORE,
    DEPARTMENTS,
    DIFFICULTY_HOURS,
    DIFFICULTY_SHARES,
    PRIORITY_SHARES,
    SKILLS,
)
from feature_repo.seed.people import Floats, Ints, People, raisers, shuffled_shares

TASKS_PER_PROJECT = 30
BREAKDOWNS = 3
MOST_SKILLS = 4
SECONDS_PER_DAY = 86_400
WEEKDAY_SHARES = (0.21, 0.21, 0.20, 0.19, 0.15, 0.02, 0.02)


@dataclass(frozen=True)
class Tasks:
    """Arrays over tasks, in the order in which they were raised.

    raised: seconds since the history began. skills, levels, mandatory: shape (tasks, 4), skills -1 where there is none.
    priority 1 to 4, difficulty 0 to 2, breakdown 0 to 2 within the project, kind an index into the department's kinds.
    """

    raised: Ints
    project: Ints
    department: Ints
    breakdown: Ints
    kind: Ints
    priority: Ints
    difficulty: Ints
    estimate: Floats
    raiser: Ints
    skills: Ints
    levels: Ints
    mandatory: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.raised)


def tasks(count: int, everybody: People, days: int, first_weekday: int, rng: np.random.Generator) -> Tasks:
    """That many tasks over the days of the history, whose first day is that day of the week (Monday 0)."""
    projects = max(count // TASKS_PER_PROJECT, len(DEPARTMENTS))
    project_department = _project_departments(projects, everybody, rng)
    project = rng.integers(0, projects, count)
    department = project_department[project]
    difficulty = shuffled_shares(count, DIFFICULTY_SHARES, rng)
    hours = np.array(DIFFICULTY_HOURS)[difficulty] * rng.lognormal(0, 0.5, count)
    skills = _skills(department, rng)
    return Tasks(
        raised=_moments(count, days, first_weekday, rng),
        project=project,
        department=department,
        breakdown=rng.integers(0, BREAKDOWNS, count),
        kind=rng.integers(0, len(DEPARTMENTS[0].kinds), count),
        priority=1 + shuffled_shares(count, PRIORITY_SHARES, rng),
        difficulty=difficulty,
        estimate=np.maximum(np.round(hours * 2) / 2, 0.5),
        raiser=_raiser(department, everybody, rng),
        skills=skills,
        levels=np.clip(difficulty[:, None] + rng.integers(1, 4, skills.shape), 1, 5),
        mandatory=(np.arange(MOST_SKILLS) == 0) | (rng.random(skills.shape) < 0.5),
    )


def _project_departments(projects: int, everybody: People, rng: np.random.Generator) -> Ints:
    """Every department has a project; the rest go by the number of its people."""
    sizes = np.bincount(everybody.department, minlength=len(DEPARTMENTS)) / len(everybody)
    drawn = rng.choice(len(DEPARTMENTS), projects, p=sizes)
    drawn[: len(DEPARTMENTS)] = np.arange(len(DEPARTMENTS))
    return drawn


def _moments(count: int, days: int, first_weekday: int, rng: np.random.Generator) -> Ints:
    """Seconds since the start, sorted: more on weekdays and within office hours, and slowly more over the year."""
    day = np.arange(days)
    weight = np.array(WEEKDAY_SHARES)[(first_weekday + day) % 7] * (1 + 0.3 * day / days)
    chosen = rng.choice(day, count, p=weight / weight.sum())
    return np.sort(chosen * SECONDS_PER_DAY + rng.integers(8 * 3600, 18 * 3600, count))


def _skills(department: Ints, rng: np.random.Generator) -> Ints:
    """Two to four different skills: core ones of the department, the last one common. Shape (tasks, 4), -1 for none."""
    count = len(department)
    order = rng.random((count, CORE)).argsort(axis=1)[:, :MOST_SKILLS]
    skills = department[:, None] * CORE + order
    skills[:, -1] = len(SKILLS) - len(COMMON_SKILLS) + rng.integers(0, len(COMMON_SKILLS), count)
    wanted = rng.choice([2, 3, 4], count, p=[0.35, 0.45, 0.20])
    return np.where(np.arange(MOST_SKILLS) < wanted[:, None], skills, -1)


def _raiser(department: Ints, everybody: People, rng: np.random.Generator) -> Ints:
    may_raise = raisers(everybody)
    raiser = np.zeros(len(department), dtype=np.int64)
    for number, members in enumerate(may_raise):
        rows = np.flatnonzero(department == number)
        raiser[rows] = rng.choice(members, len(rows))
    return raiser
