"""The synthetic world as documents: skills by person and month, load by person and day, ratings."""

import numpy as np
import polars as pl

from feature_repo.seed import frames
from feature_repo.seed.catalogue import SKILLS
from feature_repo.seed.declared import LEARNT
from feature_repo.seed.details import Details
from feature_repo.seed.frames import Clock, Known, ids
from feature_repo.seed.outcomes import History
from feature_repo.seed.people import People
from feature_repo.seed.tasks import SECONDS_PER_DAY, Tasks


def user_skills(everybody: People, past: History, facts: Details, clock: Clock) -> pl.DataFrame:
    """profile_service.user_skills: as declared on joining, then whenever a month's tasks raised them."""
    both = pl.concat([_declared(everybody, facts), _grown(past)])
    days = clock.seconds // SECONDS_PER_DAY
    as_of = pl.lit(clock.since).cast(frames.TIME).dt.offset_by(pl.format("{}d", "day"))
    month = as_of.dt.truncate("1mo")
    moment = (
        pl.when(pl.col("tasks") == 0)
        .then(as_of)
        .otherwise(pl.when(month == as_of).then(month).otherwise(month.dt.offset_by("1mo")))
    )
    until = pl.lit(clock.since).cast(frames.TIME).dt.offset_by(f"{days}d")
    last = (
        both.with_columns(tasks=(pl.col("tasks").cum_sum().over("person", "skill")))
        .with_columns(asOf=moment)
        .filter(pl.col("asOf") < until)
        .unique(["person", "skill", "asOf"], keep="last", maintain_order=True)
    )
    return _skill_documents(last, everybody)


def _declared(everybody: People, facts: Details) -> pl.DataFrame:
    person, skill = np.nonzero(everybody.levels)
    return pl.DataFrame(
        {
            "person": person,
            "skill": skill,
            "day": everybody.hired[person],
            "level": everybody.levels[person, skill],
            "tasks": np.zeros(len(person), dtype=np.int64),
            "isActive": ~facts.is_resting,
        }
    )


def _grown(past: History) -> pl.DataFrame:
    schema = {"person": pl.Int64, "skill": pl.Int64, "day": pl.Int64, "level": pl.Float64}
    days = [
        pl.DataFrame({"person": person, "skill": skill, "day": day, "level": level}, schema=schema)
        for day, person, skill, level in past.growth
    ]
    return pl.concat([pl.DataFrame(schema=schema), *days]).with_columns(
        tasks=pl.lit(1, pl.Int64), isActive=pl.lit(True)
    )


def _skill_documents(states: pl.DataFrame, everybody: People) -> pl.DataFrame:
    person, skill = states["person"].to_numpy(), states["skill"].to_numpy()
    years = np.minimum(everybody.years[person], LEARNT * 2 ** (states["level"].to_numpy() - 1))
    return pl.DataFrame(
        {
            "userId": ids("p", person),
            "skillName": np.array(SKILLS)[skill],
            "skillType": frames.skill_types(skill),
            "proficiencyLevel": states["level"].round(4),
            "yearsOfExperience": np.round(years, 1),
            "tasks": states["tasks"],
            "hours": pl.Series([None] * len(states), dtype=pl.Float64),
            "medianRatio": pl.Series([None] * len(states), dtype=pl.Float64),
            "isActive": states["isActive"],
            "asOf": states["asOf"],
            "recordedAt": states["asOf"],
            "system": frames.SYSTEM,
        }
    )


def user_workloads(everybody: People, work: Tasks, past: History, clock: Clock) -> pl.DataFrame:
    """workload_service.user_workloads: the state at the end of each day that changed it, written at midnight."""
    task = np.arange(len(work))
    steps = [(past.assigned, 1), (past.completed, -1)]
    changes = pl.concat(
        pl.DataFrame(
            {
                "person": past.assignee[task],
                "day": moment // SECONDS_PER_DAY,
                "openTasks": np.full(len(task), sign),
                "allocatedHours": sign * work.estimate,
            }
        )
        for moment, sign in steps
    )
    days = changes.group_by("person", "day").agg(pl.all().sum()).sort("person", "day")
    states = days.with_columns(pl.col("openTasks", "allocatedHours").cum_sum().over("person"))
    kept = states.filter(pl.col("day") + 1 < clock.seconds // SECONDS_PER_DAY)
    capacity = everybody.capacity[kept["person"].to_numpy()]
    midnight = kept["day"].to_numpy() * SECONDS_PER_DAY
    return pl.DataFrame(
        {
            "userId": ids("p", kept["person"].to_numpy()),
            "date": clock.times(midnight),
            "openTasks": kept["openTasks"],
            "allocatedHours": kept["allocatedHours"],
            "utilization": np.round(kept["allocatedHours"].to_numpy() / capacity, 4),
            "capacity": capacity,
            "recordedAt": clock.times(midnight + SECONDS_PER_DAY),
            "system": frames.SYSTEM,
        }
    )


def feedback(past: History, known: Known, clock: Clock) -> pl.DataFrame:
    """feedback_service.feedback: the raiser's rating of the assignee's work, some days after the end."""
    task = np.flatnonzero((past.rating > 0) & ~past.is_cancelled & (known.rated < clock.seconds))
    return pl.DataFrame(
        {
            "taskId": ids("t", task),
            "userId": ids("p", past.assignee[task]),
            "rating": past.rating[task].astype(np.float64),
            "givenAt": clock.times(past.rated[task]),
            "recordedAt": clock.times(known.rated[task]),
            "system": frames.SYSTEM,
        }
    )
