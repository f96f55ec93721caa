"""The SiP task history into the source databases, as the README of the data sets maps it.

SiP knows days, not times. A task's specification is known from the start of its day; whatever happens on a day
(assigned, started, completed, hours) is known at the start of the next. Of a task that ended on a day that nobody noted
the hours are known only when nearly any task would have ended; what has no end at all is in the database with a null
recorded time: no window ever holds it.
"""

from collections.abc import Callable, Sequence
from pathlib import Path

import polars as pl

from feature_repo.extract import silent
from feature_repo.seed import sip_histories, writers
from feature_repo.seed.sip_file import read_files
from feature_repo.seed.writers import Relation
from feature_repo.settings import Settings
from feature_repo.sources import schema

SYSTEM = "sip"
NEXT_DAY = "1d"
ENDED = ("COMPLETED", "FINISHED", "CHRONICLE")

Counts = dict[str, int]


def seed_sip(settings: Settings, paths: Sequence[Path], progress: Callable[[str], None] = silent) -> Counts:
    """Add the tasks of the files to the source databases; the same files again change nothing.

    Returns the rows, relationships and documents written, by place.
    Raises DataError for a malformed file, before anything is written; SourceError where a source cannot be written.
    """
    rows = read_files([Path(path) for path in paths])
    progress(f"{rows.height:,} rows of {rows['TaskNumber'].n_unique():,} tasks read")
    schema.create(settings)
    counts: Counts = {}
    for step in (_write_tables, _write_graph, sip_histories.write):
        found = step(settings, rows)
        counts.update(found)
        progress(", ".join(f"{place} {count:,}" for place, count in found.items()))
    return counts


def _write_tables(settings: Settings, rows: pl.DataFrame) -> Counts:
    table = {
        "task_service.tasks": tasks(rows),
        "task_service.worklogs": worklogs(rows),
    }
    counts = {place: writers.write_table(settings, place, frame) for place, frame in table.items()}
    earliest = ("created_date", "recorded_at")
    place = "identity_service.users"
    return {place: writers.write_table(settings, place, users(rows), earliest), **counts}


def known_next_day(day: str | pl.Expr) -> pl.Expr:
    """When something that happened on a day became known: the start of the next."""
    return (pl.col(day) if isinstance(day, str) else day).dt.offset_by(NEXT_DAY)


def started() -> pl.Expr:
    """When work began: StartedOn, else CompletedOn."""
    return pl.coalesce("StartedOn", "CompletedOn")


def known_start() -> pl.Expr:
    """When it became known that somebody works on the task, never before the task itself."""
    return known_next_day(pl.when(started().is_not_null()).then(pl.max_horizontal(started(), "EstimateOn")))


def known_end() -> pl.Expr:
    """When it became known that, and with how many hours, the task ended; null while it has not.

    1,507 of SiP's 9,275 tasks ended (CHRONICLE) without a day: of those that have one and ended before 2011, 93% had
    ended DAYS_OPEN after they began, so hours without a day count as known only from then on.
    """
    began = pl.max_horizontal("StartedOn", "EstimateOn")
    latest = pl.when(pl.col("StatusCode").is_in(ENDED)).then(began.dt.offset_by(f"{sip_histories.DAYS_OPEN}d"))
    return known_next_day(pl.coalesce("CompletedOn", latest))


def one_per_task(rows: pl.DataFrame) -> pl.DataFrame:
    """HoursActual and the like are the task's totals, repeated for each developer: keep one row of each task."""
    return rows.unique("TaskNumber", keep="last", maintain_order=True)


def tasks(rows: pl.DataFrame) -> pl.DataFrame:
    """task_service.tasks: the specification, and what is known only afterwards with its own time of record."""
    return one_per_task(rows).select(
        task_id="TaskNumber",
        title="Summary",
        priority="Priority",
        category="Category",
        subcategory_id="SubCategory",
        project_id="ProjectCode",
        breakdown_id="ProjectBreakdownCode",
        raiser_id="RaisedByID",
        assignee_id="AssignedToID",
        authoriser_id="AuthorisedByID",
        estimate_hours="HoursEstimate",
        estimated_at="EstimateOn",
        recorded_at="EstimateOn",
        started_at="StartedOn",
        status="StatusCode",
        actual_hours="HoursActual",
        completed_at="CompletedOn",
        completion_recorded_at=known_end(),
        system_id=pl.lit(SYSTEM),
    )


def worklogs(rows: pl.DataFrame) -> pl.DataFrame:
    """task_service.worklogs: hours of a developer on a task, known when the task was completed."""
    return rows.drop_nulls("DeveloperID").select(
        worklog_id=pl.concat_str("TaskNumber", "DeveloperID", separator="-"),
        task_id="TaskNumber",
        user_id="DeveloperID",
        hours="DeveloperHoursActual",
        worked_at="CompletedOn",
        recorded_at=known_next_day("CompletedOn"),
    )


def users(rows: pl.DataFrame) -> pl.DataFrame:
    """identity_service.users: whoever raised, was given, authorised or did a task, from when on that was known."""
    given = known_next_day("EstimateOn")
    roles = (
        ("RaisedByID", pl.col("EstimateOn"), pl.col("EstimateOn")),
        ("AssignedToID", pl.col("EstimateOn"), given),
        ("AuthorisedByID", pl.col("EstimateOn"), given),
        ("DeveloperID", pl.max_horizontal(started(), "EstimateOn"), pl.coalesce(known_start(), given)),
    )
    seen = pl.concat([rows.select(user_id=role, created_date=since, recorded_at=known) for role, since, known in roles])
    people = seen.drop_nulls("user_id").group_by("user_id").agg(pl.col("created_date", "recorded_at").min())
    return people.sort("user_id").select(
        "user_id",
        pl.format("person{}@sip.example", "user_id").alias("email"),
        pl.lit("ACTIVE").alias("status"),
        "created_date",
        "recorded_at",
    )


def _write_graph(settings: Settings, rows: pl.DataFrame) -> Counts:
    counts = {label: writers.write_nodes(settings, label, frame) for label, frame in nodes(rows).items()}
    for relation, frame in relations(rows).items():
        counts[str(relation)] = writers.write_relations(settings, relation, frame.drop_nulls(["start", "end"]))
    return counts


def nodes(rows: pl.DataFrame) -> dict[str, pl.DataFrame]:
    """The graph's nodes by label."""
    task = one_per_task(rows).select(
        taskId="TaskNumber",
        title="Summary",
        priority="Priority",
        status="StatusCode",
        estimatedHours="HoursEstimate",
        actualHours="HoursActual",
        completionDate="CompletedOn",
    )
    skills = pl.concat([rows["SubCategory"], rows["ProjectBreakdownCode"].rename("SubCategory")])
    return {
        "User": users(rows).select(userId="user_id"),
        "Project": rows.select(projectId="ProjectCode").drop_nulls().unique().sort("projectId"),
        "Skill": skills.drop_nulls().unique().sort().alias("skillId").to_frame(),
        "Task": task,
    }


def relations(rows: pl.DataFrame) -> dict[Relation, pl.DataFrame]:
    """The graph's relationships by type."""
    task, given = one_per_task(rows), known_next_day("EstimateOn")
    by_person = {
        "RAISED": _role(task, "RaisedByID", pl.col("EstimateOn")),
        "ASSIGNED_TO": _role(task, "AssignedToID", given, at="assignmentDate", assignmentMethod=pl.lit("MANUAL")),
        "AUTHORISED": _role(task, "AuthorisedByID", given),
        "WORKED_ON": rows.select(
            start="DeveloperID", end="TaskNumber", at=started(), hours="DeveloperHoursActual", recordedAt=known_start()
        ),
    }
    return {
        **{Relation("User", name, "Task", hub="start"): frame for name, frame in by_person.items()},
        Relation("Task", "BELONGS_TO", "Project"): task.select(start="TaskNumber", end="ProjectCode"),
        Relation("Task", "REQUIRES", "Skill"): _requirements(task),
    }


def _role(task: pl.DataFrame, person: str, known: pl.Expr, at: str = "at", **properties: pl.Expr) -> pl.DataFrame:
    times = {at: pl.col("EstimateOn"), "recordedAt": known}
    return task.select(start=pl.col(person), end=pl.col("TaskNumber"), **times, **properties)


def _requirements(task: pl.DataFrame) -> pl.DataFrame:
    """SiP names no skills: sub-category and part of the project stand for them; both are needed, at no level."""
    kinds = pl.concat(
        [task.select(start="TaskNumber", end=kind, recordedAt="EstimateOn") for kind in sip_histories.SKILL_TYPES]
    )
    return kinds.drop_nulls("end").unique(["start", "end"], maintain_order=True).with_columns(mandatory=pl.lit(True))
