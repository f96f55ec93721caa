"""Who, what, when, and how it ended: the spines that products learn from and are judged on.

Only what the facts hold, which are cut at the as-of date, makes a row. Sources: REQUIREMENTS 3.1 and 3.2.
"""

from datetime import datetime, timedelta

import polars as pl

from feature_repo.window import Window, last_before
from training.product import Facts

CANDIDATE_DAYS = 365
MOST_CANDIDATES = 500  # where more people are known, each task is ranked against a sample with its own workers
# Of a window: 500 candidates for each of 10,000 tasks would be 5 million rows, and more than 14 GB to train on.
MOST_ROWS = 500_000
FEWEST_CANDIDATES = 50
MOST_DUE = 100_000
"""Rows of a batch score, where everybody stands with everything."""


def crossed(people: pl.DataFrame, items: pl.DataFrame, as_of: datetime) -> pl.DataFrame:
    """The spine of a batch: everybody with every item, grouped by person, at the last instant before a date."""
    at = pl.lit(last_before(as_of)).cast(pl.Datetime("us", "UTC"))
    return people.join(items, how="cross").with_columns(event_timestamp=at, group="person_id")


def everybody_with(items: pl.DataFrame, facts: Facts, as_of: datetime) -> pl.DataFrame:
    """As crossed, of the people on the market, as many as MOST_DUE rows hold."""
    people = facts("talents").select("person_id").sort("person_id").collect()
    return crossed(people.head(max(MOST_DUE // max(items.height, 1), 1)), items, as_of)


def _specified(facts: Facts, window: Window) -> pl.LazyFrame:
    """Tasks first known in the window. at: when one could first have asked about the task."""
    tasks = facts("tasks", first=True).select(
        "task_id", "estimated_at", at=pl.max_horizontal("estimated_at", "recorded_at")
    )
    return tasks.filter(pl.col("at").is_between(window.since, window.until, closed="left"))


def assignment_rows(facts: Facts, window: Window) -> pl.DataFrame:
    """A row for each task and person who may take it: those who worked on any task in the year before.

    relevance is 1 for who is known to have worked on the task. Such a person who was no candidate has a row with
    is_candidate false, so that missing them counts. Tasks that nobody is known to have worked on have no row.
    raiser_differs: the raiser is not the person to whom the task was assigned.
    """
    worked = facts("worked_on").select("task_id", "person_id")
    tasks = _specified(facts, window).select("task_id", "at").join(worked.select("task_id").unique(), on="task_id")
    done = worked.join(tasks, on="task_id").with_columns(relevance=pl.lit(1.0))
    keys = ["task_id", "person_id", "at"]
    rows = _candidates(facts, tasks, done.select(keys)).join(done, on=keys, how="full", coalesce=True)
    rows = rows.with_columns(pl.col("relevance").fill_null(0.0), pl.col("is_candidate").fill_null(False))
    return _named(rows.join(_raisers(facts), on="task_id", how="left")).collect()


def _raisers(facts: Facts) -> pl.LazyFrame:
    assigned = facts("assignments").select("task_id", assignee="person_id")
    differs = (pl.col("raiser_id") != pl.col("assignee")).all().fill_null(True)
    tasks = facts("tasks").select("task_id", "raiser_id")
    return tasks.join(assigned, on="task_id", how="left").group_by("task_id").agg(raiser_differs=differs)


def _candidates(facts: Facts, tasks: pl.LazyFrame, done: pl.LazyFrame) -> pl.LazyFrame:
    starts = _starts(facts)
    pairs = pl.concat([_pairs(tasks, starts), done]).unique()
    return _active(pairs, starts).select("task_id", "person_id", "at", is_candidate=pl.lit(True))


def active_people(facts: Facts, at: datetime) -> pl.LazyFrame:
    """Who may take a task that is asked about at an instant: person_id, and recorded_at of the latest start.

    Those first known, in the CANDIDATE_DAYS up to then, to have started a task.
    """
    starts = _starts(facts)
    asked = starts.select("person_id").unique().with_columns(at=pl.lit(at).cast(pl.Datetime("us", "UTC")))
    return _active(asked, starts).select("person_id", "recorded_at")


def _starts(facts: Facts) -> pl.LazyFrame:
    """When each start of a person on a task was first known: a later correction makes nobody active again."""
    return facts("worked_on", first=True).select("person_id", "recorded_at").unique().sort("recorded_at")


def _active(asked: pl.LazyFrame, starts: pl.LazyFrame) -> pl.LazyFrame:
    """The rows of asked (person_id, at) whose person may take a task then, with recorded_at of the latest start."""
    last = asked.sort("at").join_asof(
        starts, left_on="at", right_on="recorded_at", by="person_id", check_sortedness=False
    )
    return last.filter(pl.col("at") - pl.col("recorded_at") <= timedelta(days=CANDIDATE_DAYS))


def _pairs(tasks: pl.LazyFrame, starts: pl.LazyFrame) -> pl.LazyFrame:
    """Every task with everybody known to have worked by then, or with a sample of them.

    The sample depends on the task, on who was known then and on how many tasks there are, not on who came later: a
    rerun draws the same, and a window of few tasks draws more for each.
    """
    people = starts.group_by("person_id").agg(since=pl.col("recorded_at").min()).sort("since", "person_id")
    people = people.with_columns(place=pl.int_range(pl.len(), dtype=pl.UInt64))
    known = people.select("since", known=pl.col("place") + 1)
    drawn = tasks.sort("at").join_asof(known, left_on="at", right_on="since").drop_nulls("known")
    most = (MOST_ROWS // pl.len()).clip(FEWEST_CANDIDATES, MOST_CANDIDATES)
    drawn = drawn.with_columns(most=most)
    drawn = drawn.with_columns(draw=pl.int_ranges(0, pl.min_horizontal("known", "most"))).explode("draw")
    sampled = pl.concat_str("task_id", "draw", separator="|").hash(0) % pl.col("known")
    place = pl.when(pl.col("known") <= pl.col("most")).then(pl.col("draw").cast(pl.UInt64)).otherwise(sampled)
    drawn = drawn.with_columns(place=place).join(people, on="place")
    return drawn.select("task_id", "person_id", "at")


def _named(rows: pl.LazyFrame) -> pl.LazyFrame:
    """The columns of a spine, in one order."""
    return rows.select(
        "person_id", "task_id", pl.col("at").alias("event_timestamp"), pl.col("task_id").alias("group"),
        "relevance", "is_candidate", "raiser_differs",
    ).sort("event_timestamp", "group", "person_id")  # fmt: skip


def performance_rows(facts: Facts, window: Window) -> pl.DataFrame:
    """A row for each task whose hours are known, with the person to whom it was assigned, or who did most of it.

    actual_hours: the task's total. actual_timeliness_days: from specification to completion, null where no completion
    was dated. actual_quality: the mean rating, null where nobody rated.
    """
    ended = facts("completions").select("task_id", "actual_hours", "completed_at")
    rows = _specified(facts, window).join(ended, on="task_id").join(_person(facts), on="task_id")
    rated = facts("feedback").group_by("task_id").agg(actual_quality=pl.col("rating").cast(pl.Float64).mean())
    days = (pl.col("completed_at") - pl.col("estimated_at")).dt.total_seconds() / 86_400
    return (
        rows.join(rated, on="task_id", how="left")
        .select(
            "person_id", "task_id", pl.col("at").alias("event_timestamp"),
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
