"""Pair columns: the same pure functions over the rows of a training frame and over the candidates of a request.

A function's value in a row depends on that row only. So columns that are made by one function, such as the shares by
project and by raiser, are computed by one call over all their rows, one column after another; and a column of texts
that are the same in all rows, such as the words of the only task's title, is computed for one row. The values are the
same, bit for bit (bench/pairs.py).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from feature_repo.column import Column
from feature_repo.errors import DataError
from feature_repo.once import once, shared
from feature_repo.plan import Hop, Pair
from feature_repo.table import Table, typed

Places = NDArray[np.intp]
TOGETHER = 8_192  # numbers that one call works on: arrays of 64 KiB stay in the cache, and a call costs 1% of the work


@dataclass(frozen=True)
class Call:
    """Pairs of one function. inputs: for each of its parameters the rows of a table's matrix that they read.

    outputs: the rows that they fill. None where they are computed one by one, as some of it is in no matrix.
    """

    pairs: tuple[Pair, ...]
    inputs: tuple[Places, ...]
    outputs: Places | None


def wired(hop: Hop, table: Table) -> tuple[Call, ...]:
    """The calls of a hop, for tables of the same slots."""
    return tuple(_wired(call, table) for call in hop.calls)


def _wired(call: tuple[Pair, ...], table: Table) -> Call:
    names = [(*pair.inputs, pair.column.qualified) for pair in call]
    if len(call) == 1 or not all(table.is_number(name) for each in names for name in each):
        return Call(call, (), None)
    *inputs, outputs = (np.array([table.slots[name] for name in each]) for each in zip(*names, strict=True))
    return Call(call, tuple(inputs), outputs)


def compute(calls: Sequence[Call], table: Table) -> None:
    """Add the calls' columns to the table."""
    argument = cache(table.argument)  # the same object for all functions: so they may share what they compute of it
    with shared():
        for call in calls:
            if call.outputs is not None:
                _together(call, call.outputs, table)
                continue
            for pair in call.pairs:
                _alone(pair.column, [argument(name) for name in pair.inputs], table)


def _together(call: Call, outputs: Places, table: Table) -> None:
    column, rows = call.pairs[0].column, table.height
    width = max(1, TOGETHER // max(rows, 1))
    for begin in range(0, len(outputs), width):
        part = outputs[begin : begin + width]
        inputs = [table.numbers[slots[begin : begin + width]].reshape(-1) for slots in call.inputs]
        table.numbers[part] = _numbers(column, inputs, rows * len(part)).reshape(len(part), rows)


def _alone(column: Column, inputs: Sequence[Any], table: Table) -> None:
    rows = table.height
    if rows > 1 and any(_is_text(each) for each in inputs) and all(_is_same(each) for each in inputs):
        table.put(column, _result(column, [_first(each) for each in inputs], 1).new_from_index(0, rows))
    elif table.is_number(column.qualified):
        table.numbers[table.slots[column.qualified]] = _numbers(column, inputs, rows)
    else:
        table.put(column, _result(column, inputs, rows))


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
    return values[:1]


def _is_text(values: Any) -> bool:
    return isinstance(values, pl.Series) and values.dtype == pl.String


@once
def _is_same(values: Any) -> bool:
    """Whether all rows hold the same number or text; not asked of lists."""
    if isinstance(values, np.ndarray):
        return bool((values == values[0]).all() or np.isnan(values).all())
    if not _is_text(values) or values[0] != values[-1]:
        return False
    return bool(values.null_count() == len(values) or (values == values.new_from_index(0, len(values))).all())


def _result(column: Column, inputs: Sequence[Any], rows: int) -> pl.Series:
    series = typed(column, column.function(*inputs))
    if len(series) != rows:
        raise DataError(f"{column.qualified}: gave {len(series)} values for {rows} rows")
    return series
