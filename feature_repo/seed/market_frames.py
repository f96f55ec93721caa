"""The synthetic job market as rows and relationships. What became known after the last day is left out."""

import numpy as np
import polars as pl

from feature_repo.seed.applications import OUTCOMES, Applications, Views
from feature_repo.seed.catalogue import CITY_OFFSETS, SENIORITY_LEVELS
from feature_repo.seed.declared import Declared
from feature_repo.seed.frames import NAMES, Clock, ids, named, talent_ids, where
from feature_repo.seed.market import MANDATORY_SKILLS, Market, Side
from feature_repo.seed.tasks import SECONDS_PER_DAY
from feature_repo.seed.texts import Texts, employers
from feature_repo.seed.writers import Relation
from feature_repo.sources.streams import EDUCATIONS

DAYS_OF_ACCOUNT = 200  # before the history began


def outsiders(places: Market, clock: Clock) -> dict[str, pl.DataFrame]:
    """Accounts and profiles of the talents who do not work here, by table; all known from the start."""
    number = np.arange(places.employees, len(places.talents))
    names, start = ids("c", number), np.zeros(len(number), dtype=np.int64)
    return {
        "identity_service.users": pl.DataFrame(
            {
                "user_id": names,
                "email": names + "@talents.example",
                "status": "ACTIVE",
                "created_date": clock.times(start - DAYS_OF_ACCOUNT * SECONDS_PER_DAY),
                "recorded_at": clock.times(start),
            }
        ),
        "identity_service.user_profiles": pl.DataFrame(
            {
                "user_id": names,
                "department_id": NAMES[places.talents.department[number]],
                "seniority_level": np.array(SENIORITY_LEVELS)[places.talents.seniority[number]],
                "experience_years": places.talents.years[number],
                "valid_from": clock.times(start),
                "recorded_at": clock.times(start),
            }
        ),
    }


def _side(side: Side) -> dict[str, pl.Series]:
    columns = {
        "latitude": side.place[:, 0],
        "longitude": side.place[:, 1],
        "utc_offset_hours": np.array(CITY_OFFSETS)[side.city],
        "salary_low": side.salary[:, 0],
        "salary_high": side.salary[:, 1],
        "education": np.array(EDUCATIONS)[side.education],
    }
    return {name: pl.Series(values) for name, values in columns.items()}


def talents(places: Market, said: Declared, words: Texts, clock: Clock) -> pl.DataFrame:
    """job_service.talents, known from the start of the history or from joining; some do not tell all."""
    side = places.talents
    facts = _side(side)
    for told, names in (
        (said.tells_place, ("latitude", "longitude")),
        (said.tells_pay, ("salary_low", "salary_high")),
        (said.tells_degree, ("education",)),
    ):
        facts |= {name: where(pl.Series(told), facts[name]) for name in names}
    return pl.DataFrame(
        {
            "user_id": talent_ids(np.arange(len(side)), places.employees),
            "headline": words.headlines,
            **facts,
            "wants_remote": side.is_remote.astype(np.int64),
            "recorded_at": clock.times(places.joined),
        }
    )


def jobs(places: Market, words: Texts, clock: Clock) -> pl.DataFrame:
    """job_service.jobs, as their state is at the end of the history."""
    side, is_closed = places.jobs, places.closed < clock.seconds
    return pl.DataFrame(
        {
            "job_id": ids("j", np.arange(len(side))),
            "title": words.job_titles,
            "department_id": NAMES[side.department],
            "seniority_level": np.array(SENIORITY_LEVELS)[side.seniority],
            "minimum_years": np.round(side.years * 0.7, 1),
            "maximum_years": np.round(side.years * 1.6 + 2, 1),
            **_side(side),
            "is_remote": side.is_remote.astype(np.int64),
            "employer": employers(places),
            "status": np.where(is_closed, "CLOSED", "OPEN"),
            "posted_at": clock.times(places.posted),
            "closed_at": clock.times(places.closed, is_closed),
            "recorded_at": clock.times(places.posted),
        }
    )


def postings(places: Market, words: Texts, clock: Clock) -> pl.DataFrame:
    """job_service.postings, the words of the jobs."""
    return pl.DataFrame(
        {
            "jobId": ids("j", np.arange(len(places.jobs))),
            "text": words.postings,
            "recordedAt": clock.times(places.posted),
        }
    )


def applications(places: Market, sent: Applications, clock: Clock) -> pl.DataFrame:
    """job_service.applications that were decided, with their outcome and the assessors' score."""
    row = np.flatnonzero(sent.decided < clock.seconds)
    return pl.DataFrame(
        {
            "user_id": talent_ids(sent.talent[row], places.employees),
            "job_id": ids("j", sent.job[row]),
            "outcome": np.array(OUTCOMES)[sent.outcome[row]],
            "match_score": sent.score[row],
            "applied_at": clock.times(sent.applied[row]),
            "recorded_at": clock.times(sent.decided[row]),
        }
    )


def skill_assessments(places: Market, sent: Applications, clock: Clock) -> pl.DataFrame:
    """job_service.skill_assessments: a row for each decided application and skill that its job asks for."""
    width = places.wanted.shape[1]
    row = np.repeat(np.flatnonzero(sent.decided < clock.seconds), width)
    place = np.tile(np.arange(width), len(row) // width)
    return pl.DataFrame(
        {
            "user_id": talent_ids(sent.talent[row], places.employees),
            "job_id": ids("j", sent.job[row]),
            "skill_id": named(places.wanted[sent.job[row], place]),
            "is_gap": sent.is_gap[row, place].astype(np.int64),
            "assessed_at": clock.times(sent.decided[row]),
            "recorded_at": clock.times(sent.decided[row]),
        }
    )


def job_views(places: Market, looked: Views, clock: Clock) -> pl.DataFrame:
    """job_service.job_views."""
    return pl.DataFrame(
        {
            "user_id": talent_ids(looked.talent, places.employees),
            "job_id": ids("j", looked.job),
            "viewed_at": clock.times(looked.viewed),
            "recorded_at": clock.times(looked.viewed),
        }
    )


def relations(places: Market, said: Declared, clock: Clock) -> dict[Relation, pl.DataFrame]:
    """What talents declare and wish for, and what jobs ask for."""
    return {
        Relation("Job", "REQUIRES", "Skill"): _required(places, clock),
        Relation("User", "HAS_SKILL", "Skill"): _declared(places, said, clock),
        Relation("User", "WANTS", "Skill"): pl.DataFrame(
            {
                "start": talent_ids(said.wishes[:, 0], places.employees),
                "end": named(said.wishes[:, 1]),
                "recordedAt": clock.times(places.joined[said.wishes[:, 0]]),
            }
        ),
    }


def _required(places: Market, clock: Clock) -> pl.DataFrame:
    count, width = places.wanted.shape
    return pl.DataFrame(
        {
            "start": ids("j", np.repeat(np.arange(count), width)),
            "end": named(places.wanted.ravel()),
            "level": places.wanted_levels.ravel().astype(np.float64),
            "mandatory": np.tile(np.arange(width) < MANDATORY_SKILLS, count),
            "recordedAt": clock.times(np.repeat(places.posted, width)),
        }
    )


def _declared(places: Market, said: Declared, clock: Clock) -> pl.DataFrame:
    talent, skill = np.nonzero(said.levels)
    return pl.DataFrame(
        {
            "start": talent_ids(talent, places.employees),
            "end": named(skill),
            "level": said.levels[talent, skill],
            "years": pl.Series(said.years[talent, skill]).fill_nan(None),
            "recordedAt": clock.times(places.joined[talent]),
        }
    )
