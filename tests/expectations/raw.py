"""A small world as extraction would have published it, so that checks can be specified without a source."""

import hashlib
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import polars as pl

from expectations.types import TYPES
from feature_repo.extract import Manifest
from feature_repo.settings import Settings
from feature_repo.sources.stream import Stream
from feature_repo.sources.streams import STREAMS
from feature_repo.window import Window

YEAR = Window(datetime(2020, 1, 1, tzinfo=UTC), datetime(2021, 1, 1, tzinfo=UTC))
TASKS = 60
PEOPLE = 4
FILLERS: dict[Any, Any] = {str: "x", int: 1, float: 1.0, bool: True, datetime: YEAR.since}


def publish(settings: Settings, stream: Stream, frame: pl.DataFrame, window: Window = YEAR) -> None:
    """Make these rows a published window of the stream, as home/raw/<stream>/<window>."""
    folder = settings.root / "raw" / stream.name / ".versions" / str(window)
    folder.mkdir(parents=True)
    frame.write_parquet(folder / "rows.parquet")
    digest = hashlib.sha256((folder / "rows.parquet").read_bytes()).hexdigest()
    facts = Manifest(
        stream=stream.name,
        store=stream.store,
        origin=stream.origin,
        server="a test",
        since=window.since,
        until=window.until,
        rows=frame.height,
        sha256=digest,
        finished_at=datetime.now(UTC),
    )
    (folder / "manifest.json").write_text(facts.to_json())
    (folder.parents[1] / str(window)).symlink_to(folder.relative_to(folder.parents[1]))


def rows(stream: Stream) -> pl.DataFrame:
    """One valid row for each task (and person), recorded on one day after the other; other fields hold fillers."""
    columns = {
        field.name: [_value(field.dtype, field.name, number) for number in range(TASKS)] for field in stream.fields
    }
    frame = pl.DataFrame(columns, schema={field.name: TYPES[field.dtype] for field in stream.fields})
    allowed = {field.name: pl.lit(field.allowed[0]) for field in stream.fields if field.allowed}
    return frame.with_columns(**allowed)


def _value(dtype: Any, name: str, number: int) -> Any:
    if name == "person_id":
        return f"p{number % PEOPLE}"
    if name.endswith("_id"):
        return f"{name.removesuffix('_id')}{number}"
    return FILLERS[dtype] + timedelta(days=number) if dtype is datetime else FILLERS[dtype]


def world(settings: Settings, **changed: pl.DataFrame) -> Mapping[str, pl.DataFrame]:
    """Publish every stream, those named in changed with other rows; returns the frames by stream."""
    frames = {stream.name: changed.get(stream.name, rows(stream)) for stream in STREAMS}
    for stream in STREAMS:
        publish(settings, stream, frames[stream.name])
    return frames
