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
    tails = values.cast(pl.List(pl.Float64)).list.tail(longest)
    lengths = tails.list.len().fill_null(0).to_numpy().astype(np.int64)
    wide = np.full((len(values), longest), np.nan)
    row = np.repeat(np.arange(len(values)), lengths)
    before = np.arange(len(row)) - np.repeat(np.cumsum(lengths) - lengths, lengths)
    flat = tails.filter(lengths > 0).explode().to_numpy().astype(np.float64)
    wide[row, wide.shape[1] - lengths[row] + before] = flat
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
    power, gain, trend_gain, fade = np.array([[m.power, m.level, m.trend, m.fade] for m in members]).T
    powers, place = np.unique(power, return_inverse=True)
    raised = np.stack([np.nan_to_num(values) ** each for each in powers], axis=2)  # once: roots are half of the work
    level, trend, before = (np.zeros((len(values), len(members))) for _ in range(3))
    known = np.zeros(len(values))
    for at in range(values.shape[1]):
        seen = np.isfinite(values[:, at])
        now = raised[:, at, place]
        expected = level + fade * trend
        step = np.maximum(gain, 1 / (known[:, None] + 1))
        following = np.where(seen[:, None], expected + step * (now - expected), expected)
        moved = fade * trend + trend_gain * (following - expected) * (known[:, None] > 1)
        level, trend, held, before = following, np.where(seen[:, None], moved, fade * trend), before, trend
        known += seen
        if (new := shifted[:, at]).any():
            pair = np.where(seen, (values[:, at] + np.nan_to_num(_last(values, at))) / 2, 0.0)
            level[new], trend[new], known[new] = pair[new, None] ** power, held[new], 2.0
    return States(level, trend)


def _last(values: Floats, at: int) -> Floats:
    """The value before `at`; NaN where it is missing."""
    return values[:, at - 1] if at else np.full(len(values), np.nan)


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
    roots = np.sqrt(values)
    level = trend = np.zeros(len(values))
    known, noise, pending = np.zeros(len(values)), np.maximum(_first_noise(roots), floor), np.full(len(values), np.nan)
    shifted = np.zeros(values.shape, bool)
    for at in range(values.shape[1]):
        seen, now = np.isfinite(roots[:, at]), roots[:, at]
        expected = level + USUAL_FADE * trend
        stray = np.where(seen, now - expected, 0.0)
        new = seen & (known >= SETTLED) & _agree(pending, stray, noise, threshold)
        # An outlier waits: the level does not follow it before the next value has spoken for it or against it.
        far = np.abs(stray) > np.fmax(2 / 3 * threshold * noise, 2 * np.abs(pending))
        odd = seen & (known >= SETTLED) & far & ~new
        step = np.maximum(USUAL_GAIN, 1 / (known + 1))
        caught = np.where(np.isfinite(pending), (stray + np.nan_to_num(pending)) / 2, stray)
        move = np.where(odd | ~seen, 0.0, np.where(new, caught, step * caught))
        trend = np.where(known == 0, 0.0, USUAL_FADE * trend + np.where(new, 0.0, 0.1 * move))
        level, shifted[:, at] = expected + move, new
        known = np.where(new, 2.0, known + seen)
        noise = np.where(seen & (known > 4) & ~new & ~odd, _steadied(noise, stray, floor), noise)
        pending = np.where(odd, stray, np.where(seen, np.nan, pending))
    return Unrest(shifted, noise)


def _agree(earlier: Floats, later: Floats, noise: Floats, threshold: float) -> Flags:
    """Whether two strayings speak for the same new level; NaN where there is no earlier one."""
    both = np.minimum(np.abs(earlier), np.abs(later)) * np.where(earlier * later > 0, 1.0, 0.0)
    mean = np.abs(earlier + later) / 2
    agreed: Flags = (both > 2 / 3 * threshold * noise) & (mean > threshold * noise) & (2 * both > mean)
    return agreed


def _first_noise(roots: Floats) -> Floats:
    """1.48 medians of the steps between values, less the root of two that a difference adds."""
    steps = np.abs(np.diff(roots, axis=1))
    known = np.isfinite(steps).any(axis=1)
    middle = np.full(len(roots), LEAST_NOISE)
    middle[known] = 1.4826 / np.sqrt(2) * np.nanmedian(steps[known], axis=1)
    first: Floats = np.maximum(middle, LEAST_NOISE)
    return first


def _steadied(noise: Floats, stray: Floats, floor: float) -> Floats:
    """The noise after one more straying, 3 times the noise at most: one outlier must not deafen the detector."""
    drawn = np.minimum(np.abs(stray), 3 * noise) * 1.2533  # sqrt(pi / 2): from a mean deviation to a standard one
    steadied: Floats = np.maximum(0.95 * noise + 0.05 * drawn, floor)
    return steadied
