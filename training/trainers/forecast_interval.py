"""How far forecasts miss, by horizon: conformal margins and the probability that demand will be above a value."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
LEVELS = np.linspace(0.0, 1.0, 41)
FEWEST_ERRORS = 40


@dataclass(frozen=True)
class Margins:
    """misses: horizon to the quantiles (at LEVELS) of (actual - forecast) / noise over rows held out."""

    misses: Mapping[int, Floats]

    @staticmethod
    def of(misses: Floats, ahead: Floats) -> "Margins":
        """From scaled misses and their horizons. A horizon with few rows has no margins of its own; all do together.

        The outer quantiles are moved outwards by one row, as split conformal prediction asks.
        Source: Lei et al. 2018, distribution-free predictive inference; errors scaled by a spread known before.
        """
        found: dict[int, Floats] = {}
        for horizon in np.unique(ahead).astype(int):
            own = misses[ahead == horizon]
            if len(own) >= FEWEST_ERRORS:
                found[int(horizon)] = _quantiles(own)
        return Margins(found or {int(np.median(ahead)): _quantiles(misses)})

    def at(self, ahead: Floats) -> Floats:
        """Quantiles for each row's horizon, shape (rows, LEVELS): the nearest known horizon's, grown by a root.

        Errors of a level that walks grow with the root of the horizon.
        """
        known = np.array(sorted(self.misses))
        nearest = known[np.abs(ahead[:, None] - known).argmin(axis=1)]
        table = np.stack([self.misses[int(horizon)] for horizon in known])
        grown: Floats = table[np.searchsorted(known, nearest)] * np.sqrt(ahead / nearest)[:, None]
        return grown

    def bounds(self, forecast: Floats, noise: Floats, ahead: Floats, coverage: float) -> tuple[Floats, Floats]:
        """The low and high ends of central intervals; low <= forecast <= high, low >= 0."""
        misses = self.at(ahead)
        tail = (1 - coverage) / 2
        low, high = (_row_quantile(misses, level) for level in (tail, 1 - tail))
        return np.maximum(forecast + np.minimum(low, 0) * noise, 0.0), forecast + np.maximum(high, 0) * noise

    def above(self, forecast: Floats, noise: Floats, ahead: Floats, value: Floats) -> Floats:
        """The probability that what comes is above a value, 0 to 1."""
        needed = (value - forecast) / noise
        misses = self.at(ahead)
        place = (misses < needed[:, None]).sum(axis=1)
        before, after = np.maximum(place - 1, 0), np.minimum(place, len(LEVELS) - 1)
        rows = np.arange(len(misses))
        gap = misses[rows, after] - misses[rows, before]
        part = np.divide(needed - misses[rows, before], gap, out=np.zeros(len(rows)), where=gap > 0)
        share: Floats = 1 - (LEVELS[before] + np.clip(part, 0, 1) * (LEVELS[after] - LEVELS[before]))
        return share


def _quantiles(misses: Floats) -> Floats:
    """Quantiles at LEVELS, spread by (n + 1) / n around the middle."""
    spread = np.clip(0.5 + (LEVELS - 0.5) * (1 + 1 / len(misses)), 0, 1)
    quantiles: Floats = np.quantile(misses, spread)
    return quantiles


def _row_quantile(misses: Floats, level: float) -> Floats:
    place = level * (len(LEVELS) - 1)
    lower = int(np.floor(place + 1e-9))
    upper = min(lower + 1, len(LEVELS) - 1)
    mixed: Floats = misses[:, lower] + (place - lower) * (misses[:, upper] - misses[:, lower])
    return mixed
