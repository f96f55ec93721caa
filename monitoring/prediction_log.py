"""What was asked and answered, with the exact features that were read, in the platform table prediction_log."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any

import polars as pl
from pydantic_core import from_json, to_json
from sqlalchemy import Connection, Engine, Insert, Table, or_, select
from sqlalchemy.dialects import postgresql, sqlite

from feature_repo.platform.tables import prediction_log
from feature_repo.platform.tables.types import JsonText, written
from feature_repo.table import Frame
from feature_repo.window import Window, last_before
from monitoring.arm import Arm
from monitoring.packed import Packed, packed, unpacked

EVENT = "event_timestamp"
NEW = "(new)"
"""The id, in rows about something that is not stored but given by its columns."""
GIVEN = "given:"
"""Prefix of the columns in a logged frame that hold what was given of such a thing."""
EXPLANATION, FACTORS = b'"explanation":', b'"factors":'
NO_JSON = (b"NaN", b"Infinity")
"""What requests may say for numbers, and no database reads as JSON."""


@dataclass  # not frozen: to set 16 fields would take 1.2 us more of an answer's 400
class Record:
    """One answered request. features: keys and columns of every row that was scored, also those not answered.

    None in the shadow, whose features are those of the answer that it ran beside. as_of, snapshot: of the online store;
    None where it could not be read. model_version: None where a rule answered. subject: who asked. experiment, arm,
    unit: as serving.versions.arms assigned; None outside of an experiment. request, answer: what they say, or as JSON,
    as they were read and sent; of the answer no factors are logged, and they may be left out before.
    """

    prediction_id: str
    request_id: str | None
    product: str
    model_version: int | None
    source: str
    snapshot: str | None
    as_of: datetime | None
    request: Mapping[str, Any] | bytes
    features: Frame | Packed | None
    answer: Mapping[str, Any] | bytes
    milliseconds: float
    predicted_at: datetime
    subject: str | None = None
    experiment: str | None = None
    arm: str | None = None
    unit: str | None = None


def append(engine: Engine, records: Sequence[Record]) -> None:
    """Insert the records in one transaction. Those that are there already, by their id, stay as they are."""
    rows = [_row(record) for record in records]
    if rows:
        with engine.begin() as connection:
            connection.execute(insertion(prediction_log, connection), rows)


def insertion(table: Table, connection: Connection) -> Insert:
    """Of rows, but of those that are there already."""
    if connection.dialect.name == "postgresql":
        return postgresql.insert(table).on_conflict_do_nothing()
    return sqlite.insert(table).on_conflict_do_nothing()


def _row(record: Record) -> dict[str, Any]:
    features = record.features
    found = features if features is None or isinstance(features, Packed) else Packed(packed(features), features.height)
    return {
        **vars(record),
        "features": found.content if found else None,
        "row_count": found.height if found else 0,
        "request": _plain(record.request) or written(_said(record.request)),
        "answer": _unexplained(record) or written(_answer(record)),
    }


def _plain(request: Mapping[str, Any] | bytes) -> JsonText | None:
    """A request as it came, where that is JSON for all who read it: unread, in 1 us instead of 9."""
    if not isinstance(request, bytes) or not request.isascii() or any(word in request for word in NO_JSON):
        return None
    return JsonText(request, "ascii")


def _unexplained(record: Record) -> JsonText | None:
    """The answer as it was sent, but for its time, where nothing is left out of it: unread, in 5 us instead of 120.

    Both names stand in no text, where their quotes would be escaped, and `explanation` before all lists of rows.
    """
    said = record.answer
    if not isinstance(said, bytes) or not said.isascii():
        return None
    if FACTORS in said and not said.partition(EXPLANATION)[2].startswith(b"null"):
        return None
    return JsonText(said.replace(*_as_of(record.as_of), 1), "ascii")


@lru_cache(16)
def _as_of(at: datetime | None) -> tuple[bytes, bytes]:
    """A snapshot's time in an answer, as it is sent and as it is logged."""
    sent, logged = (to_json({"as_of": each})[1:-1] for each in (at, at and at.isoformat()))
    return sent, logged


def _answer(record: Record) -> Mapping[str, Any]:
    answer = without_factors(_said(record.answer))
    return {**answer, "as_of": record.as_of} if "as_of" in answer else answer  # as times are written in the log


def _said(content: Mapping[str, Any] | bytes) -> Mapping[str, Any]:
    if not isinstance(content, bytes):
        return content
    try:
        said: Mapping[str, Any] = from_json(content)
    except ValueError:  # half of a surrogate pair, which the standard library takes
        said = json.loads(content)
    return said


def without_factors(answer: Mapping[str, Any]) -> Mapping[str, Any]:
    """An answer without what can be computed again from the logged features; where nothing is explained, as it is."""
    if answer.get("explanation") is None:
        return answer
    return {
        name: [{key: value for key, value in row.items() if key != "factors"} for row in said]
        if isinstance(said, list) and said and isinstance(said[0], dict) and "factors" in said[0]
        else said
        for name, said in answer.items()
    }


def read(engine: Engine, product: str, window: Window) -> pl.DataFrame:
    """The rows that were scored in the window: keys, columns, event_timestamp, prediction_id, source, model_version.

    event_timestamp is the instant at which the features stand, the last one before their as-of date; requests without
    features are left out. Empty where there is nothing.
    """
    frames = [
        _frame(row).with_columns(
            pl.lit(row.prediction_id).alias("prediction_id"),
            pl.lit(row.source).alias("source"),
            pl.lit(row.model_version, dtype=pl.Int64).alias("model_version"),
        )
        for row in _logged(engine, window.since, window.until, product)
    ]
    return pl.concat(frames, how="diagonal") if frames else pl.DataFrame()


def logged_frames(engine: Engine, since: datetime) -> Iterator[pl.DataFrame]:
    """The rows of each request, any product's: keys, event_timestamp, columns; and GIVEN columns of a given thing.

    Rows about stored things and about given ones come apart.
    """
    for row in _logged(engine, since):
        frame = _frame(row)
        given = [name for name in frame.columns if name.startswith(GIVEN)]
        if not given:
            yield frame
            continue
        is_new = frame.select(pl.any_horizontal((pl.col(keys(frame)) == NEW).fill_null(False))).to_series()
        yield from (part for part in (frame.filter(is_new), frame.filter(~is_new).drop(given)) if part.height)


def keys(frame: pl.DataFrame) -> list[str]:
    """The keys of a logged frame: what is neither a column of a view nor given, nor a time."""
    return [name for name in frame.columns if "__" not in name and not name.startswith(GIVEN) and name != EVENT]


def _frame(row: Any) -> pl.DataFrame:
    at = pl.lit(last_before(row.as_of), dtype=pl.Datetime("us", "UTC"))
    return unpacked(row.features).with_columns(at.alias(EVENT))


def _logged(
    engine: Engine, since: datetime, until: datetime | None = None, product: str | None = None
) -> Iterator[Any]:
    table = prediction_log.c
    answered = or_(table.arm.is_(None), table.arm != Arm.SHADOW)
    wanted = select(prediction_log).where(table.predicted_at >= since, table.as_of.is_not(None), answered)
    if until is not None:
        wanted = wanted.where(table.predicted_at < until)
    if product is not None:
        wanted = wanted.where(table.product == product)
    with engine.connect() as connection:
        yield from connection.execution_options(yield_per=1000).execute(wanted.order_by(table.predicted_at))
