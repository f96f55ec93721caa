"""What the readers would give of frames that the writers would write: the streams of a world, without any server."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import polars as pl

from feature_repo.extract import sorted_table
from feature_repo.seed.pattern import pattern
from feature_repo.seed.writers import Relation
from feature_repo.sources.stream import RECORDED_AT, Stream
from feature_repo.sources.streams import STREAMS

Frames = Mapping[str, pl.DataFrame]


def streams(
    tables: Frames, nodes: Frames, relations: Mapping[Relation, pl.DataFrame], documents: Mapping[Stream, pl.DataFrame]
) -> dict[str, pl.DataFrame]:
    """Every stream's rows by name: its own fields and types, in the order in which extraction publishes them.

    tables by MySQL table, nodes by label, documents by stream. A stream without a frame has no rows; a column that a
    frame lacks is null, as in the databases; a row without a time of record is left out.
    """
    between = {replace(relation, hub="end"): frame for relation, frame in relations.items()}
    collections = {stream.name: frame for stream, frame in documents.items()}
    found = {}
    for stream in STREAMS:
        match stream.store:
            case "mysql":
                columns = _renamed(stream, tables.get(stream.origin))
            case "mongodb":
                columns = _renamed(stream, collections.get(stream.name))
            case "neo4j":
                columns = _of_graph(stream, nodes, between)
        found[stream.name] = _typed(stream, columns)
    return found


def _renamed(stream: Stream, frame: pl.DataFrame | None) -> pl.DataFrame | None:
    return None if frame is None else _selected(frame, {name: stream.path(name) for name in stream.names})


def _of_graph(stream: Stream, nodes: Frames, relations: Mapping[Relation, pl.DataFrame]) -> pl.DataFrame | None:
    """A node's properties, or a relationship's with the keys of its ends."""
    found = pattern(stream)
    frame = nodes.get(found.label) if found.label else None
    if found.relation is not None:
        frame = relations.get(found.relation)
    return None if frame is None else _selected(frame, found.columns)


def _selected(frame: pl.DataFrame, columns: Mapping[str, str]) -> pl.DataFrame:
    there = {name: pl.col(at) if at in frame.columns else pl.lit(None) for name, at in columns.items()}
    return frame.select(value.alias(name) for name, value in there.items())


def _typed(stream: Stream, frame: pl.DataFrame | None) -> pl.DataFrame:
    empty = pl.DataFrame(stream.schema().empty_table())
    if frame is None:
        return empty
    known = frame.cast(empty.schema).filter(pl.col(RECORDED_AT.name).is_not_null())
    return pl.DataFrame(sorted_table(stream, known.to_arrow().cast(stream.schema()).to_batches()))


def write(frames: Frames, folder: Path) -> dict[str, Path]:
    """The streams as files, as the check would stage them: <folder>/<name>.parquet by name."""
    folder.mkdir(parents=True, exist_ok=True)
    files = {name: folder / f"{name}.parquet" for name in frames}
    for name, frame in frames.items():
        frame.write_parquet(files[name])
    return files
