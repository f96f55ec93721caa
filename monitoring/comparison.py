"""Two frames as columns that can be compared, each with the index from where on it counts as drift."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from monitoring import psi

if TYPE_CHECKING:
    import pandas as pd

MOST_ROWS = 5_000
MOST_BLOCKS = 24
SEED = 42
MISSING = " is missing"
"""Ends the name of a column that says where another one has no value."""

EVENT = "event_timestamp"
GROUPS = ("group", "task_id")  # rows of one task resemble each other, so tasks are counted, not rows

Units = tuple[int, int]


@dataclass(frozen=True)
class Blocks:
    """Of each reference row: the number of its block of time, -1 in none, and the number of its task."""

    numbers: psi.Integers
    units: psi.Integers


@dataclass(frozen=True)
class Compared:
    """One column of both frames: numbers or texts, with values in each. limit: the index that is drift."""

    name: str
    reference: "pd.Series"
    current: "pd.Series"
    limit: float

    @property
    def is_drift(self) -> bool:
        return psi.index(self.reference.dropna(), self.current.dropna()) >= self.limit


def units(frame: pl.DataFrame) -> int:
    """How many independent observations a frame holds: its tasks, or its rows where it names no task."""
    return len(np.unique(_unit_of_row(frame)))


def _unit_of_row(frame: pl.DataFrame) -> psi.Integers:
    """The number of each row's task, or the row's own where the frame names no task."""
    named = [name for name in GROUPS if name in frame.columns]
    places = frame[named[0]].rank("dense") if named else pl.int_range(frame.height, eager=True)
    return places.cast(pl.Int64).to_numpy()


def compared(names: Iterable[str], reference: pl.DataFrame, current: pl.DataFrame) -> list[Compared]:
    """Those of names that can be compared, as their values or, where that moved, as whether they are missing.

    Lists of numbers are compared by their means, those of texts by their lengths; times move on by themselves and are
    left out.
    """
    old, new = _thinned(reference), _thinned(current)
    counted = units(old), units(new)
    blocks = Blocks(_blocks(old, new), _unit_of_row(old))
    shared = [name for name in names if _is_comparable(old, name) and _is_comparable(new, name)]
    pairs = ((_simple(old[name]), _simple(new[name])) for name in shared)
    return [found for pair in pairs if (found := _compared(*pair, counted, blocks)) is not None]


def _thinned(frame: pl.DataFrame) -> pl.DataFrame:
    """At most MOST_ROWS rows, the same ones each time."""
    return frame if frame.height <= MOST_ROWS else frame.sample(MOST_ROWS, seed=SEED)


def _is_comparable(frame: pl.DataFrame, name: str) -> bool:
    return name in frame.columns and not frame.schema[name].is_temporal()


def _simple(column: pl.Series) -> "pd.Series":
    """Texts and truths as text, all else as numbers."""
    if column.dtype in (pl.String, pl.Boolean):
        return column.cast(pl.String).to_pandas()
    numbers = _summed_up(column) if isinstance(column.dtype, pl.List) else column
    return numbers.cast(pl.Float64).fill_nan(None).to_pandas()


def _summed_up(lists: pl.Series) -> pl.Series:
    """A series of demand grows by a value a month: its length would be told as drift for five years."""
    inner = lists.dtype.inner  # type: ignore[attr-defined]
    return lists.list.mean() if inner.is_numeric() else lists.list.len()


def _compared(old: "pd.Series", new: "pd.Series", counted: Units, blocks: Blocks) -> Compared | None:
    if old.isna().any() or new.isna().any():
        missing = _limited(f"{old.name}{MISSING}", _said_missing(old), _said_missing(new), counted, blocks)
        if missing.is_drift:
            return missing
    if old.isna().all() or new.isna().all():
        return None
    return _limited(str(old.name), old, new, counted, blocks)


def _said_missing(series: "pd.Series") -> "pd.Series":
    return series.isna().map({True: "yes", False: "no"})


def _limited(name: str, old: "pd.Series", new: "pd.Series", counted: Units, blocks: Blocks) -> Compared:
    """With the limit that chance allows (missing values leave fewer units), or what is usual if that is more."""
    present = (max(1, round(count * series.notna().mean())) for count, series in zip(counted, (old, new), strict=True))
    limit = max(psi.threshold(old.dropna(), *present), psi.NEWS * psi.usual(old, blocks.numbers, blocks.units))
    return Compared(name, old.rename(name), new.rename(name), limit)


def _blocks(old: pl.DataFrame, new: pl.DataFrame) -> psi.Integers:
    """The number of the block of time that each reference row is in; blocks are as long as the current rows' time.

    They end with the reference; its first rows, where they fill no whole block, are in none: -1. A leftover of 54 rows
    once set every limit (median 4.4, by chance .18). All are 0 where times are not known.
    """
    if EVENT not in old.columns or EVENT not in new.columns or not (old.height and new.height):
        return np.zeros(old.height, dtype=np.int64)
    at, now = (frame[EVENT].to_physical().to_numpy().astype(float) for frame in (old, new))
    length = max(np.ptp(now), np.ptp(at) / MOST_BLOCKS, 1.0)
    whole = int(np.ptp(at) // length)
    back = ((at.max() - at) // length).astype(np.int64)
    blocks: psi.Integers = np.maximum(whole - 1 - back, -1)
    return blocks
