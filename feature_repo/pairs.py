"""Pair columns: the same pure functions over the rows of a training frame and over the candidates of a request.

A function's value in a row depends on that row only. So columns that are made by one function, such as the shares by
project and by raiser, are computed by one call over all their rows, one column after another; and a column of texts or
lists that are the same in all rows, such as the words of the only task's title, is computed for one row. The values are
the same, bit for bit (bench/pairs.py). What can be decided without values is decided once for all questions of a form.
"""

import inspect
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeAlias

import numpy as np
import polars as pl
from numpy.typing import NDArray

from feature_repo.column import Column
from feature_repo.errors import DataError
from feature_repo.lists import OpenLists
from feature_repo.names import Coded, Texts
from feature_repo.once import once, shared
from feature_repo.plan import Hop, Pair
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

    def __init__(self, table: Table) -> None:
        self.table = table

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


Call: TypeAlias = Together | Alone


def wired(hop: Hop, table: Table) -> tuple[Call, ...]:
    """The calls of a hop, for tables of the same slots."""
    return tuple(each for call in hop.calls for each in _wired(call, table))


def _wired(call: tuple[Pair, ...], table: Table) -> Sequence[Call]:
    names = [(*pair.inputs, pair.column.qualified) for pair in call]
    if len(call) == 1 or not all(table.is_number(name) for each in names for name in each):
        return [_alone(pair, table) for pair in call]
    *inputs, outputs = (_block([table.slots[name] for name in each]) for each in zip(*names, strict=True))
    return [Together(call[0].column, tuple(inputs), outputs)]


def _block(slots: Sequence[int]) -> Block:
    side_by_side = range(slots[0], slots[0] + len(slots))
    return side_by_side if list(side_by_side) == list(slots) else np.array(slots)


def side_by_side(hops: Sequence[Hop], names: Sequence[str]) -> list[str]:
    """Names of numbers in an order in which what one call reads or fills stands together, as far as that can be."""
    calls = ([(*pair.inputs, pair.column.qualified) for pair in call] for hop in hops for call in hop.calls)
    read = (name for call in calls if len(call) > 1 for block in zip(*call, strict=True) for name in block)
    known = set(names)
    return list(dict.fromkeys([*(name for name in read if name in known), *names]))


def _alone(pair: Pair, table: Table) -> Alone:
    inputs = tuple(_input(pair, place, table) for place in range(len(pair.inputs)))
    name = pair.column.qualified
    slot = table.slots[name] if table.is_number(name) else None
    return Alone(pair.column, inputs, slot, any(isinstance(each, Read) and not each.is_coded for each in inputs))


def _input(pair: Pair, place: int, table: Table) -> int | Read:
    name = pair.inputs[place]
    if table.is_number(name):
        return table.slots[name]
    return Read(name, name in table.names and _takes_codes(pair.column, place))


def _takes_codes(column: Column, place: int) -> bool:
    """Whether a function declares a parameter as Texts."""
    parameters = list(inspect.signature(column.function).parameters.values())
    return place < len(parameters) and bool(parameters[place].annotation == Texts)


def compute(calls: Sequence[Call], table: Table) -> None:
    """Add the calls' columns to the table."""
    given = Arguments(table)
    with shared():
        for call in calls:
            call.compute(given)


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
