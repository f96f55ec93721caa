"""Rows of the sources by time window, published under the home: rows.parquet and manifest.json, or nothing at all.

raw/<stream>/<window> is a link to a finished folder beside it, so that publishing, and replacing what an earlier run
published, is one rename. What a killed run left behind is removed by the next one, under the stream's lock.
"""

import hashlib
import json
import os
import shutil
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4

from feature_repo.errors import DataError
from feature_repo.settings import Settings
from feature_repo.sources import servers
from feature_repo.sources.address import ConnectionLostError
from feature_repo.sources.ledger import locked
from feature_repo.sources.stream import RECORDED_AT, Stream
from feature_repo.window import Window, instant

if TYPE_CHECKING:
    import polars as pl
    import pyarrow as pa

ATTEMPTS = 3
SECONDS_BETWEEN = 0.5  # doubled each time
FEWEST_TO_JUDGE = 10  # A column of which no value fits was retyped; fewer values may just be bad rows.
VERSIONS = ".versions"
PART = ".part"


@dataclass(frozen=True)
class Manifest:
    """What one extraction published. since, until, finished_at: aware, UTC. sha256: of rows.parquet."""

    stream: str
    store: str
    origin: str
    server: str
    since: datetime
    until: datetime
    rows: int
    sha256: str
    finished_at: datetime

    @property
    def window(self) -> Window:
        return Window(self.since, self.until)

    def to_json(self) -> str:
        """The manifest as JSON, times in ISO 8601."""
        return json.dumps(asdict(self), default=datetime.isoformat, indent=1)

    @classmethod
    def read(cls, folder: Path) -> "Manifest":
        """The manifest of a published window."""
        facts = json.loads((folder / "manifest.json").read_text())
        return cls(**{**facts, **{name: instant(facts[name]) for name in ("since", "until", "finished_at")}})


def silent(_line: str) -> None:
    """Progress that nobody reads."""


def extract(
    settings: Settings,
    streams: Sequence[Stream],
    window: Window,
    progress: Callable[[str], None] = silent,
) -> list[Manifest]:
    """Read each stream's rows recorded within the window and publish them, a stream at a time.

    The same window again replaces what is there; unchanged rows give the same bytes, and so the same sha256.
    Raises SourceError or DataError that names the source; the windows of the streams before it stay published.
    """
    found = []
    for stream in streams:
        with locked(settings.root / "run" / f"extract-{stream.name}.lock"):
            found.append(_extracted(settings, stream, window))
        progress(f"{stream.name}: {found[-1].rows:,} rows from {found[-1].server}")
    return found


def _extracted(settings: Settings, stream: Stream, window: Window) -> Manifest:
    published = settings.root / "raw" / stream.name / str(window)
    draft = published.parent / VERSIONS / f"{window}.{uuid4().hex[:8]}{PART}"
    _remove_leftovers(published)
    draft.mkdir(parents=True)
    rows = draft / "rows.parquet"
    count = _write(rows, window_rows(settings, stream, window))
    manifest = Manifest(
        stream=stream.name,
        store=stream.store,
        origin=stream.origin,
        server=_description(settings, stream),
        since=window.since,
        until=window.until,
        rows=count,
        sha256=hashlib.sha256(rows.read_bytes()).hexdigest(),
        finished_at=datetime.now(UTC),
    )
    (draft / "manifest.json").write_text(manifest.to_json())
    _publish(draft, published)
    return manifest


def window_rows(settings: Settings, stream: Stream, window: Window) -> "pa.Table":
    """The rows that the source holds for a window, sorted; read anew from the start when the connection breaks.

    Raises SourceError or DataError that names the source.
    """
    import stamina

    read = import_module(f"feature_repo.sources.{stream.store}").read
    for attempt in stamina.retry_context(
        on=ConnectionLostError, attempts=ATTEMPTS, wait_initial=SECONDS_BETWEEN, wait_jitter=SECONDS_BETWEEN
    ):
        with attempt:
            address = servers.address(settings, stream.store)
            return sorted_table(stream, list(read(address, stream, window)))
    raise AssertionError("unreachable: the last attempt raises")


def sorted_table(stream: Stream, batches: Sequence["pa.RecordBatch"]) -> "pa.Table":
    """The batches as one table, sorted by key, time of record, then all fields, so that its bytes are always the same.

    Raises DataError for a column none of whose values fits its declared type.
    """
    import pyarrow as pa

    columns = {
        field.name: _chunks(stream, field, [batch.column(position) for batch in batches])
        for position, field in enumerate(stream.schema())
    }
    rest = [name for name in stream.names if name not in stream.version]
    return pa.table(columns).sort_by([(name, "ascending") for name in (*stream.version, *rest)]).combine_chunks()


def _chunks(stream: Stream, field: "pa.Field", chunks: list["pa.Array"]) -> "pa.ChunkedArray":
    """A column: of its declared type where every batch is, else as text."""
    import pyarrow as pa
    import pyarrow.compute as pc

    given = [chunk for chunk in chunks if chunk.null_count < len(chunk)]
    if all(chunk.type == field.type for chunk in given):
        return pa.chunked_array([pc.cast(chunk, field.type) for chunk in chunks], field.type)
    texts = pa.chunked_array([pc.cast(chunk, pa.string()) for chunk in chunks], pa.string())
    if not any(chunk.type == field.type for chunk in given):
        _check_any_fits(stream, field, texts)
    return texts


def _check_any_fits(stream: Stream, field: "pa.Field", texts: "pa.ChunkedArray") -> None:
    import polars as pl
    import pyarrow as pa

    wanted = pl.Series(pa.array([], field.type)).dtype
    words = pl.Series(texts).drop_nulls()
    if len(words) >= FEWEST_TO_JUDGE and words.cast(wanted, strict=False).null_count() == len(words):
        path = stream.path(field.name)
        raise DataError(f"{stream.place}: no value of {path} is {field.type}, found {words[0]!r} in {len(words)} rows")


def _write(path: Path, table: "pa.Table") -> int:
    import pyarrow.parquet as pq

    pq.write_table(table, path, compression="zstd")
    return int(table.num_rows)


def _description(settings: Settings, stream: Stream) -> str:
    return next(str(server) for server, _ in servers.status(settings) if server.name == stream.store)


def _publish(draft: Path, published: Path) -> None:
    """Make the finished draft the window's folder, durably: what is named is whole, whenever the power goes."""
    version = draft.with_name(draft.name.removesuffix(PART))
    for file in draft.iterdir():
        _sync(file)
    _sync(draft)
    draft.rename(version)
    _sync(version.parent)
    link = version.with_name(version.name + PART)
    link.symlink_to(version.relative_to(published.parent))
    link.replace(published)
    _sync(published.parent)


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _remove_leftovers(published: Path) -> None:
    """Remove drafts of runs that died, and versions of this window that a later one replaced."""
    versions = published.parent / VERSIONS
    current = published.resolve().name
    for path in versions.iterdir() if versions.exists() else ():
        is_replaced = path.name.startswith(f"{published.name}.") and path.name != current
        if is_replaced or path.name.endswith(PART):
            path.unlink() if path.is_symlink() else shutil.rmtree(path)


def manifests(settings: Settings, stream: Stream | None = None) -> list[Manifest]:
    """The manifests of all published windows, of one stream or of all, in the order in which they finished."""
    found = [manifest for manifest, _ in _published(settings.root / "raw", stream.name if stream else "*")]
    return sorted(found, key=lambda manifest: manifest.finished_at)


def _published(raw: Path, name: str) -> Iterator[tuple[Manifest, Path]]:
    for link in sorted(raw.glob(f"{name}/*")):
        if link.is_symlink():
            folder = link.resolve()
            yield Manifest.read(folder), folder


def raw_rows(settings: Settings, stream: Stream, as_of: datetime | None = None) -> "pl.DataFrame":
    """Every published row of a stream, sorted by key and time of record.

    as_of: only rows recorded before. Of overlapping windows, the rows of a (key, recorded_at) come from the extraction
    that finished last; if that one holds several, all stay, for the check to refuse. A column with values that do not
    fit its declaration is text.
    """
    import polars as pl

    found = sorted(_published(settings.root / "raw", stream.name), key=lambda each: each[0].finished_at)
    empty = pl.DataFrame(stream.schema().empty_table())
    frames = [pl.read_parquet(folder / "rows.parquet") for _, folder in found]
    union = pl.concat(_with_order([empty, *frames]), how="vertical_relaxed")
    known = pl.col(RECORDED_AT.name)
    latest = pl.col("extraction") == pl.col("extraction").max().over(stream.version)
    kept = union.filter(latest, *([known < as_of] if as_of else []))
    return kept.sort(*stream.version, *stream.names).drop("extraction")


def _with_order(frames: Iterable["pl.DataFrame"]) -> list["pl.DataFrame"]:
    import polars as pl

    return [frame.with_columns(extraction=pl.lit(order, pl.UInt32)) for order, frame in enumerate(frames)]
