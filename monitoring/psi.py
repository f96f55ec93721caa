"""The population stability index over the reference's own bins, and how much of it chance explains."""

from functools import cache

import numpy as np
import pandas as pd
from numpy.typing import NDArray

NAME = "psi_of_reference_bins"
PRACTICAL = 0.1
"""From here on a shift is worth attention (Siddiqi 2006, Credit Risk Scorecards)."""

FALSE_ALARM = 0.001
MOST_CATEGORIES = 9
FEWEST_DISTINCT = 20  # a number with at most so many values is compared value by value

FEWEST_UNITS = 100
"""Fewer tasks than this are not compared: their index is mostly chance."""

NEWS = 1.5
"""What is news moved by half as much again as ever; a steady trend lies a little further off from period to period."""

Counts = NDArray[np.float64]
Integers = NDArray[np.int64]


def index(reference: pd.Series, current: pd.Series) -> float:
    """How far the distribution of current is from the reference's, 0 when equal. Neither holds missing values.

    Many-valued numbers are cut at the reference's deciles, everything else into its most frequent values and the
    rest. Half a count is added to each bin, so that an empty one does not weigh without bound.
    """
    expected, found = (_shares(_counts(reference, series)) for series in (reference, current))
    return float(((found - expected) * np.log(found / expected)).sum())


def threshold(reference: pd.Series, units: int, current_units: int) -> float:
    """The index that counts as drift: PRACTICAL, or what chance alone exceeds in one of 1,000 columns if that is more.

    units, current_units: independent observations in each sample, which may be fewer than its rows.
    Source: Yurdakul 2018, the index times the harmonic sample size is chi-squared with bins - 1 degrees of freedom.
    """
    bins = len(_counts(reference, reference))
    return max(PRACTICAL, _chance(bins - 1) * (1 / units + 1 / current_units))


def usual(series: pd.Series, blocks: Integers, units: Integers) -> float:
    """The furthest that a block of time lay from all blocks before it, 0 where there are too few to say.

    blocks: the number of each row's block, in the order of time, -1 for rows in none. units: the number of each row's
    task. Histories grow and seasons turn: what has always moved as much is no news. The first third of the blocks only
    serves as past, and a block of fewer than FEWEST_UNITS tasks is not judged.
    """
    held = (blocks >= 0) & series.notna().to_numpy()
    last = int(blocks.max(initial=-1))
    judged = range(max(last, 0) // 3 + 1, last + 1)
    pairs = ((held & (blocks < number), held & (blocks == number)) for number in judged)
    compared = (pair for pair in pairs if all(len(np.unique(units[part])) >= FEWEST_UNITS for part in pair))
    return max((index(series[past], series[now]) for past, now in compared), default=0.0)


@cache
def _chance(freedom: int) -> float:
    from scipy.stats import chi2

    return float(chi2.ppf(1 - FALSE_ALARM, freedom))


def _counts(reference: pd.Series, series: pd.Series) -> Counts:
    """Rows of series in each bin of the reference."""
    if pd.api.types.is_numeric_dtype(reference) and reference.nunique() > FEWEST_DISTINCT:
        edges = np.unique(np.quantile(reference, np.arange(1, 10) / 10))
        counted: Counts = np.bincount(np.searchsorted(edges, series), minlength=len(edges) + 1).astype(np.float64)
        return counted
    frequent = reference.value_counts().index[:MOST_CATEGORIES]
    named = series.value_counts().reindex(frequent, fill_value=0).to_numpy(dtype=np.float64)
    with_rest: Counts = np.append(named, len(series) - named.sum())
    return with_rest


def _shares(counts: Counts) -> Counts:
    shares: Counts = (counts + 0.5) / (counts.sum() + 0.5 * len(counts))
    return shares


def register() -> str:
    """Make the index known to Evidently; the name to ask for it by. Doing so again changes nothing."""
    from evidently.legacy.calculations.stattests.registry import StatTest, register_stattest
    from evidently.legacy.core import ColumnType

    test = StatTest(
        name=NAME,
        display_name="PSI, bins of the reference",
        allowed_feature_types=[ColumnType.Numerical, ColumnType.Categorical],
        default_threshold=PRACTICAL,
    )
    register_stattest(test, _tested)
    return NAME


def _tested(reference: pd.Series, current: pd.Series, _kind: object, limit: float) -> tuple[float, bool]:
    found = index(reference, current)
    return found, found >= limit
