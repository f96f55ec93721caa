"""How pair columns are computed: by a program, by one call for all columns of a function, or each by a call.

What can be decided without values is decided once for all tables of the same slots (pairs.py).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeAlias

import numpy as np
import polars as pl
from numpy.typing import NDArray

from feature_repo.column import Column
from feature_repo.errors import DataError
from feature_repo.lists import OpenLists
from feature_repo.names import Coded
from feature_repo.once import once
from feature_repo.program import Ints, Program
from feature_repo.table import Table, typed

Places = NDArray[np.intp]
Block: TypeAlias = range | Places
"""Rows of the matrix: side by side, or anywhere."""
TOGETHER = 8_192  # numbers that one call works on: arrays of 64 KiB stay in the cache, and a call costs 1% of the work


class Read(NamedTuple):
    """An input that is no row of the matrix. is_coded: where it is texts with codes, by these."""

    name: str
    is_coded: bool


class Arguments(dict[int | Read, Any]):
    """What functions get, by row of the matrix or by name: the same object for all, so that they may share what they
    compute of it.
    """

    def __init__(self, table: Table, places: Ints) -> None:
        self.table, self.places = table, places

    def __missing__(self, wanted: int | Read) -> Any:
        table = self.table
        found = table.numbers[wanted] if isinstance(wanted, int) else table.argument(wanted.name, wanted.is_coded)
        self[wanted] = found
        return found


@dataclass(frozen=True)
class Together:
    """Columns of one function whose inputs are numbers. inputs: of each parameter, by column, the rows of the matrix.

    outputs: the rows that they fill.
    """

    column: Column
    inputs: tuple[Block, ...]
    outputs: Block

    @property
    def reads(self) -> tuple[str, ...]:
        """What it reads of the table that is no row of the matrix."""
        return ()

    @property
    def filled(self) -> list[int]:
        """The rows of the matrix that it fills."""
        return [int(slot) for slot in self.outputs]

    def compute(self, given: Arguments) -> None:
        numbers, rows = given.table.numbers, given.table.height
        width = max(1, TOGETHER // max(rows, 1))
        for begin in range(0, len(self.outputs), width):
            part = slice(begin, begin + width)
            inputs, filled = [_end_to_end(numbers, block[part]) for block in self.inputs], self.outputs[part]
            found = _numbers(self.column, inputs, rows * len(filled)).reshape(len(filled), rows)
            numbers[slice(filled.start, filled.stop) if isinstance(filled, range) else filled] = found


def _end_to_end(numbers: NDArray[np.float64], block: Block) -> NDArray[np.float64]:
    """Rows of the matrix, one after the other: as they lie there, where they are side by side, not copied."""
    if isinstance(block, range):
        return numbers[block.start : block.stop].reshape(-1)
    return numbers.take(block, 0).reshape(-1)  # numbers[block] takes 1.3 us for 12 rows of 100, and this 0.5


@dataclass(frozen=True)
class Alone:
    """A column. inputs: rows of the matrix, and what is not in it. slot: the row that it fills, where it has one.

    is_slow: whether it reads texts or lists: then it is computed for one row, where all are the same.
    """

    column: Column
    inputs: tuple[int | Read, ...]
    slot: int | None
    is_slow: bool

    @property
    def reads(self) -> tuple[str, ...]:
        """What it reads that is no row of the matrix."""
        return tuple(each.name for each in self.inputs if isinstance(each, Read))

    @property
    def filled(self) -> list[int]:
        """The rows of the matrix that it fills."""
        return [] if self.slot is None else [self.slot]

    def compute(self, given: Arguments) -> None:
        table, inputs = given.table, [given[each] for each in self.inputs]
        rows = every = table.height
        if self.is_slow and rows > 1 and _are_same(inputs):
            inputs, rows = [_first(each) for each in inputs], 1
        if self.slot is not None:
            table.numbers[self.slot] = _numbers(self.column, inputs, rows)
        else:
            found = _result(self.column, inputs, rows)
            table.put(self.column, found if rows == every else found.new_from_index(0, every))


@dataclass(frozen=True)
class Programmed:
    """Columns whose functions are written down."""

    program: Program

    @property
    def reads(self) -> tuple[str, ...]:
        """Lists come to it by their places."""
        return ()

    @property
    def filled(self) -> list[int]:
        """The rows of the matrix that it fills."""
        return self.program.filled

    def compute(self, given: Arguments) -> None:
        self.program.run(given.table.numbers, given.places)


Call: TypeAlias = Programmed | Together | Alone


def _numbers(column: Column, inputs: Sequence[Any], rows: int) -> Any:
    """The function's values, of which a series may hold some that do not fit its type."""
    found = column.function(*inputs)
    if not isinstance(found, np.ndarray):
        found = typed(column, found).cast(pl.Float64).to_numpy()
    if len(found) != rows:
        raise DataError(f"{column.qualified}: gave {len(found)} values for {rows} rows")
    return found


@once
def _first(values: Any) -> Any:
    if isinstance(values, OpenLists):
        return values.first
    return Coded(values.codes[:1], values.names) if isinstance(values, Coded) else values[:1]


def _are_same(inputs: Sequence[Any]) -> bool:
    """Whether all rows hold the same; of most inputs the first and last row tell that they do not."""
    return not any(map(_ends_differ, inputs)) and all(_is_same(_key(each)) for each in inputs)


def _key(values: Any) -> Any:
    """What is the same where values are the same."""
    if isinstance(values, OpenLists):
        return values.places
    return values.codes if isinstance(values, Coded) else values


def _ends_differ(values: Any) -> bool:
    keys = _key(values)
    first, last = keys[0], keys[-1]
    return bool(first != last and (first == first or last == last))


@once
def _is_same(values: Any) -> bool:
    if isinstance(values, np.ndarray):
        return bool((np.isnan(values) if values[0] != values[0] else values == values[0]).all())
    # not ==, by which a missing text is equal to every one
    return values.dtype == pl.String and bool(values.eq_missing(values.new_from_index(0, len(values))).all())


def _result(column: Column, inputs: Sequence[Any], rows: int) -> pl.Series:
    series = typed(column, column.function(*inputs))
    if len(series) != rows:
        raise DataError(f"{column.qualified}: gave {len(series)} values for {rows} rows")
    return series
