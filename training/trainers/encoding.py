"""Columns to the numbers that a booster reads. Imputing and encoding live inside the model."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import polars as pl
from numpy.typing import NDArray

from feature_repo.column import Column
from feature_repo.table import Frame, coded, matrix

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

    @cached_property
    def _codes(self) -> Mapping[str, Mapping[str, float]]:
        return {
            name: {value: float(code) for code, value in enumerate(values)} for name, values in self.categories.items()
        }

    @property
    def categorical(self) -> list[int]:
        """The positions of the text columns."""
        return [place for place, name in enumerate(self.names) if name in self.categories]


def _frequent(values: pl.Series) -> tuple[str, ...]:
    counts = values.drop_nulls().value_counts()
    return tuple(sorted(counts.filter(pl.col("count") >= RARE)[values.name].to_list()))
