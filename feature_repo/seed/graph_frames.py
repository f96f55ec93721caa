"""The synthetic world as nodes and relationships."""

import numpy as np
import polars as pl

from feature_repo.seed import frames, wordings
from feature_repo.seed.catalogue import CORE, DEPARTMENTS, SENIORITY_LEVELS, SKILLS, prerequisites
from feature_repo.seed.details import Details
from feature_repo.seed.frames import Clock, Known, ids
from feature_repo.seed.market import Market
from feature_repo.seed.outcomes import History
from feature_repo.seed.people import Ints
from feature_repo.seed.tasks import Tasks
from feature_repo.seed.writers import Relation

METHODS = np.array(["MANUAL", "SELF"])


def nodes(task_table: pl.DataFrame, users: pl.Series, places: Market, clock: Clock) -> dict[str, pl.DataFrame]:
    """Nodes by label; tasks as in their table, so that graph and table agree. users: the ids of all people."""
    return {
        "User": users.alias("userId").to_frame(),
        "Skill": _skills(clock),
        "Project": task_table.select(projectId="project_id").unique().sort("projectId"),
        "Task": task_table.select(
            "title",
            "difficulty",
            "priority",
            "status",
            taskId="task_id",
            estimatedHours="estimate_hours",
            actualHours="actual_hours",
            completionDate="completed_at",
        ),
        "Job": pl.DataFrame(
            {
                "jobId": ids("j", np.arange(len(places.jobs))),
                "seniorityLevel": np.array(SENIORITY_LEVELS)[places.jobs.seniority],
            }
        ),
    }


def _skills(clock: Clock) -> pl.DataFrame:
    """The catalogue of skills, by department; those that all share have no broader one."""
    number = np.arange(len(SKILLS))
    is_core = number < len(DEPARTMENTS) * CORE
    group = pl.Series(frames.NAMES[np.minimum(number // CORE, len(DEPARTMENTS) - 1)]).str.to_lowercase()
    return pl.DataFrame(
        {
            "skillId": SKILLS,
            "name": wordings.names(),
            "skillType": frames.skill_types(number),
            "parentId": frames.where(pl.Series(is_core), group),
            "recordedAt": clock.times(np.zeros(len(SKILLS), dtype=np.int64)),
        }
    )


def relations(work: Tasks, past: History, known: Known, facts: Details, clock: Clock) -> dict[Relation, pl.DataFrame]:
    """Relationships between people, tasks, projects and skills."""
    raised = np.flatnonzero(known.task < clock.seconds)
    pairs = prerequisites()
    return {
        Relation("User", "RAISED", "Task", hub="start"): pl.DataFrame(
            {
                "start": ids("p", work.raiser[raised]),
                "end": ids("t", raised),
                "at": clock.times(work.raised[raised]),
                "recordedAt": clock.times(known.task[raised]),
            }
        ),
        Relation("Task", "BELONGS_TO", "Project"): pl.DataFrame(
            {"start": ids("t", raised), "end": ids("r", work.project[raised])}
        ),
        Relation("Task", "REQUIRES", "Skill"): _requirements(work, known, clock, raised),
        Relation("User", "ASSIGNED_TO", "Task", hub="start"): _assignments(past, known, facts, clock),
        Relation("User", "WORKED_ON", "Task", hub="start"): _worked_on(past, known, clock),
        Relation("Skill", "PREREQUISITE_OF", "Skill"): pl.DataFrame(
            {
                "start": [first for first, _ in pairs],
                "end": [then for _, then in pairs],
                "recordedAt": clock.times(np.zeros(len(pairs), dtype=np.int64)),
            }
        ),
    }


def _requirements(work: Tasks, known: Known, clock: Clock, raised: Ints) -> pl.DataFrame:
    row, place = np.nonzero(work.skills[raised] >= 0)
    task = raised[row]
    return pl.DataFrame(
        {
            "start": ids("t", task),
            "end": frames.named(work.skills[task, place]),
            "level": work.levels[task, place],
            "mandatory": work.mandatory[task, place],
            "recordedAt": clock.times(known.task[task]),
        }
    )


def _assignments(past: History, known: Known, facts: Details, clock: Clock) -> pl.DataFrame:
    method = METHODS[facts.is_self_chosen.astype(np.int64)]
    task = np.flatnonzero(known.assigned < clock.seconds)
    return pl.DataFrame(
        {
            "start": ids("p", past.assignee[task]),
            "end": ids("t", task),
            "assignmentDate": clock.times(past.assigned[task]),
            "assignmentMethod": method[task],
            "recordedAt": clock.times(known.assigned[task]),
        }
    )


def _worked_on(past: History, known: Known, clock: Clock) -> pl.DataFrame:
    task, person, _ = frames.workers(past)
    rows = known.started[task] < clock.seconds
    task, person = task[rows], person[rows]
    return pl.DataFrame(
        {
            "start": ids("p", person),
            "end": ids("t", task),
            "at": clock.times(past.started[task]),
            "recordedAt": clock.times(known.started[task]),
        }
    )
