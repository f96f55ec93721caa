"""Pair columns: the same pure functions over the rows of a training frame and over the candidates of a request."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from feature_repo.column import Column
from feature_repo.errors import DataError
from feature_repo.plan import AT, Hop, Pair
from feature_repo.views import polars_type

DAY = 86_400_000_000  # us


def compute(hop: Hop, values: dict[str, pl.Series], at: NDArray[np.float64]) -> None:
    """Add the hop's pair columns to values, in their order. at: days since 1970, a number per row."""
    arguments: dict[str, Any] = {AT: at}
    for pair in hop.pairs:
        for name in pair.inputs:
            if name not in arguments:
                arguments[name] = argument(values[name])
        values[pair.column.qualified] = _result(pair, arguments, len(at))


def argument(values: pl.Series) -> Any:
    """What a pair function gets: float64 with NaN for null, times as days since 1970; text and lists as a Series."""
    if values.dtype == pl.Float64:
        return values.to_numpy()
    if values.dtype.is_integer() or values.dtype == pl.Boolean:
        return values.cast(pl.Float64).to_numpy()
    if isinstance(values.dtype, pl.Datetime):
        return (values.dt.cast_time_unit("us").to_physical() / DAY).to_numpy()
    return values


def _result(pair: Pair, arguments: Mapping[str, Any], rows: int) -> pl.Series:
    found = pair.column.function(*(arguments[name] for name in pair.inputs))
    series = typed(pair.column, found)
    if len(series) != rows:
        raise DataError(f"{pair.column.qualified}: gave {len(series)} values for {rows} rows")
    return series


def typed(column: Column, values: Any) -> pl.Series:
    """Values as a series of the column's type; NaN is null. Raises DataError where a value does not fit."""
    if isinstance(values, np.ndarray):
        series = pl.Series(column.qualified, values, nan_to_null=True)
    else:
        series = pl.Series(column.qualified, values)
        series = series.fill_nan(None) if series.dtype.is_float() else series
    try:
        return series if series.dtype == polars_type(column) else series.cast(polars_type(column))
    except pl.exceptions.InvalidOperationError as error:
        raise DataError(f"{column.qualified}: {series.dtype} values, allowed: {polars_type(column)}") from error
