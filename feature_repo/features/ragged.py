"""Lists of different lengths, matched without a loop over rows.

Columns of one frame match the same lists over and over, so what they share is found once; and of a request one side is
often the same list in all rows, such as the skills of the one person. How lists are opened: lists.py.
"""

from typing import TypeAlias

import numpy as np
import polars as pl
import pyarrow as pa
from numpy.typing import NDArray

from feature_repo.lists import OpenLists, matching
from feature_repo.once import once
from feature_repo.program import alone
from feature_repo.recording import MEAN_RATIO, SHARE_HELD, noted

Floats = NDArray[np.float64]
Places = NDArray[np.int64]
Lists: TypeAlias = pl.Series | pa.Array | OpenLists
"""Lists, a row each: pair functions get open ones."""


def opened(lists: Lists) -> OpenLists:
    """Lists as kernels read them."""
    return lists if isinstance(lists, OpenLists) else _opened(lists)


_opened = once(OpenLists.of)


def listed(amounts: Lists) -> Floats:
    """The values of lists, one after the other; NaN where one is missing."""
    return opened(amounts).amounts


def lengths(lists: Lists) -> Floats:
    """How many entries each list has; 0 where there is none."""
    return opened(lists).sizes


def row_of_each(lists: Lists) -> Places:
    """The row of each entry."""
    return opened(lists).rows


@once
def are_among(lists: Lists, some: frozenset[str]) -> NDArray[np.bool_]:
    """Of each name of the lists, one after the other, whether it is one of some."""
    side = opened(lists)
    return side.opened.among(some)[side.entries]


@once
def one_each(names: pl.Series) -> pl.Series:
    """Names as lists of one."""
    return names.reshape((-1, 1)).cast(pl.List(pl.String))


def lookup(wanted: Lists, held: Lists, amounts: Lists, missing: float) -> Floats:
    """For each wanted name the amount of the same name held in the same row, or `missing`, in the order of the lists.

    wanted, held: lists of names, one per row, the names of a list distinct; amounts: lists as long as held's.
    """
    (starts, places), values = _matched(wanted, held), opened(amounts)
    found = np.empty(len(places))
    matching().pick(places, starts, values.opened.spans, values.opened.amounts, values.places, missing, found)
    return found


def ratios(wanted: Lists, asked: Lists, held: Lists, amounts: Lists) -> Floats:
    """For each wanted name the amount held, 0 where there is none, over the amount asked for, at most 1.

    asked, amounts: lists as long as wanted's and held's.
    """
    (starts, places), needs, values = _matched(wanted, held), opened(asked), opened(amounts)
    found = np.empty(len(places))
    matching().ratio(
        places, starts, needs.opened.spans, needs.opened.amounts, needs.places,
        values.opened.spans, values.opened.amounts, values.places, found,
    )  # fmt: skip
    return found


@noted(MEAN_RATIO)
def mean_ratio(wanted: Lists, asked: Lists, held: Lists, amounts: Lists) -> Floats:
    """The mean of each row's ratios, NaN where nothing is wanted."""
    return alone(MEAN_RATIO, *map(opened, (wanted, asked, held, amounts)))


@noted(SHARE_HELD)
def share_held(wanted: Lists, held: Lists, amounts: Lists) -> Floats:
    """Of how many of each row's wanted names an amount above 0 is held: a share, NaN where nothing is wanted."""
    return alone(SHARE_HELD, *map(opened, (wanted, held, amounts)))


def is_held(wanted: Lists, held: Lists) -> Floats:
    """For each wanted name 1 where the same name is held in the same row, else 0."""
    return (_matched(wanted, held)[1] >= 0).astype(np.float64)


@once
def _matched(wanted: Lists, held: Lists) -> tuple[Places, Places]:
    """Where each row's wanted names begin, and the end of the last; and of each name its place in the row's held list.

    The place is -1 where it is not there.
    """
    names, others = opened(wanted), opened(held)
    one, other = names.opened, others.opened
    found: tuple[Places, Places] = matching().match(
        one.spans, one.marks, one.text_starts, one.text, names.places,
        other.spans, other.marks, other.text_starts, other.text, others.places,
    )  # fmt: skip
    return found


def mean_by_row(lists: Lists, values: Floats) -> Floats:
    """The mean of the values of each row, NaN where it has none. values: one for each entry of the lists."""
    side = opened(lists)
    starts, sizes = side.starts[:-1], side.sizes
    if side.is_full:
        means: Floats = np.add.reduceat(values, starts) / sizes if len(sizes) else np.zeros(0)
        return means
    present = sizes > 0
    found = np.full(len(sizes), np.nan)
    if present.any():
        found[present] = np.add.reduceat(values, starts[present]) / sizes[present]
    return found


def means(amounts: Lists) -> Floats:
    """The mean of each list, NaN where it is empty or missing."""
    found: Floats = pl.Series(values=opened(amounts)).list.mean().to_numpy()
    return found


def weighted_mean_by_row(lists: Lists, values: Floats, weights: Floats) -> Floats:
    """The weighted mean of each row's values; NaN for rows whose weights are 0 in sum."""
    rows, count = row_of_each(lists), len(lists)
    sums = np.bincount(rows, weights=values * weights, minlength=count)
    totals = np.bincount(rows, weights=weights, minlength=count)
    with np.errstate(invalid="ignore"):
        return np.where(totals > 0, sums / totals, np.nan)


def sum_by_row(lists: Lists, values: Floats) -> Floats:
    """The sum of each row's values, 0 where it has none."""
    return np.bincount(row_of_each(lists), weights=values, minlength=len(lists)).astype(np.float64, copy=False)


def cosine(left: Lists, right: Lists) -> Floats:
    """The inner product of each row's two unit vectors; NaN where one is missing."""
    sides = opened(left), opened(right)
    both = np.logical_and(*(side.opened.is_there[side.places] for side in sides))
    found = np.full(len(both), np.nan)
    if both.any():
        found[both] = np.einsum("ij,ij->i", *(side.vectors(both) for side in sides))
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
