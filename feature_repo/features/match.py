"""A person beside a task: whose it is, how large and urgent it is for them, and which of its skills they have."""

import numpy as np
import polars as pl
from numpy.typing import NDArray

from feature_repo.column import Column
from feature_repo.features import history, task, wording
from feature_repo.features.pair import difference, faded, view
from feature_repo.features.ragged import Lists, mean_ratio, share_held
from feature_repo.features.standing import read_off
from feature_repo.names import Texts, are_equal

Floats = NDArray[np.float64]
WORKING_DAY = 7.0  # hours; estimates are often whole days
SKILLS = "mongodb.user_skills, neo4j.requirements"


@view.column(float, minimum=0, maximum=1, source="mysql.tasks", nulls=1.0)
def is_raiser(task__raiser_id: Texts, person__id: Texts) -> Floats:
    """1 where the person raised the task; missing where nobody is known to have raised it."""
    return are_equal(task__raiser_id, person__id)


@view.column(float, source="mysql.tasks")
def log_estimate(task__estimate_hours: Floats) -> Floats:
    """ln(1 + estimated hours)."""
    logs: Floats = np.log1p(task__estimate_hours)
    return logs


@view.column(float, minimum=0, maximum=1, source="mysql.tasks")
def is_whole_hours(task__estimate_hours: Floats) -> Floats:
    """1 where the estimate is a whole number of hours."""
    part: Floats = task__estimate_hours % 1
    whole: Floats = (part == 0).astype(np.float64)
    return whole


@view.column(float, minimum=0, maximum=1, source="mysql.tasks")
def is_whole_days(task__estimate_hours: Floats) -> Floats:
    """1 where the estimate is a whole number of working days, to about ten minutes."""
    days = task__estimate_hours / WORKING_DAY
    off: Floats = np.abs(days - np.round(days))
    near: Floats = (off < 0.02).astype(np.float64)
    return near


@view.column(float, unit="words", minimum=0, source="mysql.tasks", nulls=1.0)
def title_words(task__title: pl.Series) -> pl.Series:
    """How many words the title has."""
    return task__title.str.count_matches(wording.WORD)


@view.column(float, unit="days", minimum=0, maximum=6, source="mysql.tasks")
def day_of_week(at: Floats) -> Floats:
    """Monday 0 to Sunday 6."""
    days: Floats = (np.floor(at) + 3) % 7
    return days


@view.column(float, unit="weeks", minimum=0, maximum=53, source="mysql.tasks")
def season(at: Floats) -> Floats:
    """Weeks since the turn of the year."""
    weeks: Floats = (at % 365.25) // 7
    return weeks


def _for_person(name: str, what: str, this: str, amount: str) -> Column:
    def usual(total: Floats, tasks: Floats) -> Floats:
        means: Floats = total / np.maximum(tasks, 1e-9)
        return means

    words = "mean of the tasks that the person started lately"
    mean = read_off(history.people, f"usual_{name}", f"{what}: {words}.", usual, (amount, "started_180d"), nulls=1.0)
    less = f"{what} less the {words}."
    return difference(f"{name}_for_person", less, this, mean.qualified, nulls=1.0, source=history.WORK)


size_for_person = _for_person("size", "ln(1 + estimate)", log_estimate.qualified, "start_log_estimate_180d")
priority_for_person = _for_person("priority", "The priority", task.priority.qualified, "start_priority_180d")


@view.column(float, minimum=0, maximum=1, source=history.ENDED)
def past_effort(
    person__effort_rating_365d: Floats, person__finished_365d: Floats, person__day: Floats, at: Floats
) -> Floats:
    """Mean effort rating over 5 of the tasks that the person finished, drawn to 0.7 by two tasks."""
    rated = faded(person__effort_rating_365d, person__day, at, 365) / 5
    known = faded(person__finished_365d, person__day, at, 365)
    means: Floats = (rated + 2 * 0.7) / (known + 2)
    return means


@view.column(float, minimum=0, maximum=1, source=SKILLS, nulls=1.0)
def skill_match(
    task__skills: Lists, task__skill_levels: Lists, skill_set__skills: Lists, skill_set__levels: Lists
) -> Floats:
    """Mean over the required skills of min(1, level held / level asked for); missing where none is required."""
    return mean_ratio(task__skills, task__skill_levels, skill_set__skills, skill_set__levels)


@view.column(float, minimum=0, maximum=1, source=SKILLS, nulls=1.0)
def skill_coverage(task__skills: Lists, skill_set__skills: Lists, skill_set__levels: Lists) -> Floats:
    """Share of the required skills that the person has at any level; missing where none is required."""
    return share_held(task__skills, skill_set__skills, skill_set__levels)
