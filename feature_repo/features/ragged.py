"""Lists of different lengths, matched without a loop over rows.

Columns of one frame match the same lists over and over, so what they share is found once; and of a request one side is
often the same list in all rows, such as the skills of the one person. Both work on Arrow's buffers: a call of a polars
Series takes 15 us, and copies lists of texts (skill_gap, 1,000 skills: 4.5 ms -> 1.1).
"""

from typing import TypeAlias

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from feature_repo.once import once

Floats = NDArray[np.float64]
Places = NDArray[np.int64]
Lists: TypeAlias = pl.Series | pa.Array
"""Lists, a row each: pair functions get Arrow's."""


@once
def _arrow(lists: Lists) -> pa.Array:
    return lists.to_arrow() if isinstance(lists, pl.Series) else lists


@once
def _sizes(lists: Lists) -> Places:
    array = _arrow(lists)
    sizes: Places = np.diff(array.offsets.to_numpy())
    return np.where(array.is_valid().to_numpy(zero_copy_only=False), sizes, 0) if array.null_count else sizes


@once
def _rows(lists: Lists) -> Places:
    sizes = _sizes(lists)
    return np.repeat(np.arange(len(sizes)), sizes)


@once
def _names(lists: Lists) -> pa.Array:
    return _arrow(lists).flatten()


@once
def listed(amounts: Lists) -> Floats:
    """The values of lists, one after the other; NaN where one is missing."""
    found: Floats = _arrow(amounts).flatten().to_numpy(zero_copy_only=False).astype(np.float64, copy=False)
    return found


@once
def are_among(lists: Lists, some: frozenset[str]) -> NDArray[np.bool_]:
    """Of each name of the lists, one after the other, whether it is one of some."""
    found: NDArray[np.bool_] = pc.is_in(_names(lists), value_set=pa.array(sorted(some), _names(lists).type)).to_numpy(
        zero_copy_only=False
    )
    return found


def lengths(lists: Lists) -> Floats:
    """How many entries each list has; 0 where there is none."""
    return _sizes(lists).astype(np.float64)


@once
def one_each(names: pl.Series) -> pl.Series:
    """Names as lists of one."""
    return names.reshape((-1, 1)).cast(pl.List(pl.String))


def lookup(wanted: Lists, held: Lists, amounts: Lists, missing: float) -> tuple[Places, Floats]:
    """For each wanted name the amount of the same name held in the same row.

    wanted, held: lists of names, one per row, the names of a list distinct; amounts: lists as long as held's.
    Returns the row of each wanted name, and its amount or `missing`, in the order of the lists.
    """
    return _rows(wanted), np.append(listed(amounts), missing)[_places(wanted, held)]


def is_held(wanted: Lists, held: Lists) -> tuple[Places, Floats]:
    """The row of each wanted name, and 1 where the same name is held in that row, else 0."""
    return _rows(wanted), (_places(wanted, held) >= 0).astype(np.float64)


@once
def _places(wanted: Lists, held: Lists) -> Places:
    """For each wanted name the place of the same name among all held names, in the same row; -1 where there is none."""
    from feature_repo.features.matching import match

    names, held_names = _texts(wanted), _texts(held)
    found = np.empty(len(names[0]) - 1, np.int64)
    match(_starts(wanted), *names, _starts(held), *held_names, found)
    return found


@once
def _starts(lists: Lists) -> Places:
    """Where each row's names begin among all, and the end of the last."""
    return np.append(0, np.cumsum(_sizes(lists)))


@once
def _texts(lists: Lists) -> tuple[Places, NDArray[np.uint8], NDArray[np.bool_]]:
    """Where each name's bytes begin, and the end of the last; the bytes; which names are there at all."""
    names = _names(lists)
    if not pa.types.is_large_string(names.type):
        names = names.cast(pa.large_string())
    _, starts, content = names.buffers()
    begin, end = names.offset, names.offset + len(names) + 1
    found = np.frombuffer(starts, np.int64)[begin:end] if len(names) else np.zeros(1, np.int64)
    text = np.frombuffer(content, np.uint8) if content is not None and content.size else np.zeros(1, np.uint8)
    is_name = names.is_valid().to_numpy(zero_copy_only=False) if names.null_count else np.ones(len(names), np.bool_)
    return found, text, is_name


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


def weighted_mean_by_row(rows: NDArray[np.int64], values: Floats, weights: Floats, count: int) -> Floats:
    """The weighted mean of each row's values; NaN for rows whose weights are 0 in sum."""
    sums = np.bincount(rows, weights=values * weights, minlength=count)
    totals = np.bincount(rows, weights=weights, minlength=count)
    with np.errstate(invalid="ignore"):
        return np.where(totals > 0, sums / totals, np.nan)


def cosine(left: Lists, right: Lists) -> Floats:
    """The inner product of each row's two unit vectors; NaN where one is missing."""
    found = np.full(len(left), np.nan)
    sides = [_arrow(left), _arrow(right)]
    both = np.logical_and(*(side.is_valid().to_numpy(zero_copy_only=False) for side in sides))
    if both.any():
        kept = sides if both.all() else [side.filter(pa.array(both)) for side in sides]
        one, other = (side.flatten().to_numpy().reshape(int(both.sum()), -1) for side in kept)
        found[both] = np.einsum("ij,ij->i", one, other)
    return found


def centred_cosine(rows: NDArray[np.int64], left: Floats, right: Floats, count: int) -> Floats:
    """Each row's correlation of two lists of values; NaN where a side has fewer than two different ones."""
    sizes = np.maximum(np.bincount(rows, minlength=count), 1)

    def centred(values: Floats) -> Floats:
        means: Floats = np.bincount(rows, weights=values, minlength=count) / sizes
        return values - means[rows]

    one, other = centred(left), centred(right)
    product, first, second = (
        np.bincount(rows, weights=values, minlength=count) for values in (one * other, one * one, other * other)
    )
    found: Floats = np.full(count, np.nan)
    spread = np.sqrt(first * second)
    np.divide(product, spread, out=found, where=spread > 1e-12)
    return np.clip(found, -1.0, 1.0)
