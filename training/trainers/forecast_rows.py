"""The rows that a forecaster reads: a series' last values, its period, and how far to look ahead."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from feature_repo.errors import DataError
from feature_repo.table import Frame, as_numbers
from training.trainers.forecast_members import Series
from training.trainers.smoothing import matrix

Floats = NDArray[np.float64]
LONGEST = 60  # values: five years of months


@dataclass(frozen=True)
class Reading:
    """Names of the columns that a row is read from. ahead: periods, where the frame has no column `horizon`."""

    values: str = "series__values"
    months: str = "series__months"
    horizon: str = "horizon"
    ahead: int = 6

    def series(self, frame: Frame) -> Series:
        """The rows as arrays. Raises DataError for a missing column, an empty series, or a horizon below one."""
        if self.values not in frame.columns:
            raise DataError(f"forecast: column {self.values} is missing, found: {', '.join(frame.columns)}")
        ahead = _or(frame, self.horizon, self.ahead)
        months = _or(frame, self.months, 1.0)
        if len(ahead) and (ahead.min() < 1 or months.min() <= 0):
            raise DataError(f"forecast: horizon {ahead.min():g}, months {months.min():g}, allowed: 1 or more, above 0")
        period = np.maximum(np.round(12 / months), 1).astype(np.int64)
        return Series(matrix(frame[self.values], LONGEST), ahead, period)


def _or(frame: Frame, name: str, otherwise: float) -> Floats:
    """A column's values, `otherwise` where it is null or not there."""
    if name not in frame.columns:
        return np.full(frame.height, otherwise)
    found = as_numbers(frame[name])
    return np.where(np.isnan(found), otherwise, found)
