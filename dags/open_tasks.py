"""Who may take which open task, as of a date, and what a model says of each: a batch score."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path

import polars as pl

from feature_repo.column import Column
from feature_repo.retrieval import facts, historical_frame
from feature_repo.window import last_before
from training.evaluation import Predict
from training.labels import CANDIDATE_DAYS, active_people


def open_pairs(home: Path, as_of: datetime) -> pl.DataFrame:
    """Every open task with everybody who may take it, as training ranks them: person_id, task_id, event_timestamp.

    Open is a task of the CANDIDATE_DAYS before which is not known to have ended. event_timestamp is the last instant
    before as_of.
    """
    known = partial(facts, home, known_before=as_of)
    at = last_before(as_of)
    recent = pl.col("estimated_at") >= as_of - timedelta(days=CANDIDATE_DAYS)
    tasks = known("tasks").filter(recent).join(known("completions"), on="task_id", how="anti").select("task_id")
    people = active_people(known, at).select("person_id")
    pairs = tasks.join(people, how="cross").sort("task_id", "person_id")
    instant = pl.lit(at).cast(pl.Datetime("us", "UTC"))
    return pairs.select("person_id", "task_id", event_timestamp=instant).collect()


def scored(home: Path, pairs: pl.DataFrame, columns: Sequence[Column], predict: Predict) -> pl.DataFrame:
    """The pairs with what is predicted of each; people are compared with those of the same task only.

    Without groups a softmax went over all tasks at once, and another person came first for 160 of 344.
    """
    frame = historical_frame(home, pairs, columns)
    return pairs.hstack(predict(frame.with_columns(group="task_id")))
