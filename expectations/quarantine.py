"""Where rejected rows go: all of them into files, a sample of each rule into the platform's table."""

import shutil
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars as pl
from sqlalchemy import insert

from expectations.split import REASONS
from expectations.suite import Declaration
from feature_repo.platform import database, tables
from feature_repo.settings import Settings

SAMPLES = 20
"""Rows of each rule that the table gets; the files have them all."""

RUNS_KEPT = 10


def folder(settings: Settings, run: str) -> Path:
    """Where a run's rejected rows are, as {streams,views}/<name>.parquet; none is there when none was rejected."""
    return settings.root / "quarantine" / run


def keep(settings: Settings, run: str, declared: Declaration, rejected: pl.DataFrame) -> None:
    """Store a stream's or view's rejected rows, with their reasons."""
    if not rejected.height:
        return
    path = folder(settings, run) / declared.file
    path.parent.mkdir(parents=True, exist_ok=True)
    rejected.write_parquet(path)
    engine = database(settings)
    try:
        with engine.begin() as connection:
            connection.execute(insert(tables.quarantine), list(_samples(run, declared, rejected)))
    finally:
        engine.dispose()


def _samples(run: str, declared: Declaration, rejected: pl.DataFrame) -> Iterator[dict[str, Any]]:
    now = datetime.now(UTC)
    for row in rejected.group_by("rule", maintain_order=True).head(SAMPLES).iter_rows(named=True):
        found = {name: _storable(value) for name, value in row.items() if name not in REASONS}
        yield {
            "run": run,
            "kind": declared.kind,
            "name": declared.name,
            "row_key": ", ".join(str(found[name]) for name in declared.key),
            "rule": row["rule"],
            "reason": "; ".join(row["reasons"]),
            "content": found,
            "recorded_at": now,
        }


def _storable(value: object) -> object:
    """A value as PostgreSQL's JSON can hold it: it knows no NUL."""
    return value.replace("\x00", "\\0") if isinstance(value, str) else value


def prune(settings: Settings) -> None:
    """Remove the files of all but the latest runs; the table keeps its samples."""
    for path in sorted((settings.root / "quarantine").glob("*"))[:-RUNS_KEPT]:
        shutil.rmtree(path)
