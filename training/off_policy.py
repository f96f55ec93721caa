"""What a policy would have been worth, from lists that another policy showed, with known probabilities.

A list is filled place by place. Each place is a round of a contextual bandit: given the person and what stands above,
the logging policy drew one of the remaining items, with a known propensity, and a reward followed. The policy that is
judged draws from the same remaining items, the better scored the likelier (SHARPNESS), so scores of any scale compare.

Frames hold group (the list), item, score, position (from 1; null for items that could have been shown), propensity and
reward of those shown. Sources: Dudik, Langford & Li 2011 (doubly robust); Horvitz & Thompson 1952 (inverse propensity).
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from training.product import Metric

Floats = NDArray[np.float64]
SHARPNESS = 0.5
"""Of neighbours in the ranking the better is exp(0.5) = 1.65 times as likely."""
MOST_WEIGHT = 30.0
"""Weights are cut here, which biases both estimates towards the logging policy, and keeps one round from deciding."""
PRIOR = 10.0


@dataclass(frozen=True)
class Lists:
    """Arrays of shape (lists, items); places beyond a list's items are not eligible."""

    eligible: NDArray[np.bool_]
    score: Floats
    position: Floats
    propensity: Floats
    reward: Floats
    usual: Floats


def ips_value() -> Metric:
    """Reward per place by inverse propensity, per list."""
    return Metric("ips_value", lambda frame: _by_list(frame, lambda weight, reward, _, __: weight * reward))


def dr_value() -> Metric:
    """Reward per place, doubly robust, per list: right where the propensities are, and steadier than ips_value."""
    return Metric(
        "dr_value",
        lambda frame: _by_list(frame, lambda weight, reward, told, expected: expected + weight * (reward - told)),
    )


def bounds(value: Metric, z: float = 1.96) -> tuple[Metric, Metric]:
    """Such as dr_low and dr_high of dr_value: its 95% interval over lists, by the normal approximation."""

    def bound(side: float) -> Callable[[pl.DataFrame], float]:
        def total(frame: pl.DataFrame) -> float:
            known = value.values(frame)
            known = known[~np.isnan(known)]
            return float(known.mean() + side * z * known.std() / np.sqrt(len(known))) if len(known) else float("nan")

        return total

    name = value.name.removesuffix("_value")
    return (
        Metric(f"{name}_low", value.values, total=bound(-1.0)),
        Metric(f"{name}_high", value.values, total=bound(1.0)),
    )


Estimate = Callable[[Floats, Floats, Floats, Floats], Floats]
"""(weight, reward, usual reward of the item shown, the policy's expected one) -> value; each of shape (lists,)."""


def _by_list(frame: pl.DataFrame, estimate: Estimate) -> Floats:
    """The mean of the estimate over the places of each list, lists in order of their names."""
    lists = _lists(frame)
    places = int(np.nanmax(lists.position)) if np.isfinite(lists.position).any() else 0
    total, count = np.zeros(len(lists.score)), np.zeros(len(lists.score))
    for place in range(1, places + 1):
        shown = lists.position == place
        is_filled = shown.any(axis=1)
        chances = policy(lists.score, lists.eligible & ~(lists.position < place))
        picked = shown.argmax(axis=1)[:, None]
        chance, propensity, reward, told = (
            np.take_along_axis(values, picked, axis=1)[:, 0]
            for values in (chances, lists.propensity, lists.reward, lists.usual)
        )
        weight = np.minimum(chance / np.where(is_filled, propensity, 1.0), MOST_WEIGHT)
        expected = (chances * lists.usual).sum(axis=1)
        total += np.where(is_filled, estimate(weight, np.nan_to_num(reward), told, expected), 0.0)
        count += is_filled
    values: Floats = np.divide(total, count, out=np.full(len(total), np.nan), where=count > 0)
    return values


def policy(score: Floats, remaining: NDArray[np.bool_]) -> Floats:
    """The chance of each remaining item to be shown next: exp(-SHARPNESS * place in the ranking), of sum one."""
    ranked = np.argsort(np.argsort(-np.where(remaining, score, -np.inf), axis=1, kind="stable"), axis=1)
    weight = np.exp(-SHARPNESS * ranked) * remaining
    chances: Floats = weight / np.maximum(weight.sum(axis=1, keepdims=True), 1e-300)
    return chances


def _lists(frame: pl.DataFrame) -> Lists:
    rows = frame.with_columns(usual=_usual(frame)).sort("group", "item")
    group = rows["group"].rank("dense").cast(pl.Int64).to_numpy() - 1
    place = rows.select(pl.int_range(pl.len()).over("group")).to_series().to_numpy()
    shape = (int(group.max()) + 1, int(place.max()) + 1)

    def filled(name: str, blank: float) -> Floats:
        matrix = np.full(shape, blank)
        matrix[group, place] = rows[name].cast(pl.Float64).fill_null(np.nan).to_numpy()
        return matrix

    eligible = np.zeros(shape, dtype=np.bool_)
    eligible[group, place] = True
    score = np.nan_to_num(filled("score", -np.inf), nan=-1e300, neginf=-1e300)
    return Lists(
        eligible,
        score,
        filled("position", np.nan),
        filled("propensity", np.nan),
        filled("reward", np.nan),
        filled("usual", 0.0),
    )


def _usual(frame: pl.DataFrame) -> pl.Series:
    """The mean reward of each item in the other lists, drawn to the mean of all: never the row's own reward."""
    total, count = pl.col("reward").sum().over("item"), pl.col("reward").count().over("item")
    own, is_own = pl.col("reward").fill_null(0.0), pl.col("reward").is_not_null()
    everything = (pl.col("reward").sum() - own) / (pl.col("reward").count() - is_own)
    mean = (total - own + PRIOR * everything) / (count - is_own + PRIOR)
    return frame.select(mean.fill_nan(0.0).fill_null(0.0)).to_series()
