"""What the month adds to a series: the mean departure from its moving mean, by phase, shrunk where it may be chance."""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
KNOWN = 0.5  # the share of a period that a moving mean needs; 0.5 to 1 make no difference on GitHub (.1391 to .1393)


def season(roots: Floats, period: int) -> Floats:
    """What each phase adds to the square root of demand; shape (series, period), rows that sum to zero.

    roots: shape (series, times). Phase p is that of the value p + 1 periods after the last one, so season[:, 0] is
    the next value's and season[:, -1] the last one's. A series without two whole periods has none (zeros).
    """
    series, times = roots.shape
    if period < 2 or times < 2 * period:
        return np.zeros((series, period))
    moving = _moving_mean(roots, period)
    away = (roots - moving)[:, times - times // period * period :].reshape(series, -1, period)
    known = np.isfinite(away).sum(axis=1)
    total = np.nansum(away, axis=1)
    mean = np.divide(total, known, out=np.zeros_like(total), where=known > 0)
    mean -= mean.mean(axis=1, keepdims=True)
    believed: Floats = mean * _trust(away, mean, known)[:, None]
    return believed


def _moving_mean(roots: Floats, period: int) -> Floats:
    """The mean of a period around each value, its ends counted half where the period is even.

    NaN where less than half of the period is known.
    """
    half = period // 2
    weights = np.ones(2 * half + 1)
    if period % 2 == 0:
        weights[[0, -1]] = 0.5
    padded = np.pad(roots, ((0, 0), (half, half)), constant_values=np.nan)
    windows = np.lib.stride_tricks.sliding_window_view(padded, 2 * half + 1, axis=1)
    known = np.isfinite(windows) @ weights
    total = np.nan_to_num(windows) @ weights
    return np.where(known >= KNOWN * period, total / np.maximum(known, 1), np.nan)


def _trust(away: Floats, mean: Floats, known: Floats) -> Floats:
    """The share of a season's variance that chance does not explain, 0 to 1; 0 with a single year. Shape (series,)."""
    rest = np.nan_to_num(away - mean[:, None, :])
    freedom = np.maximum((known - 1).clip(0).sum(axis=1), 1)
    noise = (rest**2).sum(axis=(1, 2)) / freedom / np.maximum(known.mean(axis=1), 1)
    found = (mean**2).mean(axis=1)
    trust = np.clip(1 - np.divide(noise, found, out=np.ones_like(noise), where=found > 0), 0, 1)
    return np.where((known >= 2).mean(axis=1) > 0.5, trust, 0.0)
