"""Who may take which open task: what a batch score answers, and whom a request that names nobody ranks."""

from collections.abc import Sequence
from datetime import datetime, timedelta

import polars as pl

from feature_repo.window import last_before
from training.labels import CANDIDATE_DAYS, active_people
from training.product import Facts
from training.route import Choose, Ids, Published


def open_pairs(facts: Facts, as_of: datetime) -> pl.DataFrame:
    """Every open task with everybody who may take it, as training ranks them.

    Columns person_id, task_id, event_timestamp (the last instant before as_of) and group. Open is a task of the
    CANDIDATE_DAYS before which is not known to have ended.
    """
    at = last_before(as_of)
    recent = pl.col("estimated_at") >= as_of - timedelta(days=CANDIDATE_DAYS)
    tasks = facts("tasks").filter(recent).join(facts("completions"), on="task_id", how="anti").select("task_id")
    people = active_people(facts, at).select("person_id")
    pairs = tasks.join(people, how="cross").sort("task_id", "person_id")
    instant = pl.lit(at).cast(pl.Datetime("us", "UTC"))
    return pairs.select("person_id", "task_id", event_timestamp=instant, group="task_id").collect()


def able_people(published: Published) -> Choose:
    """Those whom training would rank at that instant, less those whose account is not ACTIVE: they cannot take a task.

    The most recently active first.
    """
    open_accounts = published.facts("people").filter(pl.col("status") == "ACTIVE")
    active = active_people(published.facts, published.at).join(open_accounts, on="person_id", how="semi")
    ranked: Sequence[str] = (
        active.sort("recorded_at", "person_id", descending=[True, False]).collect()["person_id"].to_list()
    )

    def choose(_: Ids) -> Sequence[str]:
        return ranked

    return choose
