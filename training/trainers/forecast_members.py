"""Forecasts of every member of an ensemble, what they are made of, and how much each member counts."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.typing import NDArray

from training.trainers.season import season
from training.trainers.smoothing import Member, smoothed, unrest

Floats = NDArray[np.float64]

# Raw values follow linear growth (StackOverflow), square roots multiplicative growth and sampling noise (hiring posts).
MEMBERS = (
    *(Member(power, level, 0.0, 0.0) for power, level in product((1.0, 0.5), (0.15, 0.3, 0.6))),
    *(
        Member(power, level, trend, fade)
        for power, level, trend, fade in product((1.0, 0.5), (0.2, 0.3, 0.5, 0.8), (0.05, 0.1, 0.2), (0.9, 0.95))
    ),
)


@dataclass(frozen=True)
class Series:
    """values: shape (series, periods); ahead, period: shape (series,), periods to look ahead and periods in a year."""

    values: Floats
    ahead: Floats
    period: NDArray[np.int64]


@dataclass(frozen=True)
class Alarm:
    """When a level shift is believed. threshold: in usual errors; floor: the least usual error, of a square root."""

    threshold: float
    floor: float


PARTS = ("level", "trend", "reversion", "season")


@dataclass(frozen=True)
class Paths:
    """Each of PARTS of a member's forecast in points, shape (series, members); noise in points, shape (series,)."""

    parts: dict[str, Floats]
    noise: Floats

    @property
    def total(self) -> Floats:
        """The forecasts, shape (series, members)."""
        summed: Floats = np.sum(list(self.parts.values()), axis=0)
        return summed


def paths(series: Series, members: Sequence[Member], alarm: Alarm, seasonal: float) -> Paths:
    """What each member says, split into steps that add up: its level, a straight trend, its fading, the season.

    seasonal: the share of the season that is believed. Members whose power is not 1 work on value ** power; a part is
    the difference it makes after the parts before it, so parts are in points whatever the power.
    """
    found = unrest(series.values, alarm.threshold, alarm.floor)
    phases = seasonal * _seasons(series)
    states = smoothed(_without(series.values, phases, series.period), members, found.shifted)
    power, fade = np.array([[member.power, member.fade] for member in members]).T
    ahead, far = series.ahead[:, None], series.ahead[:, None].astype(np.int64) - 1
    coming = np.take_along_axis(phases, far % np.minimum(series.period, phases.shape[1])[:, None], axis=1)
    level = _points(states.level, power)
    straight = _points(states.level + states.trend * ahead, power)
    faded = _points(states.level + states.trend * _steps(fade, ahead), power)
    final = np.maximum(np.sqrt(faded) + coming, 0.0) ** 2
    parts = dict(zip(PARTS, (level, straight - level, faded - straight, final - faded), strict=True))
    noise = 2 * np.sqrt(np.median(level, axis=1)) * found.noise + found.noise**2
    return Paths(parts, noise)


def _points(smooth: Floats, power: Floats) -> Floats:
    """From the scale that members smooth on back to points, never below zero."""
    back: Floats = np.maximum(smooth, 0.0) ** (1 / power)
    return back


def _steps(fade: Floats, ahead: Floats) -> Floats:
    """fade + fade^2 + ... + fade^ahead."""
    return fade * (1 - fade**ahead) / (1 - fade)


def _seasons(series: Series) -> Floats:
    """Seasons of square roots, shape (series, longest period)."""
    found = np.zeros((len(series.values), int(series.period.max(initial=1))))
    for period in np.unique(series.period):
        rows = series.period == period
        found[rows, :period] = season(np.sqrt(series.values[rows]), int(period))
    return found


def _without(values: Floats, phases: Floats, period: NDArray[np.int64]) -> Floats:
    """Values with the season taken out."""
    if not phases.any():
        return values
    back = np.arange(values.shape[1])[::-1]
    places = (-1 - back)[None, :] % np.minimum(period, phases.shape[1])[:, None]
    plain: Floats = np.maximum(np.sqrt(values) - np.take_along_axis(phases, places, axis=1), 0.0) ** 2
    return plain


def weights(forecasts: Floats, actual: Floats, importance: Floats, rounds: int) -> Floats:
    """How much each member counts: shape (members,), of sum one, most of them zero.

    forecasts: shape (rows, members); importance: of a row, shape (rows,). Starting from nobody, `rounds` times the
    member is added that makes the mean of those chosen nearest to actual in weighted mean absolute error.
    Source: Caruana, Niculescu-Mizil, Crew & Ksikes 2004, ensemble selection with replacement.
    """
    chosen = np.zeros(forecasts.shape[1])
    total = np.zeros(len(actual))
    for size in range(1, rounds + 1):
        away = np.abs((total[:, None] + forecasts) / size - actual[:, None])
        best = int(np.argmin(importance @ away))
        chosen[best] += 1
        total += forecasts[:, best]
    return chosen / rounds
