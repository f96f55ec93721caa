"""Quality measures on labelled predictions: frames with one row per candidate answer.

Ranking frames hold `group`, `relevance` (> 0 is relevant), `is_candidate` and `score`; a relevant row that was no
candidate can never be a hit. Ties in score go to the row whose group and item (the person, where there is no column
`item`) hash lower, the same for every model.
Effort frames hold `actual_hours` and `hours`, `hours_low`, `hours_high`. Units come in a fixed order.
"""

from collections.abc import Callable

import numpy as np
import polars as pl
from numpy.typing import NDArray

from training.product import Metric

Floats = NDArray[np.float64]
TIE_SEED = 42


def _ranked(frame: pl.DataFrame) -> pl.DataFrame:
    """frame with `place`, 1 for the best candidate of its group, ordered by group and place."""
    item = "item" if "item" in frame.columns else "person_id"
    tie = pl.concat_str("group", item, separator="|").hash(TIE_SEED)
    order = frame.with_columns(tie=tie).sort(
        "group", "is_candidate", "score", "tie", descending=[False, True, True, False], nulls_last=True
    )
    return order.with_columns(place=pl.int_range(1, pl.len() + 1).over("group"))


def _by_group(frame: pl.DataFrame, value: pl.Expr) -> Floats:
    grouped = _ranked(frame).group_by("group", maintain_order=True).agg(value=value)
    return grouped["value"].to_numpy().astype(np.float64)


def _found() -> pl.Expr:
    return (pl.col("relevance") > 0) & pl.col("is_candidate")


def hit_at(k: int) -> Metric:
    """1 where a relevant person is among the first k, per group."""
    return Metric(f"hit_at_{k}", lambda frame: _by_group(frame, (_found() & (pl.col("place") <= k)).any()))


def _reciprocal() -> pl.Expr:
    return pl.when(_found()).then(1 / pl.col("place")).otherwise(0.0).max()


def ndcg_at(k: int) -> Metric:
    """Ranking quality of the first k, 1 when ideal, per group; gains are 0 or 1.

    Source: Jarvelin & Kekalainen 2002, log base 2.
    """

    def values(frame: pl.DataFrame) -> Floats:
        gain = 1 / (pl.col("place") + 1).log(2)
        found = pl.when(_found() & (pl.col("place") <= k)).then(gain).otherwise(0.0).sum()
        ideal = _ideal_gain(_by_group(frame, (pl.col("relevance") > 0).sum()), k)
        quality: Floats = _by_group(frame, found) / ideal
        return quality

    return Metric(f"ndcg_at_{k}", values)


def _ideal_gain(relevant: Floats, k: int) -> Floats:
    gains: Floats = np.cumsum(1 / np.log2(np.arange(k) + 2))
    ideal: Floats = gains[np.clip(relevant, 1, k).astype(int) - 1]
    return ideal


mrr = Metric("mrr", lambda frame: _by_group(frame, _reciprocal()))
"""The reciprocal of the first relevant person's place, 0 where none is a candidate, per group."""


def _logs(frame: pl.DataFrame, name: str) -> Floats:
    """ln(1 + hours): hours come close to 0, where a plain logarithm would judge minutes."""
    hours: Floats = np.log1p(frame[name].to_numpy().astype(np.float64))
    return hours


def _log_errors(frame: pl.DataFrame) -> Floats:
    return _logs(frame, "actual_hours") - _logs(frame, "hours")


def _hours_errors(frame: pl.DataFrame) -> Floats:
    errors: Floats = (frame["actual_hours"] - frame["hours"]).to_numpy().astype(np.float64)
    return errors


def r2(actual: Floats, predicted: Floats) -> float:
    """The share of the variance that is explained; NaN where actual does not vary."""
    spread = float(((actual - actual.mean()) ** 2).sum())
    return 1 - float(((actual - predicted) ** 2).sum()) / spread if spread > 0 else float("nan")


def interval_coverage(name: str, actual: str, output: str) -> Metric:
    """The share of rows whose outcome lies between output_low and output_high; NaN for rows without them."""

    def values(frame: pl.DataFrame) -> Floats:
        inside = pl.col(actual).is_between(f"{output}_low", f"{output}_high").cast(pl.Float64)
        known = pl.col(f"{output}_low").is_not_nan() & pl.col(actual).is_not_null()
        return frame.select(pl.when(known).then(inside).otherwise(float("nan"))).to_series().to_numpy()

    return Metric(name, values)


def absolute_error(name: str, actual: str, output: str, scale: Callable[[Floats], Floats] = np.asarray) -> Metric:
    """|actual - output| per row on a scale, NaN where either is missing; lower is better."""

    def values(frame: pl.DataFrame) -> Floats:
        pair = (frame[column].cast(pl.Float64).to_numpy() for column in (actual, output))
        found, told = (scale(each) for each in pair)
        return np.abs(found - told)

    return Metric(name, values, higher_is_better=False)


def root_squared_error(name: str, actual: str, output: str) -> Metric:
    """The root of the mean of (actual - output) squared; lower is better."""

    def squares(frame: pl.DataFrame) -> Floats:
        actuals, outputs = (frame[column].cast(pl.Float64).to_numpy() for column in (actual, output))
        found: Floats = (actuals - outputs) ** 2
        return found

    return Metric(name, squares, higher_is_better=False, total=lambda frame: float(np.sqrt(np.nanmean(squares(frame)))))


def log_loss(name: str, actual: str, output: str) -> Metric:
    """-ln of the chance given to what happened, per row; lower is better. Chances are kept 1e-6 from 0 and 1."""

    def values(frame: pl.DataFrame) -> Floats:
        happened = frame[actual].cast(pl.Float64).to_numpy()
        chance = np.clip(frame[output].cast(pl.Float64).to_numpy(), 1e-6, 1 - 1e-6)
        losses: Floats = -np.where(happened > 0, np.log(chance), np.log1p(-chance))
        return losses

    return Metric(name, values, higher_is_better=False)


def accuracy(name: str, actual: str, output: str, threshold: float = 0.5) -> Metric:
    """1 where the output is above the threshold exactly where the label is true, per row."""

    def values(frame: pl.DataFrame) -> Floats:
        told = frame[output].cast(pl.Float64).to_numpy() > threshold
        right: Floats = (told == (frame[actual].cast(pl.Float64).to_numpy() > 0)).astype(np.float64)
        return right

    return Metric(name, values)


def auc(name: str, actual: str, output: str) -> Metric:
    """The chance that a row that is true scores above one that is not, ties counting half; NaN where all are alike.

    Source: Hanley & McNeil 1982, by the ranks of the scores (Mann & Whitney 1947). Its units cannot be paired.
    """

    def total(frame: pl.DataFrame) -> float:
        is_true = (frame[actual].cast(pl.Float64) > 0).to_numpy()
        ranks = frame[output].cast(pl.Float64).rank("average").to_numpy()
        true, false = int(is_true.sum()), int((~is_true).sum())
        return (
            float((ranks[is_true].sum() - true * (true + 1) / 2) / (true * false)) if true and false else float("nan")
        )

    return Metric(name, lambda frame: np.full(frame.height, total(frame)), total=total)


def calibration_error(name: str, actual: str, output: str, bins: int = 10) -> Metric:
    """Mean distance between the chances given and the shares that came true, over bins of equal rows; lower is better.

    Source: Naeini et al. 2015, expected calibration error with bins of equal mass.
    """

    def total(frame: pl.DataFrame) -> float:
        rows = frame.select(chance=pl.col(output).cast(pl.Float64), true=pl.col(actual).cast(pl.Float64)).sort("chance")
        binned = rows.with_columns(part=pl.int_range(pl.len()) * bins // pl.len())
        gap = (pl.col("chance").mean() - pl.col("true").mean()).abs()
        gaps = binned.group_by("part", maintain_order=True).agg(gap, rows=pl.len())
        return float((gaps["chance"] * gaps["rows"]).sum() / rows.height)

    return Metric(name, lambda frame: np.full(frame.height, total(frame)), higher_is_better=False, total=total)


mae_log_hours = Metric("mae_log_hours", lambda frame: np.abs(_log_errors(frame)), higher_is_better=False)
mae_hours = Metric("mae_hours", lambda frame: np.abs(_hours_errors(frame)), higher_is_better=False)
rmse_hours = Metric(
    "rmse_hours",
    lambda frame: _hours_errors(frame) ** 2,
    higher_is_better=False,
    total=lambda frame: float(np.sqrt(np.mean(_hours_errors(frame) ** 2))),
)
mape_hours = Metric(
    "mape_hours",
    lambda frame: np.abs(_hours_errors(frame)) / np.maximum(frame["actual_hours"].to_numpy(), 0.01),
    higher_is_better=False,
)
r2_log_hours = Metric(
    "r2_log_hours",
    lambda frame: -(_log_errors(frame) ** 2),
    total=lambda frame: r2(_logs(frame, "actual_hours"), _logs(frame, "hours")),
)


def measure(metric: Metric, frame: pl.DataFrame) -> float:
    """The metric over all units of the frame, units without a value left out; NaN where there is none."""
    if not frame.height:
        return float("nan")
    if metric.total is not None:
        return metric.total(frame)
    values = metric.values(frame)
    known = values[~np.isnan(values)]
    return float(known.mean()) if len(known) else float("nan")
