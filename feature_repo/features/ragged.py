"""Lists of different lengths, matched without a loop over rows."""

import numpy as np
import polars as pl
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def _flat(lists: pl.Series) -> tuple[NDArray[np.int64], pl.Series]:
    lengths = lists.list.len().fill_null(0).to_numpy().astype(np.int64)
    filled = lists.filter(lengths > 0)
    rows = np.repeat(np.arange(len(lengths)), lengths)
    return rows, filled.explode()


def lookup(wanted: pl.Series, held: pl.Series, amounts: pl.Series, missing: float) -> tuple[NDArray[np.int64], Floats]:
    """For each wanted name the amount of the same name held in the same row.

    wanted, held: lists of names, one per row, the names of a list distinct; amounts: lists as long as held's.
    Returns the row of each wanted name, and its amount or `missing`, in the order of the lists.
    """
    rows, names = _flat(wanted)
    held_rows, held_names = _flat(held)
    flat_amounts = _flat(amounts)[1].to_numpy().astype(np.float64)
    codes = pl.concat([names, held_names]).cast(pl.Categorical).to_physical().to_numpy().astype(np.int64)
    keys, held_keys = (codes[: len(names)] << 32) | rows, (codes[len(names) :] << 32) | held_rows
    order = np.argsort(held_keys)
    places = np.searchsorted(held_keys, keys, sorter=order)
    if not len(held_keys):
        return rows, np.full(len(rows), missing)
    found = order[np.minimum(places, len(order) - 1)]
    return rows, np.where(held_keys[found] == keys, flat_amounts[found], missing)


def mean_by_row(rows: NDArray[np.int64], values: Floats, length: int) -> Floats:
    """The mean of the values of each row, NaN where it has none. rows: sorted. Shape (length,)."""
    counts = np.bincount(rows, minlength=length)
    sums = np.zeros(length)
    present = counts > 0
    if present.any():
        starts = np.concatenate([[0], np.cumsum(counts)[:-1]])[present]
        sums[present] = np.add.reduceat(values, starts)
    means: Floats = np.divide(sums, counts, out=np.full(length, np.nan), where=present)
    return means
