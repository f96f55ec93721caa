"""Exponential smoothing of many series at once, with settings side by side, and the shifts of their level."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from feature_repo.errors import DataError

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

USUAL_GAIN, USUAL_FADE = 0.3, 0.9
"""What the shift detector forecasts with: close to the best single setting on all three real families of series."""
LEAST_NOISE = 0.01  # of a square root, so that a constant series has an error that others can be measured by
SETTLED = 8  # values since the start or the last shift before another one is believed: a steep trend is no shift


@dataclass(frozen=True)
class Member:
    """A damped trend. power: values are smoothed as value ** power; level, trend: gains; fade: of the trend, a step."""

    power: float
    level: float
    trend: float
    fade: float


@dataclass(frozen=True)
class States:
    """Where the series stand after their last value; arrays of shape (series, members)."""

    level: Floats
    trend: Floats


def matrix(values: pl.Series, longest: int) -> Floats:
    """Lists as rows of `longest` values, the last to the right, NaN before the first; so a row is alike in any batch.

    values: list[float], oldest first; the last `longest` count. Raises DataError for a row without a number.
    """
    lists = values.cast(pl.List(pl.Float64)).to_arrow()  # its arrays: polars' own operations take 0.1 ms each
    ends = lists.offsets.to_numpy()
    lengths = np.minimum(np.where(lists.is_valid(), np.diff(ends), 0), longest)
    row = np.repeat(np.arange(len(values)), lengths)
    from_end = np.repeat(np.cumsum(lengths), lengths) - np.arange(len(row))
    wide = np.full((len(values), longest), np.nan)
    wide[row, longest - from_end] = lists.values.to_numpy(zero_copy_only=False)[ends[1:][row] - from_end]
    wide[np.isinf(wide)] = np.nan
    if empty := int((~np.isfinite(wide).any(axis=1)).sum()):
        raise DataError(f"{values.name}: {empty} of {len(values)} series without a number, allowed: one number or more")
    if np.nanmin(wide, initial=0.0) < 0:
        raise DataError(f"{values.name}: {np.nanmin(wide):g} found, allowed: demand of zero or more")
    return wide


def smoothed(values: Floats, members: Sequence[Member], shifted: Flags) -> States:
    """The level and trend of each series by each member.

    values: shape (series, periods); shifted: same shape, true where a value confirms a new level: there a member
    starts from the mean of the last two values and the trend of before the shift, and learns anew.
    Source: damped trend, Gardner & McKenzie 1985; gains of 1/n while n values are known.
    """
    from training.trainers.recursion import smooth

    power, gain, trend_gain, fade = np.ascontiguousarray(
        np.array([[m.power, m.level, m.trend, m.fade] for m in members]).T
    )
    powers, place = np.unique(power, return_inverse=True)
    raised = [np.nan_to_num(values) ** each for each in powers]
    # stacked, not picked by place from one array: that one's layout, which a kernel is compiled for, depends on shapes
    by_member = np.stack([raised[at] for at in place], axis=2)
    seen = np.isfinite(values)
    return States(*smooth(by_member, seen, _moved_to(values, seen, shifted, power), gain, trend_gain, fade))


def _moved_to(values: Floats, seen: Flags, shifted: Flags, power: Floats) -> Floats:
    """The new level of each member where there is one, NaN elsewhere; shape (series, periods, members)."""
    found = np.full((*values.shape, len(power)), np.nan)
    before = np.zeros_like(values)
    before[:, 1:] = np.nan_to_num(values[:, :-1])
    pairs = np.where(seen, (values + before) / 2, 0.0)[shifted]
    found[shifted] = pairs[:, None] ** power
    return found


@dataclass(frozen=True)
class Unrest:
    """shifted: shape (series, periods), where a value confirms a new level. noise: shape (series,), of square roots."""

    shifted: Flags
    noise: Floats


def unrest(values: Floats, threshold: float, floor: float = LEAST_NOISE) -> Unrest:
    """How far values stray from what was expected of them, and where they settled on a new level.

    A shift: two values in a row on the same side of what was expected before them, their mean `threshold` times the
    usual error away, each two thirds of that, and nearer to each other than to the old level. The square root makes
    the noise of a share even (its variance grows with the share).
    """
    from training.trainers.recursion import stray

    roots = np.sqrt(values)
    settings = float(threshold), float(floor), USUAL_GAIN, USUAL_FADE, SETTLED
    return Unrest(*stray(roots, _first_noise(roots), *settings))


def _first_noise(roots: Floats) -> Floats:
    """1.48 medians of the steps between values, less the root of two that a difference adds."""
    steps = np.abs(np.diff(roots, axis=1))
    known = np.isfinite(steps).any(axis=1)
    middle = np.full(len(roots), LEAST_NOISE)
    middle[known] = 1.4826 / np.sqrt(2) * _median(steps[known])
    first: Floats = np.maximum(middle, LEAST_NOISE)
    return first


def _median(values: Floats) -> Floats:
    """Of each row's known values, one or more; np.nanmedian takes 0.4 ms of an answer."""
    ordered, known = np.sort(values, axis=1), np.isfinite(values).sum(axis=1)  # NaN comes last
    row = np.arange(len(values))
    median: Floats = (ordered[row, (known - 1) // 2] + ordered[row, known // 2]) / 2
    return median
