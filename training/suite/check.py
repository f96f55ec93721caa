"""What a check on a public data set declares and measures: a model of ours beside baselines, on the same rows."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from feature_repo.errors import DataError

Scores = Mapping[str, float]


@dataclass(frozen=True)
class Measured:
    """ours: a value per metric. baselines: the same metrics by baseline. rows: the judged rows."""

    ours: Scores
    baselines: Mapping[str, Scores]
    rows: int


@dataclass(frozen=True)
class Check:
    """A row of the table that `talentml evaluate --suite real` prints.

    files: what it reads, relative to the data folder. aims: the least value (greatest, where lower is better) of a
    metric of ours. split: how rows are set apart, in words. measure: (data folder) -> Measured.
    """

    name: str
    title: str
    product: str
    files: tuple[str, ...]
    split: str
    aims: Scores
    measure: Callable[[Path], Measured]
    higher_is_better: bool = True
    licence: str = ""

    def missing(self, folder: Path) -> list[Path]:
        """The files that are not there."""
        return [folder / name for name in self.files if not (folder / name).is_file()]


def table(path: Path, columns: Sequence[str], texts: Sequence[str] = ()) -> pl.DataFrame:
    """The columns of a CSV or parquet file. texts: columns that are text even where a CSV has digits only.

    Raises DataError, which names the file, where a column is missing or there is no row.
    """
    if path.suffix == ".csv":
        frame = pl.read_csv(path, schema_overrides=dict.fromkeys(texts, pl.String), infer_schema_length=None)
    else:
        frame = pl.read_parquet(path)
    absent = [name for name in columns if name not in frame.columns]
    if absent:
        raise DataError(f"{path.name}: no column {absent[0]}, needed: {', '.join(columns)}")
    if not frame.height:
        raise DataError(f"{path.name}: no row, allowed: at least one")
    return frame.select(columns)


def row(check: Check, folder: Path) -> dict[str, object]:
    """The check's row of the table. Raises DataError, which names the file, where one is missing."""
    missing = check.missing(folder)
    if missing:
        raise DataError(f"{check.name}: {missing[0]} is missing, needed: {', '.join(check.files)}")
    began = time.perf_counter()
    found = check.measure(folder)
    return {
        "check": check.name,
        "title": check.title,
        "product": check.product,
        "split": check.split,
        "rows": found.rows,
        "ours": dict(found.ours),
        "baselines": {name: dict(scores) for name, scores in found.baselines.items()},
        "aims": dict(check.aims),
        "reached": {metric: reached(check, metric, found.ours) for metric in check.aims},
        "seconds": round(time.perf_counter() - began, 1),
    }


def reached(check: Check, metric: str, ours: Scores) -> bool:
    """Whether a metric of ours is at least as good as its aim."""
    gain = ours[metric] - check.aims[metric]
    return gain >= 0 if check.higher_is_better else gain <= 0
