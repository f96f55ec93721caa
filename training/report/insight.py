"""What a trained model says about itself: which columns matter, and where it does badly."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import polars as pl

from training.candidate import Candidate
from training.evaluation import predicted
from training.metrics import measure
from training.product import Metric, Product

EXPLAINED_ROWS = 300  # contributions cost 80 times a prediction
BINS = 4
FEWEST_ROWS = 20
COLUMNS = 5


@dataclass(frozen=True)
class Bin:
    """The gate's metric on the rows of a range of a column; baseline: of the one that the gate compares with."""

    column: str
    range: str
    rows: int
    model: float
    baseline: float


def gate_metric(product: Product) -> Metric:
    """The metric that the product's gate names."""
    return next(metric for metric in product.metrics if metric.name == product.gate.metric)


def importance(candidate: Candidate) -> dict[str, float]:
    """Mean absolute contribution of each column to the explained output, largest first.

    From the trainer where it gives one, else over evenly spaced rows of the test frame.
    """
    found = dict(candidate.importance) or _mean_contributions(candidate)
    return dict(sorted(found.items(), key=lambda item: -item[1]))


def _mean_contributions(candidate: Candidate) -> dict[str, float]:
    frame = candidate.test_frame
    if not frame.height:
        return {}
    sample = frame.gather_every(max(1, frame.height // EXPLAINED_ROWS)).head(EXPLAINED_ROWS)
    parts = candidate.model.contributions(sample)
    return dict(zip(parts.names, np.abs(parts.values).mean(axis=0).tolist(), strict=True))


def bins(candidate: Candidate, columns: list[str]) -> list[Bin]:
    """The gate's metric by month and by ranges of the first columns that are the same for a whole group."""
    frame = candidate.test_frame
    usable = [name for name in columns if name in frame.columns and _is_of_group(frame, name)]
    parts = [*_months(frame), *(part for name in usable[:COLUMNS] for part in _ranges(frame, name))]
    return [_bin(candidate, *part) for part in parts if part[2].height >= FEWEST_ROWS]


def worst(found: list[Bin], higher_is_better: bool, count: int = 5) -> list[Bin]:
    """The bins where the model is furthest behind, or least ahead of, its baseline."""
    sign = 1 if higher_is_better else -1
    return sorted(found, key=lambda part: sign * (part.model - part.baseline))[:count]


def _bin(candidate: Candidate, column: str, text: str, rows: pl.DataFrame) -> Bin:
    product = candidate.product
    metric = gate_metric(product)
    baseline = next(each for each in product.baselines if each.name == product.gate.beats)
    ours = measure(metric, predicted(rows, candidate.model.predict))
    return Bin(column, text, rows.height, ours, measure(metric, predicted(rows, baseline.predict)))


def _is_of_group(frame: pl.DataFrame, name: str) -> bool:
    """Whether a column has one value per group, so that cutting by it keeps groups whole."""
    if frame[name].dtype.is_nested():
        return False
    if "group" not in frame.columns:
        return True
    return bool((frame.group_by("group").agg(pl.col(name).n_unique())[name] == 1).all())


def _months(frame: pl.DataFrame) -> Iterator[tuple[str, str, pl.DataFrame]]:
    months = frame["event_timestamp"].dt.strftime("%Y-%m")
    for month in months.unique().sort():
        yield "month", month, frame.filter(months == month)


def _ranges(frame: pl.DataFrame, name: str) -> Iterator[tuple[str, str, pl.DataFrame]]:
    """Quarters of a number, the commonest values of anything else, and where it is missing."""
    values = frame[name]
    if values.null_count():
        yield name, "missing", frame.filter(values.is_null())
    if values.dtype.is_numeric() and values.n_unique() > BINS:
        yield from _quarters(frame, name)
    else:
        for value in values.drop_nulls().value_counts(sort=True)[name].head(BINS):
            yield name, str(value), frame.filter(values == value)


def _quarters(frame: pl.DataFrame, name: str) -> Iterator[tuple[str, str, pl.DataFrame]]:
    values = frame[name]
    cuts = sorted({float(values.quantile(part / BINS) or 0.0) for part in range(BINS + 1)})
    for low, high in pairwise(cuts):
        inside = values.is_between(low, high, closed="both" if high == cuts[-1] else "left")
        yield name, f"{low:.4g} to {high:.4g}", frame.filter(inside.fill_null(False))
