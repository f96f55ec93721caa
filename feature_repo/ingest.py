"""Accepted source rows to view frames: every entity column is computed here, once."""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import ibis
import polars as pl

from feature_repo.column import View
from feature_repo.features import demand, wording
from feature_repo.features.events import EVENTS, Events, task_events
from feature_repo.features.texts import Encode, no_encoder, vectors

TIMES = ("event_timestamp", "created_timestamp")


def view_frames(
    streams: Mapping[str, Path], views: Iterable[View], encode: Encode = no_encoder
) -> Iterator[tuple[View, pl.DataFrame]]:
    """Each view with its rows: keys, event_timestamp, created_timestamp and its columns, sorted by key and time.

    streams: the parquet file of each stream's accepted rows. encode: texts to vectors, such as
    home_encode. The same rows give the same bits, on any number of cores,
    and later rows do not change those before them.
    """
    duck = ibis.duckdb.connect()
    tables: dict[str, Any] = {name: duck.read_parquet(str(path), table_name=name) for name, path in streams.items()}
    made = {
        "wording": wording.keys(pl.read_parquet(streams["tasks"])),
        demand.SERIES: demand.series(pl.read_parquet(streams["skill_demand"])),
        **vectors(streams, encode),
    }
    for name, frame in made.items():
        # by DuckDB's own register: Ibis 12 and DuckDB 2.0 disagree on how the view of a memtable is dropped
        duck.con.register(name, frame.to_arrow())
        tables[name] = duck.table(name)
    tables[EVENTS] = task_events(tables)
    for view in views:
        yield view, _frame(view, tables)


def _frame(view: View, tables: Mapping[str, Any]) -> pl.DataFrame:
    assert view.rows is not None, f"{view.name} has no rows: pair columns are computed on retrieval"
    rows = view.rows(tables)
    computed = {column.name: column(rows) for column in view.columns}
    wanted = (*view.keys, *TIMES, *computed)
    if isinstance(rows, Events):
        return _last_of_each_instant(view, rows.frame.with_columns(**computed)).select(*wanted)
    frame: pl.DataFrame = rows.mutate(**computed).select(*wanted).to_polars()
    times = {name: pl.col(name).cast(pl.Datetime("us", "UTC")) for name in TIMES}
    return frame.with_columns(**times).sort(*view.keys, *TIMES)


def _last_of_each_instant(view: View, frame: pl.DataFrame) -> pl.DataFrame:
    """Of the rows of one key and instant only the last counts: its running sums hold the others."""
    return frame.unique([*view.keys, *TIMES], keep="last", maintain_order=True)
