"""Kernels that follow series value by value, compiled by numba: import inside functions, 0.4 s.

In numpy a period took 80 us, however few the series were: 5 ms an answer. Every number has the bits it had there.
"""

import numpy as np
from numpy.typing import NDArray

from feature_repo.compiled import cached, inner

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]


@cached
def smooth(
    raised: Floats, seen: Flags, moved_to: Floats, gain: Floats, trend_gain: Floats, fade: Floats
) -> tuple[Floats, Floats]:
    """Level and trend after the last value, each of shape (series, members).

    raised: shape (series, periods, members), on each member's scale; seen: shape (series, periods). moved_to: where a
    value confirms a new level, that level; NaN elsewhere.
    """
    series, periods, members = raised.shape
    levels, trends = np.zeros((series, members)), np.zeros((series, members))
    for row in range(series):
        for member in range(members):
            level = trend = before = known = 0.0
            for at in range(periods):
                expected, faded, held = level + fade[member] * trend, fade[member] * trend, before
                before, level, trend = trend, expected, faded
                if seen[row, at]:
                    step = max(gain[member], 1 / (known + 1))
                    level = expected + step * (raised[row, at, member] - expected)
                    trend = faded + trend_gain[member] * (level - expected) * (1.0 if known > 1 else 0.0)
                    known += 1
                if not np.isnan(moved_to[row, at, member]):
                    level, trend, known = moved_to[row, at, member], held, 2.0
            levels[row, member], trends[row, member] = level, trend
    return levels, trends


@cached
def stray(
    roots: Floats, first_noise: Floats, threshold: float, floor: float, gain: float, fade: float, settled: int
) -> tuple[Flags, Floats]:
    """Where values confirm a new level, shape (series, periods), and the usual error at the end, shape (series,)."""
    shifted, noises = np.zeros(roots.shape, np.bool_), np.maximum(first_noise, floor)
    for row in range(len(roots)):
        level = trend = known = 0.0
        noise, pending = noises[row], np.nan
        for at in range(roots.shape[1]):
            expected, seen = level + fade * trend, np.isfinite(roots[row, at])
            away = roots[row, at] - expected if seen else 0.0
            is_settled = seen and known >= settled
            is_new = is_settled and _agree(pending, away, noise, threshold)
            # An outlier waits: the level does not follow it before the next value has spoken for it or against it.
            is_far = abs(away) > np.fmax(2 / 3 * threshold * noise, 2 * abs(pending))
            is_odd = is_settled and is_far and not is_new
            caught = (away + pending) / 2 if np.isfinite(pending) else away
            step = 1.0 if is_new else max(gain, 1 / (known + 1))
            move = 0.0 if is_odd or not seen else step * caught
            trend = 0.0 if known == 0 else fade * trend + (0.0 if is_new else 0.1 * move)
            level, shifted[row, at] = expected + move, is_new
            known = 2.0 if is_new else known + seen
            if seen and known > 4 and not is_new and not is_odd:
                noise = _steadied(noise, away, floor)
            pending = away if is_odd else np.nan if seen else pending
        noises[row] = noise
    return shifted, noises


@inner
def _agree(earlier: float, later: float, noise: float, threshold: float) -> bool:
    """Whether two strayings speak for the same new level; not where there is no earlier one."""
    if np.isnan(earlier) or not earlier * later > 0:
        return False
    both, mean = min(abs(earlier), abs(later)), abs(earlier + later) / 2
    return both > 2 / 3 * threshold * noise and mean > threshold * noise and 2 * both > mean


@inner
def _steadied(noise: float, away: float, floor: float) -> float:
    """The noise after one more straying, 3 times the noise at most: one outlier must not deafen the detector."""
    drawn = min(abs(away), 3 * noise) * 1.2533  # sqrt(pi / 2): from a mean deviation to a standard one
    return max(0.95 * noise + 0.05 * drawn, floor)
