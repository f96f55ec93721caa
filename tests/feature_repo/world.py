"""A small world written as tables, for specifications of columns."""

from pathlib import Path

import polars as pl

from feature_repo.sources.streams import STREAMS, Stream
from feature_repo.sources.streams import stream as stream_named
from feature_repo.window import instant
from training.product import Facts

FILLERS: dict[type, object] = {str: "x", int: 1, float: 1.0, bool: True}


def day(text: str) -> object:
    return instant(f"2020-01-{text}")


def table(text: str) -> list[dict[str, str]]:
    """The rows of a table drawn with spaces, one header line first; a lone - is a null."""
    header, *lines = [line.split() for line in text.strip().splitlines()]
    return [dict(zip(header, line, strict=True)) for line in lines]


def stream_frame(stream: Stream, rows: list[dict[str, str]]) -> pl.DataFrame:
    """Rows of a stream; days are days of January 2020, fields that the table lacks hold a filler."""
    columns = {field.name: [_value(field.dtype, row.get(field.name)) for row in rows] for field in stream.fields}
    schema = pl.from_arrow(stream.schema().empty_table()).schema
    return pl.DataFrame(columns, schema=schema)


def _value(dtype: type, text: str | None) -> object:
    if text == "-":
        return None
    if dtype in FILLERS:
        return FILLERS[dtype] if text is None else dtype(text)
    return day(text or "01")


def write_streams(folder: Path, **tables: str) -> dict[str, Path]:
    """Parquet files of every stream, those without a table empty."""
    files = {}
    for stream in STREAMS:
        files[stream.name] = folder / f"{stream.name}.parquet"
        stream_frame(stream, table(tables[stream.name]) if stream.name in tables else []).write_parquet(
            files[stream.name]
        )
    return files


def facts_of(folder: Path, tables: dict[str, str], as_of: object) -> Facts:
    """What was known of these tables as of an instant: a stream's last rows, or its first, per key."""
    files = write_streams(folder, **tables)

    def facts(stream: str, *, first: bool = False) -> pl.LazyFrame:
        key = stream_named(stream).key
        known = pl.scan_parquet(files[stream]).filter(pl.col("recorded_at") < as_of).sort("recorded_at")
        return known.unique(key, keep="first" if first else "last", maintain_order=True)

    return facts
