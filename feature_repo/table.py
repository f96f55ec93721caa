"""Columns of some rows, numbers in one matrix: what pair columns, models and kernels read without a frame.

A frame of 80 columns takes 0.3 ms to make, whatever its length: more than all arithmetic of a request.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from feature_repo.column import Column
from feature_repo.errors import DataError
from feature_repo.names import Names
from feature_repo.plan import AT
from feature_repo.views import polars_type

Floats = NDArray[np.float64]
DAY = 86_400_000_000  # us
KINDS = (float, int, bool)  # of numbers
LARGEST = 2**53  # up to which every whole number is a float64


@dataclass(frozen=True)
class Table:
    """columns: by qualified name what is read, given or computed.

    numbers: shape (slots, rows), NaN where missing; slots: by name the row of it, AT's too. names: of texts that stand
    there as codes. others: further texts, lists and times, and the columns of the spine.
    """

    columns: Mapping[str, Column]
    slots: Mapping[str, int]
    numbers: Floats
    others: dict[str, pl.Series]
    names: Mapping[str, Names] = field(default_factory=dict)

    @staticmethod
    def of(columns: Mapping[str, Column], spine: Mapping[str, pl.Series], at: Floats) -> "Table":
        """Room for columns beside a spine. at: days since 1970, a number per row."""
        slots = {name: place for place, name in enumerate([AT, *(n for n, c in columns.items() if c.dtype in KINDS)])}
        numbers = np.full((len(slots), len(at)), np.nan)
        numbers[0] = at
        return Table(columns, slots, numbers, dict(spine))

    @property
    def height(self) -> int:
        return int(self.numbers.shape[1])

    def is_number(self, name: str) -> bool:
        """Whether the column is a row of the matrix as it is."""
        return name in self.slots and name not in self.names

    def matrix(self, names: Sequence[str]) -> Floats:
        """Columns of numbers, shape (rows, names), row by row."""
        return np.ascontiguousarray(self.numbers[[self.slots[name] for name in names]].T)

    def __getitem__(self, name: str) -> pl.Series:
        """A column as a series of its type, null where missing."""
        if name in self.others:
            return self.others[name]
        if name not in self.names:
            return _series(self.columns[name], self.numbers[self.slots[name]])
        self.others[name] = found = self.names[name].series(self.numbers[self.slots[name]]).alias(name)
        return found

    def argument(self, name: str) -> Any:
        """What a pair function gets: float64 with NaN for null, times as days since 1970; else a series."""
        if self.is_number(name):
            return self.numbers[self.slots[name]]
        found = self[name]
        if isinstance(found.dtype, pl.Datetime):
            return (found.dt.cast_time_unit("us").to_physical() / DAY).to_numpy()
        return as_numbers(found) if found.dtype.is_numeric() or found.dtype == pl.Boolean else found

    def put(self, column: Column, values: pl.Series) -> None:
        """Add a column: in the matrix where there is a place for it. Of texts with codes, these too."""
        name = column.qualified
        if self.is_number(name):
            self.numbers[self.slots[name]] = as_numbers(values)
            return
        self.others[name] = values.alias(name)
        if name in self.names:
            self.numbers[self.slots[name]] = self.names[name].find(values.to_list())


def as_numbers(values: pl.Series) -> Floats:
    """Numbers as float64, NaN for null. Raises DataError for whole numbers that none is equal to."""
    if values.dtype.is_integer() and (values.abs() > LARGEST).any():
        raise DataError(f"{values.name}: {values.abs().max()!r}, allowed: whole numbers up to 2^53")
    found: Floats = values.cast(pl.Float64).to_numpy()
    return found


def typed(column: Column, values: Any) -> pl.Series:
    """Values as a series of the column's type; NaN is null. Raises DataError where a value does not fit."""
    series = pl.Series(column.qualified, values, nan_to_null=True)
    if series.dtype.is_float() and not isinstance(values, np.ndarray):
        series = pl.Series(column.qualified, series.to_numpy(), nan_to_null=True)  # fill_nan takes ten times as long
    try:
        return series if series.dtype == polars_type(column) else series.cast(polars_type(column))
    except pl.exceptions.InvalidOperationError as error:
        raise DataError(f"{column.qualified}: {series.dtype} values, allowed: {polars_type(column)}") from error


def _series(column: Column, numbers: Floats) -> pl.Series:
    found = pl.Series(column.qualified, numbers, nan_to_null=True)
    return found if column.dtype is float else found.cast(polars_type(column))
