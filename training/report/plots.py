"""Pictures of a candidate, as PNG: what matters, beside its baselines, predicted against actual, calibration."""

import io
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from training.candidate import Candidate, Numbers
from training.evaluation import predicted
from training.product import Metric

Floats = NDArray[np.float64]
TOP = 20
OURS, THEIRS, LINE = "#1f5fa8", "#b9c2cc", "#c0392b"
FEWEST_PER_BIN = 10


def plots(candidate: Candidate, importance: Numbers) -> dict[str, bytes]:
    """File name to PNG. A candidate without test rows has the first two only."""
    frame = predicted(candidate.test_frame, candidate.model.predict)
    drawn = {"importance.png": _importance(importance), "comparison.png": _comparison(candidate)}
    return {**drawn, **dict(_outcomes(candidate, frame))}


def _outcomes(candidate: Candidate, frame: pl.DataFrame) -> Iterator[tuple[str, bytes]]:
    outputs = candidate.product.outputs
    for output in outputs:
        pair = _pair(frame, f"actual_{output}", output)
        if len(pair):
            yield f"predicted_against_actual_{output}.png", _against(output, *pair.T)
            yield f"residuals_{output}.png", _residuals(output, *pair.T)
    pair = _pair(frame, "relevance", outputs[0])
    if len(pair):
        yield f"calibration_{outputs[0]}.png", _calibration(outputs[0], pair[:, 1], (pair[:, 0] > 0).astype(float))
        yield f"scores_{outputs[0]}.png", _spread(outputs[0], pair[:, 1], pair[:, 0] > 0)


def _pair(frame: pl.DataFrame, *names: str) -> Floats:
    """The rows where all of the columns have a finite number, shape (rows, names); none where a column is missing."""
    if not set(names) <= set(frame.columns):
        return np.empty((0, len(names)))
    values = frame.select(pl.col(name).cast(pl.Float64) for name in names).to_numpy()
    found: Floats = values[np.isfinite(values).all(axis=1)]
    return found


def _drawn(draw: Callable[[Any], None], size: tuple[float, float] = (7, 4.5)) -> bytes:
    """A figure with one pair of axes; no pyplot, so no display and no state between threads."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=size, layout="constrained")
    axes = figure.subplots()
    axes.spines[["top", "right"]].set_visible(False)
    draw(axes)
    return _png(figure)


def _png(figure: Any) -> bytes:
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=110)
    return buffer.getvalue()


def _importance(importance: Numbers) -> bytes:
    first = list(importance.items())[:TOP][::-1]

    def draw(axes: Any) -> None:
        axes.barh([name for name, _ in first], [value for _, value in first], color=OURS)
        axes.set(xlabel="mean absolute contribution", title="What matters")

    return _drawn(draw, (8, 1.2 + 0.28 * max(len(first), 3)))


def _comparison(candidate: Candidate) -> bytes:
    """A small chart per metric that a baseline has too, the model above its baselines."""
    from matplotlib.figure import Figure

    rules = candidate.baselines.values()
    metrics = [each for each in candidate.product.metrics if any(_is_known(numbers, each.name) for numbers in rules)]
    across = min(3, max(1, len(metrics)))
    down = -(-max(1, len(metrics)) // across)
    figure = Figure(figsize=(4.2 * across, (1.2 + 0.32 * len(rules)) * down), layout="constrained")
    every = np.ravel(figure.subplots(down, across, squeeze=False))
    for axes, metric in zip(every, metrics, strict=False):
        _bars(axes, candidate, metric)
    for axes in every[len(metrics) :]:
        axes.set_visible(False)
    return _png(figure)


def _is_known(numbers: Numbers, name: str) -> bool:
    return bool(np.isfinite(numbers.get(name, np.nan)))


def _bars(axes: Any, candidate: Candidate, metric: Metric) -> None:
    """One bar for the model and one for each baseline, with their values."""
    everybody = {**dict(list(candidate.baselines.items())[::-1]), "model": candidate.metrics}
    values = [numbers.get(metric.name, np.nan) for numbers in everybody.values()]
    bars = axes.barh(list(everybody), values, color=[OURS if name == "model" else THEIRS for name in everybody])
    axes.bar_label(bars, fmt="%.3g", padding=3, fontsize=8)
    axes.set_title(f"{metric.name} ({'higher' if metric.higher_is_better else 'lower'} is better)", fontsize=10)
    axes.margins(x=0.18)
    axes.tick_params(labelsize=8)
    axes.spines[["top", "right"]].set_visible(False)


def _is_skewed(actual: Floats, told: Floats) -> bool:
    """Whether an outcome is never negative and has a long tail, as hours and days have: drawn as ln(1 + value)."""
    return bool(min(actual.min(), told.min()) >= 0 and np.quantile(actual, 0.99) > 10 * np.median(actual))


def _against(output: str, actual: Floats, told: Floats) -> bytes:
    """Every row as a point."""
    scale = {"value": "symlog", "linthresh": 1.0} if _is_skewed(actual, told) else {"value": "linear"}

    def draw(axes: Any) -> None:
        axes.scatter(told, actual, s=9, alpha=0.35, color=OURS, linewidths=0)
        low, high = min(actual.min(), told.min()), max(actual.max(), told.max())
        axes.plot([low, high], [low, high], color=LINE, linewidth=1, label="exact")
        axes.set_xscale(**scale)
        axes.set_yscale(**scale)
        axes.set(xlabel=f"predicted {output}", ylabel=f"actual {output}")
        axes.set_title(f"{output}: predicted against actual, {len(actual):,} unseen rows")
        axes.legend(frameon=False)

    return _drawn(draw, (6, 5.5))


def _residuals(output: str, actual: Floats, told: Floats) -> bytes:
    """How far off, as ln((1 + actual) / (1 + predicted)) where the outcome has a long tail."""
    is_skewed = _is_skewed(actual, told)
    residuals = np.log1p(actual) - np.log1p(told) if is_skewed else actual - told
    name = f"ln((1 + actual) / (1 + predicted)) {output}" if is_skewed else f"actual - predicted {output}"
    middle = float(np.median(residuals))

    def draw(axes: Any) -> None:
        axes.hist(np.clip(residuals, *np.quantile(residuals, [0.01, 0.99])), bins=50, color=OURS)
        axes.axvline(0, color="black", linewidth=0.8)
        axes.axvline(middle, color=LINE, linewidth=1.2, label=f"median {middle:.3g}")
        axes.set(xlabel=f"{name} (outer 1% at the edges)", ylabel="rows", title=f"{output}: residuals")
        axes.legend(frameon=False)

    return _drawn(draw)


def _calibration(output: str, score: Floats, hit: Floats) -> bytes:
    """The share of relevant rows per tenth of the score, against the score."""
    edges = np.unique(np.quantile(score, np.linspace(0, 1, 11)))
    places = np.clip(np.searchsorted(edges, score, side="right") - 1, 0, max(len(edges) - 2, 0))
    full = [place for place in np.unique(places) if (places == place).sum() >= FEWEST_PER_BIN]

    def draw(axes: Any) -> None:
        told = [score[places == place].mean() for place in full]
        axes.plot([0, 1], [0, 1], color=LINE, linewidth=1, label="as a probability")
        axes.plot(told, [hit[places == place].mean() for place in full], "o-", color=OURS, label="model, by tenths")
        axes.set(xlabel=f"mean {output}", ylabel="share that was relevant", title=f"{output}: calibration")
        axes.legend(frameon=False)

    return _drawn(draw, (6, 5.5))


def _spread(output: str, score: Floats, hit: NDArray[np.bool_]) -> bytes:
    bins = np.linspace(float(score.min()), float(score.max()) + 1e-9, 51)

    def draw(axes: Any) -> None:
        for values, color, label in ((score[~hit], THEIRS, "not relevant"), (score[hit], OURS, "relevant")):
            if len(values):
                axes.hist(values, bins=bins, density=True, alpha=0.75, color=color, label=f"{label}, {len(values):,}")
        axes.set(xlabel=output, ylabel="density", title=f"{output}: relevant rows and others")
        axes.legend(frameon=False)

    return _drawn(draw)
