"""Small published sets, made by hand, and what a seed would write of them; the real ones, where they are."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from feature_repo.seed.dataset import Dataset, Files, Part
from feature_repo.seed.dataset_file import DataFile

DATA = Path(__file__).parents[3] / "shared" / "data"
Table = Mapping[str, Sequence[Any]]


def write(folder: Path, tables: Mapping[DataFile, Table]) -> Path:
    """The tables as the set's files; columns that are declared and not named are empty. Returns the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for file, columns in tables.items():
        height = len(next(iter(columns.values())))
        blank = [pl.Series(each.name, [None] * height, pl.String) for each in file.columns if each.name not in columns]
        frame = pl.DataFrame(columns).with_columns(blank)
        path = folder / file.name
        frame.write_csv(path) if path.suffix == ".csv" else frame.write_parquet(path)
    return folder


def made(part: Part, folder: Path, tables: Mapping[DataFile, Table]) -> dict[str, pl.DataFrame]:
    """The rows that a part gives of such files, by stream."""
    write(folder, tables)
    files = Files({file: folder / file.name for file in part.files})
    found: dict[str, list[pl.DataFrame]] = {}
    for stream, frame in part.rows(files):
        found.setdefault(stream.name, []).append(frame)
    return {name: pl.concat(frames) for name, frames in found.items()}


def cells(frame: pl.DataFrame, *columns: str) -> list[tuple[str | None, ...]]:
    """The columns as text, days without their time where that is midnight."""
    texts = frame.select(columns).with_columns(
        pl.col(pl.Datetime).dt.strftime("%Y-%m-%d %H:%M").str.strip_suffix(" 00:00"), pl.col(pl.Float64).round(3)
    )
    return texts.cast(pl.String).rows()


def real(dataset: Dataset) -> Path:
    """The set's own folder; skips visibly where it is not on this machine."""
    folder = DATA / dataset.folder
    for file in (file for part in dataset.parts for file in part.files):
        if not (folder / file.name).exists():
            pytest.skip(f"{dataset.folder}/{file.name} is not on this machine")
    return folder
