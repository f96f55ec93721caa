"""The streams of SiP files without any server: what extraction would give of the databases that the adapter fills."""

from collections.abc import Sequence
from pathlib import Path

import polars as pl

from feature_repo.seed import memory, sip, sip_histories
from feature_repo.seed.sip_file import read_files
from feature_repo.sources.streams import user_skills, workloads


def streams_of(paths: Sequence[Path]) -> dict[str, pl.DataFrame]:
    """Every stream's rows by name.

    Raises DataError for a malformed file.
    """
    rows = read_files([Path(path) for path in paths])
    tables = {
        "identity_service.users": sip.users(rows),
        "task_service.tasks": sip.tasks(rows),
        "task_service.worklogs": sip.worklogs(rows),
    }
    relations = {relation: frame.drop_nulls(["start", "end"]) for relation, frame in sip.relations(rows).items()}
    tasks = tables["task_service.tasks"]
    documents = {
        user_skills: sip_histories.skills(_worked(tasks, tables["task_service.worklogs"])),
        workloads: sip_histories.loads(_given(tasks)),
    }
    return memory.streams(tables, sip.nodes(rows), relations, documents)


def _worked(tasks: pl.DataFrame, worklogs: pl.DataFrame) -> pl.DataFrame:
    """As sip_histories.worked reads it from the database."""
    ended = worklogs.drop_nulls("recorded_at").join(tasks.filter(pl.col("status") != "CANCELLED"), on="task_id")
    ratio = pl.col("actual_hours") / pl.col("estimate_hours")
    return ended.select("hours", userId="user_id", ratio=ratio, recordedAt="recorded_at", **sip_histories.SKILL_TYPES)


def _given(tasks: pl.DataFrame) -> pl.DataFrame:
    """As sip_histories.given reads it from the database."""
    return tasks.drop_nulls("assignee_id").select(
        userId="assignee_id", estimate="estimate_hours", since="estimated_at", completed="completed_at"
    )
