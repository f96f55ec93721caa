"""Who, what, when, and how it ended: the spines that products learn from and are judged on.

Only what was known at the as-of date makes a row. Sources: REQUIREMENTS 3.1 and 3.2.
"""

from datetime import datetime, timedelta

import polars as pl

from feature_repo.window import Window
from training.product import Facts

CANDIDATE_DAYS = 365
MOST_CANDIDATES = 500  # of more people than this, each task is ranked against a sample with its own workers


def _specified(facts: Facts, window: Window) -> pl.LazyFrame:
    tasks = facts("tasks").select("task_id", "raiser_id", "estimated_at")
    return tasks.filter(pl.col("estimated_at").is_between(window.since, window.until, closed="left"))


def assignment_rows(facts: Facts, window: Window, as_of: datetime) -> pl.DataFrame:
    """A row for each task and person who may take it: those who worked on any task in the year before.

    relevance is 1 for who worked on the task, as known at as_of. Such a person who was no candidate has a row with
    is_candidate false, so that missing them counts. Tasks that nobody is known to have worked on have no row.
    raiser_differs: the raiser is not the person to whom the task was assigned.
    """
    del as_of  # facts are already cut at it
    worked = facts("worked_on").select("task_id", "person_id")
    tasks = _specified(facts, window).join(worked.select("task_id").unique(), on="task_id")
    done = worked.join(tasks.select("task_id", "estimated_at"), on="task_id").with_columns(relevance=pl.lit(1.0))
    rows = _candidates(facts, tasks, done).join(
        done, on=["task_id", "person_id", "estimated_at"], how="full", coalesce=True, maintain_order="none"
    )
    rows = rows.with_columns(pl.col("relevance").fill_null(0.0), pl.col("is_candidate").fill_null(False))
    return _named(rows.join(_raisers(facts), on="task_id", how="left")).collect()


def _raisers(facts: Facts) -> pl.LazyFrame:
    assigned = facts("assignments").select("task_id", assignee="person_id")
    differs = (pl.col("raiser_id") != pl.col("assignee")).all().fill_null(True)
    tasks = facts("tasks").select("task_id", "raiser_id")
    return tasks.join(assigned, on="task_id", how="left").group_by("task_id").agg(raiser_differs=differs)


def _candidates(facts: Facts, tasks: pl.LazyFrame, done: pl.LazyFrame) -> pl.LazyFrame:
    active = facts("worked_on").select("person_id", "recorded_at").unique().sort("recorded_at")
    drawn = _pairs(tasks, active.select("person_id").unique().sort("person_id"))
    pairs = pl.concat([drawn, done.select("task_id", "person_id", "estimated_at")], how="diagonal").unique()
    last = pairs.sort("estimated_at").join_asof(
        active, left_on="estimated_at", right_on="recorded_at", by="person_id", check_sortedness=False
    )
    recent = pl.col("estimated_at") - pl.col("recorded_at") <= timedelta(days=CANDIDATE_DAYS)
    return last.filter(recent).select("task_id", "person_id", "estimated_at", is_candidate=pl.lit(True))


def _pairs(tasks: pl.LazyFrame, people: pl.LazyFrame) -> pl.LazyFrame:
    """Every task with every person, or with a sample that depends on nothing but the task and the person."""
    known = people.collect()
    tasks = tasks.select("task_id", "estimated_at")
    if known.height <= MOST_CANDIDATES:
        return tasks.join(known.lazy(), how="cross")
    drawn = tasks.with_columns(draw=pl.int_ranges(0, MOST_CANDIDATES)).explode("draw")
    place = (pl.concat_str("task_id", "draw", separator="|").hash(0) % known.height).alias("place")
    places = known.with_row_index("place").cast({"place": pl.UInt64}).lazy()
    return drawn.with_columns(place).join(places, on="place").select("task_id", "person_id", "estimated_at").unique()


def _named(rows: pl.LazyFrame) -> pl.LazyFrame:
    """The columns of a spine, in one order."""
    return rows.select(
        "person_id", "task_id", pl.col("estimated_at").alias("event_timestamp"), pl.col("task_id").alias("group"),
        "relevance", "is_candidate", "raiser_differs",
    ).sort("event_timestamp", "group", "person_id")  # fmt: skip


def performance_rows(facts: Facts, window: Window, as_of: datetime) -> pl.DataFrame:
    """A row for each task whose hours are known, with the person to whom it was assigned, or who did most of it.

    actual_hours: the task's total. actual_timeliness_days: from specification to completion, null where no completion
    was dated. actual_quality: the mean rating, null where nobody rated.
    """
    del as_of  # facts are already cut at it
    ended = facts("completions").select("task_id", "actual_hours", "completed_at")
    rows = _specified(facts, window).join(ended, on="task_id").join(_person(facts), on="task_id")
    rated = facts("feedback").group_by("task_id").agg(actual_quality=pl.col("rating").cast(pl.Float64).mean())
    days = (pl.col("completed_at") - pl.col("estimated_at")).dt.total_seconds() / 86_400
    return (
        rows.join(rated, on="task_id", how="left")
        .select(
            "person_id", "task_id", pl.col("estimated_at").alias("event_timestamp"),
            pl.col("task_id").alias("group"), "actual_hours",
            days.clip(0).alias("actual_timeliness_days"), "actual_quality",
        )
        .sort("event_timestamp", "group")
        .collect()
    )  # fmt: skip


def _person(facts: Facts) -> pl.LazyFrame:
    """One person per task: the first to whom it was assigned, else the one with most hours."""
    assigned = facts("assignments").sort("task_id", "assigned_at", "person_id").select("task_id", "person_id", choice=0)
    spent = facts("worklogs").group_by("task_id", "person_id").agg(pl.col("hours").sum())
    spent = spent.sort("task_id", "hours", "person_id", descending=[False, True, False])
    choices = pl.concat([assigned, spent.select("task_id", "person_id", choice=1)])
    first = choices.sort("task_id", "choice", maintain_order=True).group_by("task_id", maintain_order=True)
    return first.agg(pl.col("person_id").first())
