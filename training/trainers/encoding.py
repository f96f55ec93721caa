"""Columns to the numbers that a booster reads. Imputing and encoding live inside the model."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import polars as pl
from numpy.typing import NDArray

from feature_repo.column import Column

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

    def matrix(self, frame: pl.DataFrame) -> NDArray[np.float64]:
        """Shape (rows, names); missing and unknown values are NaN."""
        return np.ascontiguousarray(frame.select(self._numbers).to_numpy(order="fortran"))

    @cached_property
    def _numbers(self) -> list[pl.Expr]:
        """Made once: fifteen boosters of 96 columns took three quarters of a request to make them again."""
        return [self._number(name) for name in self.names]

    def _number(self, name: str) -> pl.Expr:
        if name not in self.categories:
            return pl.col(name).cast(pl.Float64).fill_null(float("nan"))
        codes = list(range(len(self.categories[name])))
        coded = pl.col(name).replace_strict(self.categories[name], codes, default=None, return_dtype=pl.Float64)
        return coded.fill_null(float("nan"))

    @property
    def categorical(self) -> list[int]:
        """The positions of the text columns."""
        return [place for place, name in enumerate(self.names) if name in self.categories]


def _frequent(values: pl.Series) -> tuple[str, ...]:
    counts = values.drop_nulls().value_counts()
    return tuple(sorted(counts.filter(pl.col("count") >= RARE)[values.name].to_list()))
