"""Columns of some rows, numbers in one matrix: what pair columns, models and kernels read without a frame.

A frame of 80 columns takes 0.3 ms to make, whatever its length: more than all arithmetic of a request. So a table has
one made only where somebody asks for it, and models read tables and frames by the same few functions.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, TypeAlias

import numpy as np
import polars as pl
import pyarrow as pa
from numpy.typing import NDArray

from feature_repo.column import Column
from feature_repo.errors import DataError
from feature_repo.lists import Opened, OpenLists
from feature_repo.names import Coded, Names
from feature_repo.plan import AT
from feature_repo.views import polars_type

Floats = NDArray[np.float64]
DAY = 86_400_000_000  # us
KINDS = (float, int, bool)  # of numbers
LISTS = (list[str], list[float])
LARGEST = 2**53  # up to which every whole number is a float64


@dataclass(frozen=True)
class Stored:
    """A column of lists, texts or times as it lies in a snapshot's view, and which of its rows are meant, in order."""

    view: str
    name: str
    opened: Opened
    places: NDArray[np.int64]

    @property
    def array(self) -> pa.Array:
        """The rows, cut out: 25 us for 100."""
        return self.opened.column.take(pa.array(self.places))


Values: TypeAlias = pl.Series | list[str | None] | Stored


@dataclass(frozen=True)
class Table:
    """declared: by qualified name what is read, given or computed. columns: those of its frame, in order.

    numbers: shape (slots, rows), NaN where missing; slots: by name the row of it, AT's too. names: of texts that stand
    there as codes; named: keys of the spine that have one in each row. others: further texts, lists and times, and the
    columns of the spine; a plain list is one of texts, and what is stored becomes a series where that is asked for.
    """

    declared: Mapping[str, Column]
    columns: Sequence[str]
    slots: Mapping[str, int]
    numbers: Floats
    others: dict[str, Values]
    names: Mapping[str, Names] = field(default_factory=dict)
    named: set[str] = field(default_factory=set)
    _made: dict[str, pl.Series] = field(default_factory=dict, init=False, repr=False, compare=False)
    """Series that somebody asked for."""

    @staticmethod
    def of(
        declared: Mapping[str, Column], spine: Mapping[str, pl.Series], at: Floats, columns: Sequence[str] = ()
    ) -> "Table":
        """Room for columns beside a spine. at: days since 1970, a number per row."""
        slots = {name: place for place, name in enumerate([AT, *(n for n, c in declared.items() if c.dtype in KINDS)])}
        numbers = np.full((len(slots), len(at)), np.nan)
        numbers[0] = at
        return Table(declared, columns, slots, numbers, dict(spine))

    @property
    def height(self) -> int:
        return int(self.numbers.shape[1])

    @cached_property
    def frame(self) -> pl.DataFrame:
        """The columns, null where missing."""
        return pl.DataFrame([self[name] for name in self.columns])

    def is_number(self, name: str) -> bool:
        """Whether the column is a row of the matrix as it is."""
        return name in self.slots and name not in self.names

    def matrix(self, names: Sequence[str]) -> Floats:
        """Columns of numbers, shape (rows, names), row by row."""
        return np.ascontiguousarray(self.numbers[[self.slots[name] for name in names]].T)

    def rows(self, wanted: Sequence[int] | NDArray[np.intp]) -> "Table":
        """Some of the rows, by their places, in the order of these."""
        places = np.asarray(wanted, np.intp)
        others = {name: _taken(values, places) for name, values in self.others.items()}
        numbers = self.numbers.take(places, axis=1)
        return Table(self.declared, self.columns, self.slots, numbers, others, self.names, self.named)

    def __getitem__(self, name: str) -> pl.Series:
        """A column as a series of its type, null where missing."""
        if name not in self._made:
            self._made[name] = self._series(name)
        return self._made[name]

    def _series(self, name: str) -> pl.Series:
        found = self.others.get(name)
        if found is None:
            numbers = self.numbers[self.slots[name]]
            return self.names[name].series(numbers).alias(name) if name in self.names else self._numeric(name, numbers)
        if isinstance(found, pl.Series):
            return found
        found = found.array if isinstance(found, Stored) else found
        return pl.Series(name, found, pl.String if isinstance(found, list) else polars_type(self.declared[name]))

    def _numeric(self, name: str, numbers: Floats) -> pl.Series:
        found = pl.Series(name, numbers, nan_to_null=True)
        return found if self.declared[name].dtype is float else found.cast(polars_type(self.declared[name]))

    def texts(self, name: str) -> list[str | None]:
        """A column as plain texts."""
        found = self.others.get(name)
        return found if isinstance(found, list) else self[name].cast(pl.String).to_list()

    def coded(self, name: str, codes: Mapping[str, float]) -> Floats:
        """What each row's text stands for, NaN where it stands for nothing."""
        if name not in self.names or name in self.others:
            return _coded(self.texts(name), codes)
        return self.names[name].translated(self.numbers[self.slots[name]], codes)

    def argument(self, name: str, coded: bool = False) -> Any:
        """What a pair function gets: float64, NaN for null, times as days since 1970; open lists; else a series.

        coded: texts that stand there as codes are given by these.
        """
        kept = self.others.get(name)
        if isinstance(kept, Stored) and self.declared[name].dtype in LISTS:
            return OpenLists(kept.opened, kept.places)
        if self.is_number(name):
            return self.numbers[self.slots[name]]
        if kept is None and coded:
            return Coded(self.numbers[self.slots[name]], self.names[name])
        found = self[name]
        if isinstance(found.dtype, pl.List):
            return OpenLists.of(found)
        if isinstance(found.dtype, pl.Datetime):
            return (found.dt.cast_time_unit("us").to_physical() / DAY).to_numpy()
        return as_numbers(found) if found.dtype.is_numeric() or found.dtype == pl.Boolean else found

    def put(self, column: Column, values: pl.Series) -> None:
        """Add a column: in the matrix where there is a place for it. Of texts with codes, these too."""
        name = column.qualified
        self._made.pop(name, None)
        if self.is_number(name):
            self.numbers[self.slots[name]] = as_numbers(values)
            return
        self.others[name] = values.alias(name)
        if name in self.names:
            self.numbers[self.slots[name]] = self.names[name].find(values.to_list())


Frame = pl.DataFrame | Table
"""What a model reads: both have columns, height, and a series under each name."""


def matrix(rows: Frame, names: Sequence[str]) -> Floats:
    """Columns of numbers, shape (rows, names), row by row; NaN where missing."""
    if isinstance(rows, Table):
        return rows.matrix(names)
    numbers = rows.select(pl.col(names).cast(pl.Float64).fill_null(np.nan))
    return np.ascontiguousarray(numbers.to_numpy(order="fortran"))


def framed(rows: Frame) -> pl.DataFrame:
    """As a frame."""
    return rows.frame if isinstance(rows, Table) else rows


def tabled(frame: pl.DataFrame, columns: Sequence[Column]) -> Table:
    """A frame as a table. columns: those of its columns that are declared."""
    declared = {column.qualified: column for column in columns}
    spine = {name: frame[name] for name in frame.columns if name not in declared}
    table = Table.of(declared, spine, np.full(frame.height, np.nan), frame.columns)
    for name, column in declared.items():
        table.put(column, frame[name])
    return table


def coded(rows: Frame, name: str, codes: Mapping[str, float]) -> Floats:
    """What each row's text in a column stands for, NaN where it stands for nothing."""
    return rows.coded(name, codes) if isinstance(rows, Table) else _coded(rows[name].cast(pl.String).to_list(), codes)


def _coded(texts: Sequence[str | None], codes: Mapping[str, float]) -> Floats:
    return np.array([np.nan if text is None else codes.get(text, np.nan) for text in texts], np.float64)


def _taken(values: Values, places: NDArray[np.intp]) -> Values:
    if isinstance(values, pl.Series):
        return values.gather(places)
    if isinstance(values, Stored):
        return Stored(values.view, values.name, values.opened, values.places[places])  # replace takes 1 us more
    return [values[place] for place in places.tolist()]


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
