"""Records of answered requests, for tests of the prediction log."""

from datetime import UTC, datetime

import polars as pl
from sqlalchemy import Engine, func, select

from feature_repo.platform import tables
from monitoring.prediction_log import Record

AT = datetime(2026, 1, 1, tzinfo=UTC)


def record(number: int, as_of: datetime | None = AT) -> Record:
    """The record of one answer about one row."""
    return Record(
        prediction_id=f"prediction-{number}",
        request_id=None,
        product="task_assignment",
        model_version=3,
        source="model",
        snapshot="v1",
        as_of=as_of,
        request={"task_id": "T1"},
        features=pl.DataFrame({"person_id": ["P1"], "task_id": ["T1"], "pair__x": [0.1 + number]}),
        answer={"candidates": []},
        milliseconds=1.0,
        predicted_at=AT,
    )


def rows(engine: Engine) -> int:
    """How many records there are."""
    with engine.connect() as connection:
        return int(connection.scalar(select(func.count()).select_from(tables.prediction_log)) or 0)
