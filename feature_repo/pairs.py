"""Pair columns: the same pure functions over the rows of a training frame and over the candidates of a request.

A function's value in a row depends on that row only. So columns that are made by one function, such as the shares by
project and by raiser, are computed by one call over all their rows, one column after another; and a column of texts
that are the same in all rows, such as the words of the only task's title, is computed for one row. The values are the
same, bit for bit (bench/pairs.py).
"""

from collections.abc import Mapping, Sequence
from itertools import chain
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from feature_repo.column import Column
from feature_repo.errors import DataError
from feature_repo.once import once, shared
from feature_repo.plan import AT, Hop, Pair
from feature_repo.views import polars_type

DAY = 86_400_000_000  # us
TOGETHER = 8_192  # numbers that one call works on: arrays of 64 KiB stay in the cache, and a call costs 1% of the work
FEW = 16  # Series with nulls: more are filled at once, 90 of 1,000 rows in 0.27 ms; one by one in 0.48


def compute(hop: Hop, values: dict[str, pl.Series], at: NDArray[np.float64]) -> None:
    """Add the hop's pair columns to values, in their order. at: days since 1970, a number per row."""
    found: dict[str, pl.Series] = {}
    arguments = {AT: at, **_arguments(hop.inputs, values)}
    with shared():
        for call in hop.calls:
            for name in {name: None for pair in call for name in pair.inputs if name not in arguments}:
                arguments[name] = argument(found[name])
            found |= _computed(call, arguments, len(at))
    for pair in hop.pairs:
        values[pair.column.qualified] = found[pair.column.qualified]


def _arguments(names: Sequence[str], values: Mapping[str, pl.Series]) -> dict[str, Any]:
    sparse = [name for name in names if values[name].dtype == pl.Float64 and values[name].has_nulls()]
    if len(sparse) < FEW:
        return {name: argument(values[name]) for name in names}
    filled = pl.concat([values[name] for name in sparse], rechunk=True).fill_null(np.nan).to_numpy()
    arrays = dict(zip(sparse, filled.reshape(len(sparse), -1), strict=True))
    return {name: arrays[name] if name in arrays else argument(values[name]) for name in names}


def argument(values: pl.Series) -> Any:
    """What a pair function gets: float64 with NaN for null, times as days since 1970; text and lists as a Series."""
    if values.dtype == pl.Float64:
        return values.to_numpy()
    if values.dtype.is_integer() or values.dtype == pl.Boolean:
        return values.cast(pl.Float64).to_numpy()
    if isinstance(values.dtype, pl.Datetime):
        return (values.dt.cast_time_unit("us").to_physical() / DAY).to_numpy()
    return values


def _computed(call: Sequence[Pair], arguments: Mapping[str, Any], rows: int) -> dict[str, pl.Series]:
    width = 1 if len(call) == 1 else max(1, TOGETHER // max(rows, 1))
    if width > 1 and not all(_is_array(arguments[name]) for pair in call for name in pair.inputs):
        width = 1
    parts = [_together(call[begin : begin + width], arguments, rows) for begin in range(0, len(call), width)]
    return {pair.column.qualified: part for pair, part in zip(call, chain(*parts), strict=True)}


def _together(call: Sequence[Pair], arguments: Mapping[str, Any], rows: int) -> list[pl.Series]:
    inputs = [[arguments[name] for name in pair.inputs] for pair in call]
    if len(call) == 1:
        return [_alone(call[0].column, inputs[0], rows)]
    stacked = [np.concatenate(each) for each in zip(*inputs, strict=True)]
    found = _result(call[0].column, stacked, rows * len(call))
    return [found.slice(place * rows, rows).alias(pair.column.qualified) for place, pair in enumerate(call)]


def _alone(column: Column, inputs: Sequence[Any], rows: int) -> pl.Series:
    if rows > 1 and any(_is_text(each) for each in inputs) and all(_is_same(each) for each in inputs):
        return _result(column, [_first(each) for each in inputs], 1).new_from_index(0, rows)
    return _result(column, inputs, rows)


@once
def _first(values: Any) -> Any:
    return values[:1]


def _is_array(values: Any) -> bool:
    return isinstance(values, np.ndarray)


def _is_text(values: Any) -> bool:
    return isinstance(values, pl.Series) and values.dtype == pl.String


@once
def _is_same(values: Any) -> bool:
    """Whether all rows hold the same number or text; not asked of lists."""
    if _is_array(values):
        return bool((values == values[0]).all() or np.isnan(values).all())
    if not _is_text(values) or values[0] != values[-1]:
        return False
    return bool(values.null_count() == len(values) or (values == values.new_from_index(0, len(values))).all())


def _result(column: Column, inputs: Sequence[Any], rows: int) -> pl.Series:
    series = typed(column, column.function(*inputs))
    if len(series) != rows:
        raise DataError(f"{column.qualified}: gave {len(series)} values for {rows} rows")
    return series


def typed(column: Column, values: Any) -> pl.Series:
    """Values as a series of the column's type; NaN is null. Raises DataError where a value does not fit."""
    series = pl.Series(column.qualified, values, nan_to_null=True)
    if series.dtype.is_float() and not _is_array(values):
        series = pl.Series(column.qualified, series.to_numpy(), nan_to_null=True)  # fill_nan takes ten times as long
    try:
        return series if series.dtype == polars_type(column) else series.cast(polars_type(column))
    except pl.exceptions.InvalidOperationError as error:
        raise DataError(f"{column.qualified}: {series.dtype} values, allowed: {polars_type(column)}") from error
