"""Indexes on disk, beside the parquet file that they are built from: reads map them and touch only what they need."""

from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path

import numpy as np
import polars as pl
import pyarrow as pa

from feature_repo.asof import Entities, Index, build

LAYOUT = "3"  # raise it when the files change: older ones are then no longer read
FOOTER_BYTES = 65_536


def index_folder(source: Path) -> Path:
    """Where the index of a parquet file is: views/task.parquet has views/task.index."""
    return source.with_suffix(".index")


def open_index(source: Path, keys: Sequence[str], event: str, created: str | None) -> Index:
    """The index of a parquet file: the one beside it, or, where that is missing or of another file, one built now."""
    folder = index_folder(source)
    if (folder / "entities.arrow").exists():
        entities = mapped_batch(folder / "entities.arrow")
        if entities.schema.metadata == _facts(source, keys, event, created):
            return _load(folder, entities)
    return build(pl.read_parquet(source), keys, event, created)


def write_index(source: Path, keys: Sequence[str], event: str, created: str | None) -> Index:
    """Build the index of a parquet file and write it beside it. The folder must not exist or be in use."""
    index = build(pl.read_parquet(source), keys, event, created)
    folder = index_folder(source)
    folder.mkdir(exist_ok=True)
    search = {name: getattr(index, name) for name in ("available", "winners", "event", "created")}
    write_batch(folder / "rows.arrow", index.rows)
    write_batch(folder / "search.arrow", pa.RecordBatch.from_pydict(search))
    starts = pa.array(index.starts[:-1])
    entities = index.entities.keys.append_column("__start", starts)
    write_batch(folder / "entities.arrow", entities.replace_schema_metadata(_facts(source, keys, event, created)))
    return index


def _facts(source: Path, keys: Sequence[str], event: str, created: str | None) -> dict[bytes, bytes]:
    """What an index was built from. A parquet file's footer holds the size, place and range of every part of it."""
    with source.open("rb") as file:
        size = file.seek(0, 2)
        file.seek(max(0, size - FOOTER_BYTES))
        footer = sha256(file.read()).hexdigest()
    facts = {"layout": LAYOUT, "size": size, "footer": footer, "keys": ",".join(keys), "times": f"{event},{created}"}
    return {name.encode(): str(value).encode() for name, value in facts.items()}


def _load(folder: Path, entities: pa.RecordBatch) -> Index:
    search = mapped_batch(folder / "search.arrow")
    starts = entities["__start"].to_numpy()
    arrays = {name: search[name].to_numpy() for name in search.schema.names}
    keys = entities.select(entities.schema.names[:-1])
    return Index(Entities(keys), np.append(starts, search.num_rows), rows=mapped_batch(folder / "rows.arrow"), **arrays)


def write_batch(path: Path, batch: pa.RecordBatch) -> None:
    """One record batch as an uncompressed Arrow file."""
    with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_file(sink, batch.schema) as writer:
        writer.write_batch(batch)


def mapped_batch(path: Path) -> pa.RecordBatch:
    """The record batch of a file that write_batch wrote, mapped into memory and read when touched."""
    return pa.ipc.open_file(pa.memory_map(str(path))).get_batch(0)
