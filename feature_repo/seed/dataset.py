"""A published data set into the source databases: found, checked as a whole, then written batch by batch."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import polars as pl

from feature_repo.errors import DataError
from feature_repo.extract import silent
from feature_repo.seed.dataset_file import DataFile, header
from feature_repo.seed.stream_rows import write_stream
from feature_repo.settings import Settings
from feature_repo.sources import schema
from feature_repo.sources.stream import RECORDED_AT, Stream

Rows = Iterator[tuple[Stream, pl.DataFrame]]


@dataclass(frozen=True)
class Files:
    """The files of a part that were found, by their declared names."""

    found: Mapping[DataFile, Path]

    def batches(self, file: DataFile, names: Sequence[str] = ()) -> Iterator[pl.DataFrame]:
        """A file's rows in batches; names: of columns, all that are declared where empty."""
        return file.batches(self.found[file], names)

    def frame(self, file: DataFile, names: Sequence[str] = ()) -> pl.DataFrame:
        """A file's rows at once."""
        return file.frame(self.found[file], names)


@dataclass(frozen=True)
class Part:
    """Files that are only of use together. rows: streams with rows in their own fields, whatever is named first."""

    files: tuple[DataFile, ...]
    rows: Callable[[Files], Rows]


@dataclass(frozen=True)
class Dataset:
    """A published set. folder: where it lies among other sets. licence: under which it may be used."""

    name: str
    folder: str
    licence: str
    parts: tuple[Part, ...]


@dataclass(frozen=True)
class Seeded:
    """What was written, in rows by place. until: an instant by which all of it was known."""

    licence: str
    files: list[Path]
    written: dict[str, int]
    until: datetime


def seed_dataset(settings: Settings, dataset: Dataset, path: Path, progress: Callable[[str], None] = silent) -> Seeded:
    """Add a set to the source databases; the same files again change nothing.

    path: a folder with the set's files, one that holds the set's folder, or one of the files: those that it is of use
    with are read beside it. A file is read twice, once to be checked, so that a bad one leaves nothing behind.
    Raises DataError for a file that is missing or malformed, SourceError where a source cannot be written.
    """
    parts = {part: Files(_found(dataset, part, path)) for part in _parts(dataset, path)}
    for files in parts.values():
        for file in files.found:
            rows = sum(batch.height for batch in files.batches(file))
            progress(f"{files.found[file].name}: {rows:,} rows checked")
    schema.create(settings)
    written: Counter[str] = Counter()
    until: list[datetime] = []
    for part, files in parts.items():
        for stream, frame in part.rows(files):
            known = frame.drop_nulls(RECORDED_AT.name)
            if known.height:
                written[stream.place] += write_stream(settings, stream, known)
                until.append(known[RECORDED_AT.name].max())  # type: ignore[arg-type]
                progress(f"{stream.place}: {written[stream.place]:,}")
    found = [file for files in parts.values() for file in files.found.values()]
    return Seeded(dataset.licence, found, dict(written), max(until) + timedelta(days=1))


def _parts(dataset: Dataset, path: Path) -> list[Part]:
    """The parts that a path names: by their file's name, else by the columns, else all that the folder holds."""
    if not path.exists():
        raise DataError(f"{path}: not found, allowed: {_wanted(dataset)}, or a folder with them")
    if path.is_file():
        named = [part for part in dataset.parts if path.name in [file.name for file in part.files]]
        return named or _alike(dataset, path)
    held = [part for part in dataset.parts if any((_folder(dataset, path) / file.name).exists() for file in part.files)]
    if not held:
        raise DataError(f"{path}: no file of {dataset.name}, allowed: {_wanted(dataset)}")
    return held


def _alike(dataset: Dataset, path: Path) -> list[Part]:
    """The part of one file whose columns a file of another name has, such as a later slice."""
    columns = set(header(path))
    for part in dataset.parts:
        if len(part.files) == 1 and columns.issuperset(column.name for column in part.files[0].columns):
            return [part]
    shown = "; ".join(f"{part.files[0].name} has {_columns(part)}" for part in dataset.parts)
    raise DataError(f"{path}: found columns {', '.join(sorted(columns))}; allowed: {shown}")


def _columns(part: Part) -> str:
    return ", ".join(column.name for column in part.files[0].columns)


def _folder(dataset: Dataset, path: Path) -> Path:
    return path / dataset.folder if (path / dataset.folder).is_dir() else path


def _found(dataset: Dataset, part: Part, path: Path) -> dict[DataFile, Path]:
    if path.is_file():
        if len(part.files) == 1:
            return {part.files[0]: path}
        path = path.parent
    found = {file: _folder(dataset, path) / file.name for file in part.files}
    if missing := [str(each) for each in found.values() if not each.exists()]:
        raise DataError(f"{dataset.name}: {', '.join(missing)} not found, allowed: {_wanted(dataset)}")
    return found


def _wanted(dataset: Dataset) -> str:
    return ", ".join(file.name for part in dataset.parts for file in part.files)
