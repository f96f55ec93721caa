"""What a model's columns added to what it says of some rows."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

Floats = NDArray[np.float64]
EXPECTED = "expected"


@dataclass(frozen=True)
class Contributions:
    """values: shape (rows, names), in the scale of the model; expected: shape (rows,). A row's add up to its output.

    names: qualified columns, or parts of the model that are no column, such as a trend.
    """

    names: Sequence[str]
    values: Floats
    expected: Floats

    @staticmethod
    def of(names: Sequence[str], parts: Floats) -> "Contributions":
        """From shape (rows, names + 1), the last one what is expected, as LightGBM gives them."""
        return Contributions(names, parts[:, :-1], parts[:, -1])

    @property
    def total(self) -> Floats:
        """What they add up to, shape (rows,)."""
        sums: Floats = self.values.sum(axis=1) + self.expected
        return sums

    @property
    def frame(self) -> pl.DataFrame:
        """A column per name and `expected`. Not for requests: 80 columns take 0.3 ms."""
        return pl.from_numpy(np.column_stack([self.values, self.expected]), schema=[*self.names, EXPECTED])


def mean(parts: Sequence[Contributions]) -> Contributions:
    """Of models that read the same columns: exact for the mean of what they say."""
    values: Floats = np.mean([part.values for part in parts], axis=0)
    return Contributions(parts[0].names, values, np.mean([part.expected for part in parts], axis=0))
