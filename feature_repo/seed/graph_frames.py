"""The synthetic world as nodes and relationships."""

import numpy as np
import polars as pl

from feature_repo.seed import frames
from feature_repo.seed.catalogue import SENIORITY_LEVELS, SKILLS, prerequisites
from feature_repo.seed.frames import Clock, Known, ids
from feature_repo.seed.market import Market
from feature_repo.seed.outcomes import History
from feature_repo.seed.people import Floats, Ints, People
from feature_repo.seed.tasks import Tasks
from feature_repo.seed.writers import Relation

METHODS = np.array(["MANUAL", "SELF"])
SELF_CHOSEN = 0.2


def nodes(everybody: People, task_table: pl.DataFrame, places: Market) -> dict[str, pl.DataFrame]:
    """Nodes by label; tasks as in their table, so that graph and table agree."""
    return {
        "User": ids("p", np.arange(len(everybody))).alias("userId").to_frame(),
        "Skill": pl.DataFrame({"skillId": SKILLS, "skillType": frames.skill_types(np.arange(len(SKILLS)))}),
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
        "Job": _side_nodes("jobId", "j", places.jobs.seniority),
        "Talent": _side_nodes("talentId", "c", places.talents.seniority),
    }


def _side_nodes(key: str, prefix: str, seniority: Ints) -> pl.DataFrame:
    return pl.DataFrame(
        {key: ids(prefix, np.arange(len(seniority))), "seniorityLevel": np.array(SENIORITY_LEVELS)[seniority]}
    )


def relations(
    everybody: People, work: Tasks, past: History, known: Known, clock: Clock, rng: np.random.Generator
) -> dict[Relation, pl.DataFrame]:
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
        Relation("User", "ASSIGNED_TO", "Task", hub="start"): _assignments(past, known, clock, rng),
        Relation("User", "WORKED_ON", "Task", hub="start"): _worked_on(past, known, clock),
        Relation("User", "HAS_SKILL", "Skill"): _skills("p", everybody.levels, clock),
        Relation("Skill", "PREREQUISITE_OF", "Skill"): pl.DataFrame(
            {"start": [first for first, _ in pairs], "end": [then for _, then in pairs]}
        ),
    }


def market_relations(places: Market, clock: Clock) -> dict[Relation, pl.DataFrame]:
    """What talents can do, and what jobs ask for."""
    count, width = places.wanted.shape
    required = pl.DataFrame(
        {
            "start": ids("j", np.repeat(np.arange(count), width)),
            "end": frames.named(places.wanted.ravel()),
            "level": places.wanted_levels.ravel(),
            "mandatory": np.tile(np.arange(width) < width // 2, count),
            "recordedAt": clock.times(np.repeat(places.posted, width)),
        }
    )
    return {
        Relation("Job", "REQUIRES", "Skill"): required,
        Relation("Talent", "HAS_SKILL", "Skill"): _skills("c", places.levels, clock),
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


def _assignments(past: History, known: Known, clock: Clock, rng: np.random.Generator) -> pl.DataFrame:
    method = METHODS[(rng.random(len(past.assignee)) < SELF_CHOSEN).astype(np.int64)]
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


def _skills(prefix: str, levels: Floats, clock: Clock) -> pl.DataFrame:
    """Levels as declared at the start of the history, or on joining."""
    person, skill = np.nonzero(levels)
    return pl.DataFrame(
        {
            "start": ids(prefix, person),
            "end": frames.named(skill),
            "level": levels[person, skill],
            "recordedAt": clock.times(np.zeros(len(person), dtype=np.int64)),
        }
    )
