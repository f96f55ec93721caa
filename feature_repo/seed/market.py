"""The synthetic job market: talents, jobs, and applications whose outcome depends on how well the two match."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from feature_repo.seed.catalogue import (
    CITIES,
    CORE,
    DEPARTMENT_SHARES,
    SENIORITY_LEVELS,
    SENIORITY_SHARES,
    SENIORITY_YEARS,
)
from feature_repo.seed.people import Floats, Ints, shuffled_shares, skill_levels

JOBS_PER_PERSON = 1
TALENTS_PER_JOB = 5
APPLICATIONS_PER_JOB = 17
JOB_SKILLS = 4
SALARIES = (24_000.0, 38_000.0, 55_000.0, 72_000.0, 90_000.0, 115_000.0)
OUTCOMES = ("REJECTED", "INTERVIEWED", "HIRED")
OUTCOME_FLOORS = (55.0, 80.0)


@dataclass(frozen=True)
class Side:
    """Arrays over talents, or over jobs. salary: shape (n, 2), low and high. place: latitude and longitude."""

    department: Ints
    seniority: Ints
    years: Floats
    place: Floats
    is_remote: NDArray[np.bool_]
    salary: Floats

    def __len__(self) -> int:
        return len(self.department)


@dataclass(frozen=True)
class Market:
    """levels: shape (talents, skills). wanted, wanted_levels: shape (jobs, JOB_SKILLS). score: 0 to 100.

    posted, applied: seconds since the history began; talent, job, score, outcome: arrays over applications.
    """

    talents: Side
    jobs: Side
    levels: Floats
    wanted: Ints
    wanted_levels: Ints
    posted: Ints
    talent: Ints
    job: Ints
    applied: Ints
    score: Floats
    outcome: Ints


def market(people: int, seconds: int, rng: np.random.Generator) -> Market:
    """A market for that many people at work, over a history of that many seconds."""
    jobs = _side(max(people * JOBS_PER_PERSON, 1), rng)
    talents = _side(len(jobs) * TALENTS_PER_JOB, rng)
    levels = skill_levels(talents.department, talents.seniority, rng)
    skills = rng.random((len(jobs), CORE)).argsort(axis=1)[:, :JOB_SKILLS] + jobs.department[:, None] * CORE
    wanted_levels = np.clip(1 + jobs.seniority[:, None] // 2 + rng.integers(0, 3, skills.shape), 1, 5)
    job, talent = _applications(jobs, talents, rng)
    posted = np.sort(rng.integers(0, seconds * 9 // 10, len(jobs)))
    coverage = np.minimum(levels[talent[:, None], skills[job]] / wanted_levels[job], 1.0).mean(axis=1)
    score = _score(coverage, talents, jobs, talent, job, rng)
    return Market(
        talents=talents,
        jobs=jobs,
        levels=levels,
        wanted=skills,
        wanted_levels=wanted_levels,
        posted=posted,
        talent=talent,
        job=job,
        applied=np.minimum(posted[job] + rng.exponential(10 * 86_400, len(job)).astype(np.int64), seconds - 1),
        score=score,
        outcome=np.searchsorted(OUTCOME_FLOORS, score + rng.normal(0, 8, len(job))),
    )


def _side(count: int, rng: np.random.Generator) -> Side:
    seniority = shuffled_shares(count, SENIORITY_SHARES, rng)
    middle = np.array(SALARIES)[seniority] * rng.lognormal(0, 0.15, count)
    width = rng.uniform(0.06, 0.2, count)
    return Side(
        department=shuffled_shares(count, DEPARTMENT_SHARES, rng),
        seniority=seniority,
        years=np.round(np.array(SENIORITY_YEARS)[seniority] * rng.lognormal(0, 0.25, count), 1),
        place=np.round(CITIES[rng.integers(0, len(CITIES), count)] + rng.normal(0, 0.15, (count, 2)), 4),
        is_remote=rng.random(count) < 0.4,
        salary=np.stack([middle * (1 - width), middle * (1 + width)], axis=1).round(-2).astype(np.float64),
    )


def _applications(jobs: Side, talents: Side, rng: np.random.Generator) -> tuple[Ints, Ints]:
    """Pairs without repetition; most people apply within their own department."""
    job = np.repeat(np.arange(len(jobs)), APPLICATIONS_PER_JOB + 3)
    order = np.argsort(talents.department, kind="stable")
    sizes = np.bincount(talents.department, minlength=len(DEPARTMENT_SHARES))
    starts = np.concatenate([[0], np.cumsum(sizes)[:-1]])
    own = starts[jobs.department[job]] + (rng.random(len(job)) * sizes[jobs.department[job]]).astype(np.int64)
    anyone = rng.integers(0, len(talents), len(job))
    talent = np.where(rng.random(len(job)) < 0.8, order[np.minimum(own, len(talents) - 1)], anyone)
    pairs = np.unique(np.stack([job, talent], axis=1), axis=0)
    return pairs[:, 0], pairs[:, 1]


def _score(coverage: Floats, talents: Side, jobs: Side, talent: Ints, job: Ints, rng: np.random.Generator) -> Floats:
    """How well a talent suits a job: skills, rank, pay and place, plus noise; 0 to 100."""
    rank = 1 - np.abs(talents.seniority[talent] - jobs.seniority[job]) / (len(SENIORITY_LEVELS) - 1)
    low = np.maximum(talents.salary[talent, 0], jobs.salary[job, 0])
    high = np.minimum(talents.salary[talent, 1], jobs.salary[job, 1])
    span = np.maximum(talents.salary[talent, 1], jobs.salary[job, 1]) - np.minimum(
        talents.salary[talent, 0], jobs.salary[job, 0]
    )
    pay = np.clip(high - low, 0, None) / span
    is_near = np.abs(talents.place[talent] - jobs.place[job]).sum(axis=1) < 1
    place = np.where(jobs.is_remote[job] | is_near, 1.0, 0.3)
    score = 45 * coverage + 25 * rank + 15 * pay + 15 * place + rng.normal(0, 6, len(job))
    return np.asarray(np.round(np.clip(score, 0, 100), 1), dtype=np.float64)
