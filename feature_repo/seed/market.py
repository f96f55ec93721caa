"""The synthetic job market: talents, of whom the first are the people at work, and the jobs on offer."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from feature_repo.seed.catalogue import (
    CITIES,
    COMMON_SKILLS,
    CORE,
    DEPARTMENT_SHARES,
    SENIORITY_SHARES,
    SENIORITY_YEARS,
    SKILLS,
)
from feature_repo.seed.people import Floats, Ints, People, shuffled_shares, skill_levels
from feature_repo.seed.tasks import SECONDS_PER_DAY
from feature_repo.seed.wordings import EMPLOYER_ENDS, EMPLOYER_STEMS, STYLES
from feature_repo.sources.streams import EDUCATIONS

Flags = NDArray[np.bool_]

JOBS_PER_PERSON = 1
TALENTS_PER_JOB = 5
JOB_SKILLS = 4
MANDATORY_SKILLS = 2
SALARIES = (24_000.0, 38_000.0, 55_000.0, 72_000.0, 90_000.0, 115_000.0)
REMOTE = 0.4
# By rank, the shares of EDUCATIONS among talents; a job asks for the rank's middle degree.
EDUCATION_SHARES = np.array(
    [
        [0.10, 0.55, 0.30, 0.05, 0.00],
        [0.07, 0.28, 0.45, 0.19, 0.01],
        [0.05, 0.20, 0.45, 0.27, 0.03],
        [0.04, 0.16, 0.40, 0.34, 0.06],
        [0.03, 0.12, 0.37, 0.38, 0.10],
        [0.02, 0.08, 0.32, 0.42, 0.16],
    ]
)
JOB_EDUCATION = (1, 2, 2, 2, 3, 3)
SECONDS_PER_WEEK = 7 * SECONDS_PER_DAY
WEEKS_OPEN = 16.0
EMPLOYERS = len(EMPLOYER_STEMS) * len(EMPLOYER_ENDS)


@dataclass(frozen=True)
class Side:
    """Arrays over talents, or over jobs. salary: shape (n, 2), low and high. place: latitude and longitude.

    city, education and style are indices into CITIES, EDUCATIONS and STYLES.
    """

    department: Ints
    seniority: Ints
    years: Floats
    city: Ints
    place: Floats
    is_remote: Flags
    salary: Floats
    education: Ints
    style: Ints

    def __len__(self) -> int:
        return len(self.department)


@dataclass(frozen=True)
class Market:
    """levels: shape (talents, skills), what people can do in truth. wanted, wanted_levels: shape (jobs, JOB_SKILLS).

    employees: how many of the first talents are people at work. employer: over jobs. joined (over talents), posted,
    closed: seconds since the history began; closed may lie beyond its end.
    """

    employees: int
    talents: Side
    jobs: Side
    levels: Floats
    wanted: Ints
    wanted_levels: Ints
    employer: Ints
    joined: Ints
    posted: Ints
    closed: Ints


def market(everybody: People, seconds: int, rng: np.random.Generator) -> Market:
    """A market around these people, over a history of that many seconds.

    The people at work stay as able as they were when it began: what they learn by tasks is in their own records.
    """
    count = len(everybody) * JOBS_PER_PERSON
    outsiders = count * TALENTS_PER_JOB - len(everybody)
    department = np.concatenate([everybody.department, shuffled_shares(outsiders, DEPARTMENT_SHARES, rng)])
    seniority = np.concatenate([everybody.seniority, shuffled_shares(outsiders, SENIORITY_SHARES, rng)])
    levels = skill_levels(department, seniority, rng)
    levels[: len(everybody)] = everybody.levels
    talents = _side(department, seniority, rng)
    talents.years[: len(everybody)] = everybody.years
    jobs, employer = _jobs(count, rng)
    posted = np.sort((np.sqrt(rng.random(count)) * seconds * 0.99).astype(np.int64))
    weeks = rng.gamma(4.0, WEEKS_OPEN / 4.0, count)
    return Market(
        employees=len(everybody),
        talents=talents,
        jobs=jobs,
        levels=levels,
        wanted=_wanted(jobs.department, rng),
        wanted_levels=np.clip((jobs.seniority[:, None] + 2) // 2 + rng.integers(0, 2, (count, JOB_SKILLS)), 1, 5),
        employer=employer,
        joined=np.concatenate([everybody.hired * SECONDS_PER_DAY, np.zeros(outsiders, dtype=np.int64)]),
        posted=posted,
        closed=posted + np.maximum(weeks * SECONDS_PER_WEEK, SECONDS_PER_WEEK).astype(np.int64),
    )


def _side(department: Ints, seniority: Ints, rng: np.random.Generator, city: Ints | None = None) -> Side:
    count = len(department)
    middle = np.array(SALARIES)[seniority] * rng.lognormal(0, 0.15, count)
    width = rng.uniform(0.06, 0.2, count)
    city = rng.integers(0, len(CITIES), count) if city is None else city
    bounds = EDUCATION_SHARES.cumsum(axis=1)[seniority]
    return Side(
        department=department,
        seniority=seniority,
        years=np.round(np.array(SENIORITY_YEARS)[seniority] * rng.lognormal(0, 0.25, count), 1),
        city=city,
        place=np.round(CITIES[city] + rng.normal(0, 0.15, (count, 2)), 4),
        is_remote=rng.random(count) < REMOTE,
        salary=np.stack([middle * (1 - width), middle * (1 + width)], axis=1).round(-2).astype(np.float64),
        education=np.minimum((rng.random(count)[:, None] > bounds).sum(axis=1), len(EDUCATIONS) - 1),
        style=rng.integers(0, len(STYLES), count),
    )


def _jobs(count: int, rng: np.random.Generator) -> tuple[Side, Ints]:
    """Jobs and their employers, each of whom has one city and one style."""
    cities = rng.integers(0, len(CITIES), EMPLOYERS)
    styles = rng.integers(0, len(STYLES), EMPLOYERS)
    employer = rng.integers(0, EMPLOYERS, count)
    seniority = shuffled_shares(count, SENIORITY_SHARES, rng)
    side = _side(shuffled_shares(count, DEPARTMENT_SHARES, rng), seniority, rng, cities[employer])
    side.education[:] = np.array(JOB_EDUCATION)[seniority]
    side.style[:] = styles[employer]
    return side, employer


def _wanted(department: Ints, rng: np.random.Generator) -> Ints:
    """Different skills: core ones of the department, the last of them common in half the jobs. (jobs, JOB_SKILLS)."""
    skills = rng.random((len(department), CORE)).argsort(axis=1)[:, :JOB_SKILLS] + department[:, None] * CORE
    common = len(SKILLS) - len(COMMON_SKILLS) + rng.integers(0, len(COMMON_SKILLS), len(department))
    skills[:, -1] = np.where(rng.random(len(department)) < 0.5, common, skills[:, -1])
    return skills
