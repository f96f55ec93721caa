"""The synthetic job market as rows of job_service."""

import numpy as np
import polars as pl

from feature_repo.seed.catalogue import DEPARTMENTS, SENIORITY_LEVELS
from feature_repo.seed.frames import NAMES, Clock, ids
from feature_repo.seed.market import OUTCOMES, Market, Side


def _side(side: Side) -> dict[str, pl.Series]:
    columns = {
        "department_id": NAMES[side.department],
        "seniority_level": np.array(SENIORITY_LEVELS)[side.seniority],
        "latitude": side.place[:, 0],
        "longitude": side.place[:, 1],
        "salary_low": side.salary[:, 0],
        "salary_high": side.salary[:, 1],
    }
    return {name: pl.Series(values) for name, values in columns.items()}


def talents(places: Market, clock: Clock) -> pl.DataFrame:
    """job_service.talents, known from the start of the history."""
    side = places.talents
    return pl.DataFrame(
        {
            "talent_id": ids("c", np.arange(len(side))),
            **_side(side),
            "experience_years": side.years,
            "wants_remote": side.is_remote.astype(np.int64),
            "recorded_at": clock.times(np.zeros(len(side), dtype=np.int64)),
        }
    )


def jobs(places: Market, clock: Clock) -> pl.DataFrame:
    """job_service.jobs."""
    side = places.jobs
    first = np.array([department.kinds[0] for department in DEPARTMENTS])
    return pl.DataFrame(
        {
            "job_id": ids("j", np.arange(len(side))),
            "title": pl.Series(np.array(SENIORITY_LEVELS)[side.seniority]) + " " + pl.Series(first[side.department]),
            **_side(side),
            "minimum_years": np.round(side.years * 0.7, 1),
            "is_remote": side.is_remote.astype(np.int64),
            "status": "OPEN",
            "posted_at": clock.times(places.posted),
            "recorded_at": clock.times(places.posted),
        }
    )


def applications(places: Market, clock: Clock) -> pl.DataFrame:
    """job_service.applications with their outcome and the score that led to it."""
    return pl.DataFrame(
        {
            "talent_id": ids("c", places.talent),
            "job_id": ids("j", places.job),
            "outcome": np.array(OUTCOMES)[places.outcome],
            "match_score": places.score,
            "applied_at": clock.times(places.applied),
            "recorded_at": clock.times(places.applied),
        }
    )
