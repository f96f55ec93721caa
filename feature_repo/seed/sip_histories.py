"""What SiP's people could do and had to do, month by month and day by day, from all tasks in the databases."""

from typing import Any

import polars as pl

from feature_repo.seed import writers
from feature_repo.settings import Settings
from feature_repo.sources import mongodb, mysql, servers
from feature_repo.sources.streams import user_skills, workloads

SKILL_TYPES = {"SubCategory": "subcategory_id", "ProjectBreakdownCode": "breakdown_id"}
MONTHS_IN_USE = 12
# A task of which no end is known counts as open for this long: 2,155 of SiP's 11,132 rows never get an end, and 93%
# of the tasks that do, get it within these days.
DAYS_OPEN = 180
DAYS_PER_YEAR = 365.25

SKILL = ["userId", "skillName", "skillType"]

WORKED = """SELECT w.user_id, t.subcategory_id, t.breakdown_id, w.hours, t.actual_hours / t.estimate_hours,
    w.recorded_at FROM task_service.tasks t JOIN task_service.worklogs w USING (task_id)
    WHERE t.system_id = 'sip' AND w.recorded_at IS NOT NULL AND t.status <> 'CANCELLED'
    ORDER BY w.worklog_id"""
GIVEN = """SELECT assignee_id, estimate_hours, estimated_at, completed_at FROM task_service.tasks
    WHERE system_id = 'sip' AND assignee_id IS NOT NULL ORDER BY task_id"""
TIME = pl.Datetime("us", "UTC")


def write(settings: Settings, _rows: pl.DataFrame) -> dict[str, int]:
    """Recompute user_skills and user_workloads of all SiP people; documents that no longer hold are removed."""
    histories = {user_skills: skills(worked(settings)), workloads: loads(given(settings))}
    counts = {}
    for stream, frame in histories.items():
        key = [stream.path(name) for name in stream.key]
        documents = frame.with_columns(system=pl.lit("sip"))
        _remove_stale(settings, stream.origin, writers.document_ids(frame, key))
        counts[stream.origin] = writers.write_documents(settings, stream.origin, documents, key)
    return counts


def _remove_stale(settings: Settings, place: str, wanted: pl.Series) -> None:
    """A later file may end what an earlier one left open, such as a pause in the use of a skill."""
    database, _, name = place.partition(".")
    with mongodb.connected(servers.address(settings, "mongodb")) as client:
        found = {document["_id"] for document in client[database][name].find({"system": "sip"}, {"_id": 1})}
    writers.remove_documents(settings, place, sorted(found - set(wanted)))


def worked(settings: Settings) -> pl.DataFrame:
    """Finished work by person and task: skills, hours, actual over estimated hours, when its end became known."""
    numbers = {"hours": pl.Float64, "ratio": pl.Float64, "recordedAt": TIME}
    return _frame(settings, WORKED, {"userId": pl.String, **dict.fromkeys(SKILL_TYPES, pl.String), **numbers})


def given(settings: Settings) -> pl.DataFrame:
    """Assigned tasks: person, estimated hours, and the days of estimate and of completion, if any."""
    return _frame(settings, GIVEN, {"userId": pl.String, "estimate": pl.Float64, "since": TIME, "completed": TIME})


def _frame(settings: Settings, query: str, schema: dict[str, Any]) -> pl.DataFrame:
    with mysql.connected(servers.address(settings, "mysql")) as connection, connection.cursor() as cursor:
        cursor.execute(query)
        cells = [[None if cell is None else cell.decode() for cell in row] for row in cursor.fetchall()]
    texts = pl.DataFrame(cells, schema=dict.fromkeys(schema, pl.String), orient="row")
    return texts.select(
        pl.col(name).str.to_datetime("%Y-%m-%d %H:%M:%S%.f", time_unit="us", time_zone="UTC")
        if kind == TIME
        else pl.col(name).cast(kind)
        for name, kind in schema.items()
    )


def skills(work: pl.DataFrame) -> pl.DataFrame:
    """Documents of user_skills: the state at the start of each month that follows a change.

    Counts, hours and the median of actual over estimated hours are those of all tasks whose end was known by then. The
    level, which SiP does not declare, is 1 for one finished task, 3 for ten, 5 for a hundred and more.
    """
    done = pl.concat([_by_skill(work, kind) for kind in SKILL_TYPES]).drop_nulls("skillName")
    months = done.select(*SKILL, asOf=_month_from("recordedAt")).unique()
    moments = pl.concat([months.with_columns(isActive=pl.lit(True)), _pauses(months)])
    earlier = pl.col("recordedAt") <= pl.col("asOf")
    states = moments.join(done, on=SKILL, maintain_order="left_right").filter(earlier)
    return (
        states.group_by(*SKILL, "asOf", "isActive", maintain_order=True)
        .agg(
            tasks=pl.len().cast(pl.Int64),
            hours=pl.col("hours").sum().round(6),
            medianRatio=pl.col("ratio").median(),
            first=pl.col("recordedAt").min(),
        )
        .select(
            *SKILL,
            (1 + 2 * pl.col("tasks").log10()).clip(1, 5).alias("proficiencyLevel"),
            ((pl.col("asOf") - pl.col("first")).dt.total_days() / DAYS_PER_YEAR).alias("yearsOfExperience"),
            "tasks",
            "hours",
            "medianRatio",
            "isActive",
            "asOf",
            recordedAt="asOf",
        )
        .sort(*SKILL, "asOf")
    )


def _by_skill(work: pl.DataFrame, kind: str) -> pl.DataFrame:
    names = {"skillName": pl.col(kind), "skillType": pl.lit(SKILL_TYPES[kind])}
    return work.select("userId", "hours", "ratio", "recordedAt", **names)


def _month_from(time: str) -> pl.Expr:
    """The first start of a month at or after a time."""
    month = pl.col(time).dt.truncate("1mo")
    return pl.when(month == pl.col(time)).then(month).otherwise(month.dt.offset_by("1mo"))


def _pauses(months: pl.DataFrame) -> pl.DataFrame:
    """A skill that rests for MONTHS_IN_USE is out of use from then until its next task."""
    last = months["asOf"].max()
    following = pl.col("asOf").shift(-1).over(SKILL)
    rested = months.sort(*SKILL, "asOf").with_columns(
        following.alias("following"), pl.col("asOf").dt.offset_by(f"{MONTHS_IN_USE}mo")
    )
    is_pause = pl.when(pl.col("following").is_null()).then(pl.col("asOf") <= last)
    paused = rested.filter(is_pause.otherwise(pl.col("asOf") < pl.col("following")))
    return paused.select(*SKILL, "asOf", isActive=pl.lit(False))


def loads(tasks: pl.DataFrame) -> pl.DataFrame:
    """Documents of user_workloads: open tasks and their estimated hours at the end of each day that changed them."""
    end = pl.min_horizontal("completed", pl.col("since").dt.offset_by(f"{DAYS_OPEN}d"))
    opened = tasks.select("userId", day="since", openTasks=pl.lit(1), allocatedHours="estimate")
    closed = tasks.select("userId", day=end, openTasks=pl.lit(-1), allocatedHours=-pl.col("estimate"))
    changes = pl.concat([opened, closed]).group_by("userId", "day", maintain_order=True).agg(pl.all().sum())
    is_change = (pl.col("openTasks") != 0) | (pl.col("allocatedHours").abs() > 1e-6)
    return (
        changes.filter(is_change)
        .sort("userId", "day")
        .select(
            "userId",
            pl.col("day").alias("date"),
            pl.col("openTasks").cum_sum().over("userId").cast(pl.Int64),
            pl.col("allocatedHours").cum_sum().over("userId").round(6).clip(0),
            utilization=pl.lit(None, pl.Float64),
            capacity=pl.lit(None, pl.Float64),
            recordedAt=pl.col("day").dt.offset_by("1d"),
        )
    )
