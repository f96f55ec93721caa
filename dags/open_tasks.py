"""Who may take which open task, as of a date: the spine of a batch score."""

from datetime import datetime, timedelta
from pathlib import Path

import polars as pl

from feature_repo.retrieval import facts
from training.labels import CANDIDATE_DAYS


def open_pairs(home: Path, as_of: datetime) -> pl.DataFrame:
    """Every task that is open with every person who worked on one in the year before: person_id, task_id,
    event_timestamp, which is as_of.

    Open is a task of that year which is not known to have ended.
    """
    since = as_of - timedelta(days=CANDIDATE_DAYS)
    tasks = facts(home, "tasks", as_of).filter(pl.col("estimated_at") >= since).select("task_id")
    ended = facts(home, "completions", as_of).select("task_id")
    worked = facts(home, "worked_on", as_of).filter(pl.col("recorded_at") >= since).select("person_id").unique()
    pairs = tasks.join(ended, on="task_id", how="anti").join(worked, how="cross").sort("task_id", "person_id")
    instant = pl.lit(as_of).cast(pl.Datetime("us", "UTC"))
    return pairs.select("person_id", "task_id", event_timestamp=instant).collect()
