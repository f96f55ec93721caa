"""Columns to the numbers that a booster reads. Imputing and encoding live inside the model."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import polars as pl
from numpy.typing import NDArray

from feature_repo.column import Column
from feature_repo.table import Frame, Table, coded, matrix
from training.trainers.layouts import Wired

Ints = NDArray[np.int64]
RARE = 20  # a category seen in fewer training rows is encoded as missing, as an unseen one will be


@dataclass(frozen=True)
class Encoding:
    """names: qualified columns, in order. categories: for text columns, the values that have a code."""

    names: tuple[str, ...]
    categories: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @staticmethod
    def of(frame: pl.DataFrame, columns: Sequence[Column]) -> "Encoding":
        """Codes for the text columns, in alphabetical order of their frequent values."""
        text = [column.qualified for column in columns if column.dtype is str]
        return Encoding(tuple(c.qualified for c in columns), {name: _frequent(frame[name]) for name in text})

    def matrix(self, rows: Frame) -> NDArray[np.float64]:
        """Shape (rows, names); missing and unknown values are NaN."""
        if not self.categories:
            return matrix(rows, self.names)
        found = np.empty((rows.height, len(self.names)))
        if numbers := [place for place, name in enumerate(self.names) if name not in self.categories]:
            found[:, numbers] = matrix(rows, [self.names[place] for place in numbers])
        for place in self.categorical:
            found[:, place] = coded(rows, self.names[place], self._codes[self.names[place]])
        return found

    def columns(self, rows: Frame) -> tuple[NDArray[np.float64], Ints]:
        """As matrix, but shape (slots, rows), and the slot of each name: numbers are left where a table has them."""
        if not isinstance(rows, Table):
            return np.ascontiguousarray(self.matrix(rows).T), self._places
        slots = self._slots.of(rows)
        if not self.categories:
            return rows.numbers, slots
        found = rows.numbers[slots]
        for place in self.categorical:
            found[place] = rows.coded(self.names[place], self._codes[self.names[place]])
        return found, self._places

    @cached_property
    def _slots(self) -> Wired[Ints]:
        """Of the names in a table; any one for text."""
        return Wired(lambda table: np.array([self._slot(table, name) for name in self.names], np.int64))

    def _slot(self, table: Table, name: str) -> int:
        return 0 if name in self.categories else table.slots[name]

    @cached_property
    def _places(self) -> Ints:
        return np.arange(len(self.names))

    @cached_property
    def _codes(self) -> Mapping[str, Mapping[str, float]]:
        return {
            name: {value: float(code) for code, value in enumerate(values)} for name, values in self.categories.items()
        }

    @cached_property
    def categorical(self) -> list[int]:
        """The positions of the text columns."""
        return [place for place, name in enumerate(self.names) if name in self.categories]


def _frequent(values: pl.Series) -> tuple[str, ...]:
    counts = values.drop_nulls().value_counts()
    return tuple(sorted(counts.filter(pl.col("count") >= RARE)[values.name].to_list()))
