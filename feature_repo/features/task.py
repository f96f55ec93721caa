"""A task as specified. Nothing here is known only afterwards."""

import ibis
from ibis.expr import types as ir

from feature_repo.column import View
from feature_repo.entities import task
from feature_repo.features.events import Streams

SOURCE = "mysql.tasks"


def _skills(streams: Streams) -> ir.Table:
    """For each version of a task the skills that were required when it was recorded, each as it stood then."""
    needed = streams["requirements"].join(streams["tasks"].select("task_id", known_at="recorded_at"), "task_id")
    needed = needed.filter(needed.recorded_at <= needed.known_at)
    latest = ibis.window(
        group_by=[needed.task_id, needed.known_at, needed.skill_id], order_by=ibis.desc(needed.recorded_at)
    )
    needed = needed.mutate(age=ibis.row_number().over(latest)).filter(ibis._.age == 0)
    order = needed.skill_id
    return needed.group_by("task_id", "known_at").agg(
        skills=needed.skill_id.collect(order_by=order),
        skill_levels=needed.level.cast("float64").fill_null(1.0).collect(order_by=order),
    )


def _rows(streams: Streams) -> ir.Table:
    """A row for each version of a task; its skills are those required when the version was recorded."""
    skills = _skills(streams).rename(skilled_task="task_id")
    tasks = streams["tasks"]
    joined = tasks.left_join(skills, [tasks.task_id == skills.skilled_task, tasks.recorded_at == skills.known_at])
    return joined.mutate(event_timestamp=tasks.estimated_at, created_timestamp=tasks.recorded_at)


view = View("task", (task,), _rows)


@view.column(str, source=SOURCE, nulls=0.01)
def title(rows: ir.Table) -> ir.Value:
    """The task in a line."""
    return rows.title


@view.column(int, source=SOURCE, minimum=1, maximum=10)
def priority(rows: ir.Table) -> ir.Value:
    """Rank of urgency in the source: LOW..CRITICAL are 1 to 4, SiP uses 1 to 10."""
    return rows.priority


@view.column(float, source=SOURCE, minimum=1, maximum=3, nulls=1.0)
def difficulty(rows: ir.Table) -> ir.Value:
    """EASY 1, MEDIUM 2, HARD 3."""
    return rows.difficulty.cases(("EASY", 1.0), ("MEDIUM", 2.0), ("HARD", 3.0), else_=ibis.null("float64"))


@view.column(str, source=SOURCE, nulls=1.0)
def category(rows: ir.Table) -> ir.Value:
    """Kind of work."""
    return rows.category


@view.column(str, source=SOURCE, nulls=1.0)
def subcategory_id(rows: ir.Table) -> ir.Value:
    """Finer kind of work."""
    return rows.subcategory_id


@view.column(str, source=SOURCE)
def project_id(rows: ir.Table) -> ir.Value:
    """The project that the task belongs to."""
    return rows.project_id


@view.column(str, source=SOURCE, nulls=1.0)
def breakdown_id(rows: ir.Table) -> ir.Value:
    """The part of the project."""
    return rows.breakdown_id


@view.column(str, source=SOURCE, nulls=1.0)
def raiser_id(rows: ir.Table) -> ir.Value:
    """Who asked for the task."""
    return rows.raiser_id


@view.column(float, unit="h", source=SOURCE, minimum=0.001, maximum=10_000, nulls=1.0)
def estimate_hours(rows: ir.Table) -> ir.Value:
    """Effort as estimated when specified; missing where nobody estimated it."""
    return rows.estimate_hours


@view.column(list[str], source="neo4j.requirements", nulls=1.0)
def skills(rows: ir.Table) -> ir.Value:
    """The skills that the task asks for, in alphabetical order."""
    return rows.skills


@view.column(list[float], source="neo4j.requirements", nulls=1.0)
def skill_levels(rows: ir.Table) -> ir.Value:
    """The proficiency asked for in each of `skills`, BEGINNER 1 to MASTER 5."""
    return rows.skill_levels
