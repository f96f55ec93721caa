"""The synthetic world's arrays as rows of the source databases. What became known after its last day is left out."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
import polars as pl
from numpy.typing import NDArray

from feature_repo.seed.catalogue import COMMON_SKILLS, DEPARTMENTS, SENIORITY_LEVELS, SKILLS, SUBJECTS
from feature_repo.seed.details import Details
from feature_repo.seed.outcomes import History
from feature_repo.seed.people import Floats, Ints, People
from feature_repo.seed.tasks import SECONDS_PER_DAY, Tasks

SYSTEM = "synthetic"
LATE = 0.02
TIME = pl.Datetime("us", "UTC")
DIFFICULTIES = np.array(["EASY", "MEDIUM", "HARD"])
KINDS = np.array([each.kinds for each in DEPARTMENTS])
NAMES = np.array([each.name for each in DEPARTMENTS])


@dataclass(frozen=True)
class Clock:
    """since: the history's first instant. seconds: its length."""

    since: datetime
    seconds: int

    def times(self, seconds: Ints, is_known: NDArray[np.bool_] | None = None) -> pl.Series:
        """Seconds since the history began as instants; null where not known."""
        start = int(self.since.timestamp())
        instants = pl.Series((seconds + start) * 1_000_000).cast(TIME)
        return instants if is_known is None else where(pl.Series(is_known), instants)

    def recorded(self, seconds: Ints, rng: np.random.Generator) -> Ints:
        """When events became known: within minutes, save for the few that are entered days later."""
        late = np.where(rng.random(len(seconds)) < LATE, rng.integers(1, 4, len(seconds)) * SECONDS_PER_DAY, 0)
        return seconds + 1 + rng.exponential(90, len(seconds)).astype(np.int64) + late


def ids(prefix: str, numbers: Ints) -> pl.Series:
    """Ids such as p000042; null for negative numbers."""
    texts = pl.select(pl.format(prefix + "{}", pl.Series(numbers).cast(pl.String).str.zfill(6))).to_series()
    return where(pl.Series(numbers >= 0), texts)


def talent_ids(numbers: Ints, employees: int) -> pl.Series:
    """Ids of talents: those of the first, who work here, are their own as people; the others begin with c."""
    is_employee = pl.Series(numbers < employees)
    return pl.select(pl.when(is_employee).then(ids("p", numbers)).otherwise(ids("c", numbers))).to_series()


def where(mask: pl.Series, values: pl.Series) -> pl.Series:
    """The values, null where the mask is false."""
    return pl.select(pl.when(mask).then(values)).to_series()


def users(everybody: People, facts: Details, clock: Clock) -> pl.DataFrame:
    """identity_service.users. Those who were there before are known from the history's first instant."""
    names = ids("p", np.arange(len(everybody)))
    hired = everybody.hired * SECONDS_PER_DAY
    before = -facts.opened * SECONDS_PER_DAY
    return pl.DataFrame(
        {
            "user_id": names,
            "email": names + "@synthetic.example",
            "status": "ACTIVE",
            "created_date": clock.times(np.where(hired > 0, hired, before)),
            "recorded_at": clock.times(hired),
        }
    )


def profiles(everybody: People, facts: Details, clock: Clock) -> pl.DataFrame:
    """identity_service.user_profiles: as of the start or the hiring, and again for the few who were promoted."""
    first, rises = everybody.hired * SECONDS_PER_DAY, facts.promoted
    person = np.concatenate([np.arange(len(everybody)), rises])
    since = np.concatenate([first, facts.promoted_at])
    rank = np.concatenate([everybody.seniority, everybody.seniority[rises] + 1])
    return pl.DataFrame(
        {
            "user_id": ids("p", person),
            "department_id": NAMES[everybody.department[person]],
            "seniority_level": np.array(SENIORITY_LEVELS)[rank],
            "experience_years": np.round(everybody.years[person] + since / (365.25 * SECONDS_PER_DAY), 2),
            "valid_from": clock.times(since),
            "recorded_at": clock.times(since),
        }
    )


@dataclass(frozen=True)
class Known:
    """When each task's events became known, in seconds since the history began; past its end means never."""

    task: Ints
    assigned: Ints
    started: Ints
    completed: Ints
    rated: Ints

    @classmethod
    def of(cls, work: Tasks, past: History, clock: Clock, rng: np.random.Generator) -> "Known":
        """An event is never known before the one that it follows; a task is known as soon as it is raised."""
        task = work.raised
        assigned = np.maximum(clock.recorded(past.assigned, rng), task)
        started = np.maximum(clock.recorded(past.started, rng), assigned)
        completed = np.maximum(clock.recorded(past.completed, rng), started)
        return cls(task, assigned, started, completed, np.maximum(clock.recorded(past.rated, rng), completed))


def tasks(work: Tasks, past: History, known: Known, clock: Clock) -> pl.DataFrame:
    """task_service.tasks, as its current state is at the end of the history."""
    is_assigned, is_done = known.assigned < clock.seconds, known.completed < clock.seconds
    is_started = known.started < clock.seconds
    ended = np.where(past.is_cancelled, "CANCELLED", "COMPLETED")
    status = np.select([is_done, is_started, is_assigned], [ended, "IN_PROGRESS", "ASSIGNED"], "OPEN")
    kind = KINDS[work.department, work.kind]
    subject = np.array(SUBJECTS)[(work.project * 7 + np.arange(len(work))) % len(SUBJECTS)]
    frame = {
        "task_id": ids("t", np.arange(len(work))),
        "title": pl.Series(kind) + ": " + pl.Series(subject),
        "priority": work.priority,
        "difficulty": DIFFICULTIES[work.difficulty],
        "category": NAMES[work.department],
        "subcategory_id": kind,
        "project_id": ids("r", work.project),
        "breakdown_id": ids("b", work.project * 10 + work.breakdown),
        "raiser_id": ids("p", work.raiser),
        "assignee_id": ids("p", np.where(is_assigned, past.assignee, -1)),
        "estimate_hours": work.estimate,
        "estimated_at": clock.times(work.raised),
        "recorded_at": clock.times(known.task),
        "started_at": clock.times(past.started, is_started),
        "status": status,
        "actual_hours": where(pl.Series(is_done), pl.Series(past.actual)),
        "completed_at": clock.times(past.completed, is_done),
        "completion_recorded_at": clock.times(known.completed, is_done),
        "system_id": SYSTEM,
    }
    return pl.DataFrame(frame).filter(known.task < clock.seconds)


def workers(past: History) -> tuple[Ints, Ints, Floats]:
    """Everybody who worked on a task: (task, person, share of its hours); helpers do .4 of what the assignee does."""
    task = np.repeat(np.arange(len(past.assignee)), 1 + past.helpers.shape[1])
    person = np.concatenate([past.assignee[:, None], past.helpers], axis=1)
    weight = np.where(person >= 0, np.array([1.0, *[0.4] * past.helpers.shape[1]]), 0.0)
    share = weight / weight.sum(axis=1, keepdims=True)
    is_person = person.ravel() >= 0
    return task[is_person], person.ravel()[is_person], share.ravel()[is_person]


def worklogs(past: History, known: Known, clock: Clock) -> pl.DataFrame:
    """task_service.worklogs: hours by person, known when the task ended."""
    task, person, share = workers(past)
    rows = known.completed[task] < clock.seconds
    task, person, share = task[rows], person[rows], share[rows]
    tasks_, people = ids("t", task), ids("p", person)
    return pl.DataFrame(
        {
            "worklog_id": tasks_ + "-" + people,
            "task_id": tasks_,
            "user_id": people,
            "hours": np.round(past.actual[task] * share, 2),
            "worked_at": clock.times(past.completed[task]),
            "recorded_at": clock.times(known.completed[task]),
        }
    )


def skill_types(skills: Ints) -> NDArray[np.str_]:
    """TECHNICAL or, for the skills that all departments share, SOFT."""
    return np.where(skills >= len(SKILLS) - len(COMMON_SKILLS), "SOFT", "TECHNICAL")


def named(skills: Ints) -> Sequence[str]:
    """The skills' names."""
    return [SKILLS[skill] for skill in skills]
