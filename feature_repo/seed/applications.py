"""Who looks at which job, who applies, and what the assessors find. Their score comes from the truth, with noise."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from feature_repo.seed.catalogue import CITY_OFFSETS, DEPARTMENT_SHARES
from feature_repo.seed.market import JOB_SKILLS, MANDATORY_SKILLS, Market
from feature_repo.seed.outcomes import match_of
from feature_repo.seed.people import Floats, Ints
from feature_repo.seed.tasks import SECONDS_PER_DAY

APPLICATIONS_PER_JOB = 20
VIEWS_PER_APPLICATION = 1.2  # besides the view that comes before the application itself
OWN_DEPARTMENT = 0.8
CONSIDERED = 5  # people of the department, of whom one applies
BLINDNESS = 10.0  # points of noise in what people see of their own fit
OUTCOMES = ("REJECTED", "INTERVIEWED", "HIRED")
OUTCOME_FLOORS = (62.0, 84.0)
WEIGHTS = {"skills": 40.0, "rank": 20.0, "pay": 15.0, "place": 15.0, "culture": 10.0}
SCORE_NOISE = 6.0
OUTCOME_NOISE = 8.0
JUDGEMENT_NOISE = 0.45  # levels
NEAR_KM = 60.0
FAR_KM = 1_500.0
EARTH_KM = 6_371.0


@dataclass(frozen=True)
class Applications:
    """Arrays over applications, no pair twice; applied, decided: seconds since the history began.

    score: 0 to 100. outcome: an index into OUTCOMES. is_gap: shape (applications, JOB_SKILLS).
    """

    talent: Ints
    job: Ints
    applied: Ints
    decided: Ints
    score: Floats
    outcome: Ints
    is_gap: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.talent)


@dataclass(frozen=True)
class Views:
    """Arrays over looks at a job; viewed: seconds since the history began."""

    talent: Ints
    job: Ints
    viewed: Ints


def applications(places: Market, seconds: int, rng: np.random.Generator) -> Applications:
    """Applications to every job while it is open; some are decided only after the history's end."""
    job, talent = _pairs(places, APPLICATIONS_PER_JOB, rng)
    wait = rng.exponential(12 * SECONDS_PER_DAY, len(job)).astype(np.int64)
    applied = np.minimum(places.posted[job] + 3600 + wait, np.minimum(places.closed[job], seconds) - 1)
    is_known = applied >= places.joined[talent]
    job, talent, applied = job[is_known], talent[is_known], applied[is_known]
    days = np.clip(rng.lognormal(np.log(8), 0.6, len(job)), 1, 60)
    score = fit(places, talent, job) + rng.normal(0, SCORE_NOISE, len(job))
    judged = _levels(places, talent, job) + rng.normal(0, JUDGEMENT_NOISE, (len(job), JOB_SKILLS))
    return Applications(
        talent=talent,
        job=job,
        applied=applied,
        decided=applied + (days * SECONDS_PER_DAY).astype(np.int64),
        score=np.asarray(np.round(np.clip(score, 0, 100), 1), dtype=np.float64),
        outcome=np.searchsorted(OUTCOME_FLOORS, score + rng.normal(0, OUTCOME_NOISE, len(job))),
        is_gap=judged < places.wanted_levels[job],
    )


def _pairs(places: Market, per_job: int, rng: np.random.Generator) -> tuple[Ints, Ints]:
    """(job, talent) without repetition, by job: mostly the one of several people of the department whom it suits best.

    How well it suits is seen through noise, by the people themselves.
    """
    talents, jobs = places.talents, places.jobs
    job = np.repeat(np.arange(len(jobs)), per_job)
    order = np.argsort(talents.department, kind="stable")
    sizes = np.bincount(talents.department, minlength=len(DEPARTMENT_SHARES))
    starts = np.concatenate([[0], np.cumsum(sizes)[:-1]])
    size, start = sizes[jobs.department[job]], starts[jobs.department[job]]
    drawn = start + (rng.random((CONSIDERED, len(job))) * size).astype(np.int64)
    own = order[np.minimum(drawn, len(talents) - 1)]
    seen = fit(places, own.ravel(), np.tile(job, CONSIDERED)).reshape(own.shape) + rng.normal(0, BLINDNESS, own.shape)
    best = own[seen.argmax(axis=0), np.arange(len(job))]
    anyone = rng.integers(0, len(talents), len(job))
    talent = np.where(rng.random(len(job)) < OWN_DEPARTMENT, best, anyone)
    pairs = np.unique(np.stack([job, talent], axis=1), axis=0)
    return pairs[:, 0], pairs[:, 1]


def _levels(places: Market, talent: Ints, job: Ints) -> Floats:
    """What the talent can do of each skill that the job asks for. Shape (pairs, JOB_SKILLS)."""
    found: Floats = places.levels[talent[:, None], places.wanted[job]]
    return found


def fit(places: Market, talent: Ints, job: Ints) -> Floats:
    """How well talents suit jobs in truth: skills, rank, pay, place and culture; 0 to 100."""
    mandatory = np.broadcast_to(np.arange(JOB_SKILLS) < MANDATORY_SKILLS, (len(job), JOB_SKILLS))
    talents, jobs = places.talents, places.jobs
    parts = {
        "skills": match_of(_levels(places, talent, job), places.wanted_levels[job], mandatory),
        "rank": _rank(places, talent, job),
        "pay": _pay(talents.salary[talent], jobs.salary[job]),
        "place": _place(places, talent, job),
        "culture": np.where(talents.style[talent] == jobs.style[job], 1.0, 0.25),
    }
    return np.asarray(sum(WEIGHTS[name] * part for name, part in parts.items()))


def _rank(places: Market, talent: Ints, job: Ints) -> Floats:
    """Near in rank, with the years that the rank takes and at least the degree that the job asks for; 0 to 1."""
    talents, jobs = places.talents, places.jobs
    rank = 1 - np.abs(talents.seniority[talent] - jobs.seniority[job]) / 3
    years = 1 - np.abs(np.log((talents.years[talent] + 1) / (jobs.years[job] + 1)))
    degrees = np.maximum(jobs.education[job] - talents.education[talent], 0)
    return np.asarray(np.clip(0.5 * rank, 0, 1) + 0.3 * np.clip(years, 0, 1) + 0.2 * np.clip(1 - degrees / 2, 0, 1))


def _pay(asked: Floats, offered: Floats) -> Floats:
    """How far the two ranges overlap, and whether the offer reaches what is asked; 0 to 1. Shapes (pairs, 2)."""
    low, high = np.maximum(asked[:, 0], offered[:, 0]), np.minimum(asked[:, 1], offered[:, 1])
    span = np.maximum(asked[:, 1], offered[:, 1]) - np.minimum(asked[:, 0], offered[:, 0])
    overlap = np.clip(high - low, 0, None) / span
    reach = np.clip(1 - 3 * (asked.mean(axis=1) - offered[:, 1]) / asked.mean(axis=1), 0, 1)
    return np.asarray(0.5 * overlap + 0.5 * reach)


def _place(places: Market, talent: Ints, job: Ints) -> Floats:
    """Near, or remote where both want it; remote work across time zones counts less; 0 to 1."""
    talents, jobs = places.talents, places.jobs
    km = kilometres(talents.place[talent], jobs.place[job])
    commute = np.clip(1 - np.clip(km - NEAR_KM, 0, None) / FAR_KM, 0.1, 1)
    hours = np.array(CITY_OFFSETS)[talents.city[talent]] - np.array(CITY_OFFSETS)[jobs.city[job]]
    remote = np.where(talents.is_remote[talent], 1.0, 0.6) - 0.1 * np.abs(hours)
    return np.asarray(np.where(jobs.is_remote[job], np.maximum(remote, commute), np.minimum(commute, 1.0)))


def kilometres(here: Floats, there: Floats) -> Floats:
    """Great-circle distance of places given as latitude and longitude in degrees, shape (n, 2)."""
    a, b = np.radians(here), np.radians(there)
    half = (b - a) / 2
    root = np.sin(half[:, 0]) ** 2 + np.cos(a[:, 0]) * np.cos(b[:, 0]) * np.sin(half[:, 1]) ** 2
    return np.asarray(2 * EARTH_KM * np.arcsin(np.sqrt(np.clip(root, 0, 1))))


def views(places: Market, sent: Applications, seconds: int, rng: np.random.Generator) -> Views:
    """One look before each application, and looks that came to nothing, more of them at jobs that suit."""
    before = np.maximum(sent.applied - rng.integers(300, 3 * SECONDS_PER_DAY, len(sent)), places.posted[sent.job] + 60)
    job, talent = _pairs(places, int(2 * VIEWS_PER_APPLICATION * APPLICATIONS_PER_JOB), rng)
    suits = fit(places, talent, job) + rng.normal(0, 12, len(job))
    looked = suits >= np.median(suits)
    job, talent = job[looked], talent[looked]
    wait = rng.exponential(15 * SECONDS_PER_DAY, len(job)).astype(np.int64)
    idle = np.minimum(places.posted[job] + 600 + wait, np.minimum(places.closed[job], seconds) - 1)
    both = (np.concatenate([sent.talent, talent]), np.concatenate([sent.job, job]), np.concatenate([before, idle]))
    both = tuple(part[both[2] >= places.joined[both[0]]] for part in both)
    kept = np.unique(np.stack([both[2], both[0], both[1]], axis=1), axis=0)
    return Views(talent=kept[:, 1], job=kept[:, 2], viewed=kept[:, 0])
