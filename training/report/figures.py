"""Pictures for a product's page, beside those of plots.py: what fits its label, small and the same every time."""

import io
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from training.candidate import Candidate, Numbers
from training.metrics import hit_at, measure
from training.report.plots import LINE, OURS, THEIRS, plots

Floats = NDArray[np.float64]
Told = Mapping[str, pl.DataFrame]
"""The unseen rows with outputs beside them, by who answered; `model` is ours."""

FIRST = 10
TENTHS = 10
COLOURS = 64
SHOWN_SERIES = 4
PAST = 24  # periods of the past in a backtest's picture
RANKED = {"relevance", "is_candidate"}
SHADES = ("#d9a441", "#6aa37c", "#8c99a6", "#b07aa1")
COMMON = ("importance.png", "comparison.png")


def figures(candidate: Candidate, importance: Numbers, told: Told) -> dict[str, bytes]:
    """Title to PNG of what fits the product: importance, comparison, and one or two of its label's kind."""
    drawn = plots(_named(candidate), importance)
    chosen = {name: drawn[name] for name in COMMON}
    if not set(candidate.test_frame.columns) >= RANKED:
        chosen |= {name: png for name, png in drawn.items() if name.startswith(("calibration", "predicted_against"))}
    return {name: smaller(png) for name, png in {**chosen, **dict(_own(candidate, told))}.items()}


def smaller(png: bytes) -> bytes:
    """The same picture in COLOURS colours: a third of the bytes, and no difference to see in flat drawings."""
    from PIL import Image

    buffer = io.BytesIO()
    with Image.open(io.BytesIO(png)) as picture:
        flat = picture.convert("RGB").quantize(COLOURS, Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)
        flat.save(buffer, format="png", optimize=True)
    return buffer.getvalue()


def _named(candidate: Candidate) -> Candidate:
    """The candidate with its label under the name that training.report.plots looks for."""
    frame, label, output = candidate.test_frame, candidate.product.label.name, candidate.product.outputs[0]
    if set(frame.columns) >= RANKED or label not in frame.columns:
        return candidate
    name = "relevance" if _is_chance(frame[label]) else f"actual_{output}"
    return replace(candidate, test_frame=frame.with_columns(pl.col(label).cast(pl.Float64).alias(name)))


def _is_chance(label: pl.Series) -> bool:
    return set(label.drop_nulls().cast(pl.Float64).unique().to_list()) <= {0.0, 1.0}


def _own(candidate: Candidate, told: Told) -> Iterator[tuple[str, bytes]]:
    product, frame = candidate.product, candidate.test_frame
    label, output = product.label.name, product.outputs[0]
    if set(frame.columns) >= RANKED:
        yield "hits.png", _hits(told)
    elif label in frame.columns and not _is_chance(frame[label]):
        yield "error_by_size.png", _errors(told, label, output, product.units.get(output, ""))
    if {"dr_value", "dr_low", "dr_high"} <= set(candidate.metrics):
        yield "off_policy.png", _values({"model": candidate.metrics, **candidate.baselines})
    if "horizon" in frame.columns:
        yield "backtest.png", _backtest(told["model"], _values_column(frame), output)


def drawn(draw: Callable[[Any], None], size: tuple[float, float] = (7, 4), across: int = 1) -> bytes:
    """A figure as PNG, 80 dots an inch; `across` axes side by side, or two by two from four on.

    draw gets the axes, or the list of them. The file names no version of a library, so that it stays the same.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=size, layout="constrained", dpi=80)
    down = 2 if across > 3 else 1
    axes = list(np.ravel(figure.subplots(down, across // down, squeeze=False)))
    for each in axes:
        each.spines[["top", "right"]].set_visible(False)
    draw(axes[0] if across == 1 else axes)
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", metadata={"Software": None})
    return buffer.getvalue()


def _colours(names: Mapping[str, Any]) -> dict[str, str]:
    rules = [name for name in names if name != "model"]
    return {"model": OURS, **{name: SHADES[place % len(SHADES)] for place, name in enumerate(rules)}}


def _hits(told: Told) -> bytes:
    """The share of lists whose right answer is among the first k, by k."""
    places = range(1, FIRST + 1)

    def draw(axes: Any) -> None:
        for name, colour in _colours(told).items():
            shares = [measure(hit_at(k), told[name]) for k in places]
            axes.plot(places, shares, "o-", color=colour, label=name, markersize=4)
        axes.set(xlabel="first k of the list", ylabel="share of lists with a hit", ylim=(0, None), xticks=places)
        axes.set_title("A right answer among the first k, unseen lists")
        axes.legend(frameon=False, fontsize=9)

    return drawn(draw)


def _errors(told: Told, label: str, output: str, unit: str) -> bytes:
    """Median absolute error by tenths of the actual value: a size, so a mean would show a few rows only."""
    actual = told["model"][label].cast(pl.Float64)
    order = actual.rank("ordinal").cast(pl.Float64) * TENTHS / (len(actual) + 1)
    places = order.floor().cast(pl.Int64)
    middles = [float(actual.filter(places == place).median() or 0.0) for place in range(TENTHS)]  # type: ignore[arg-type]

    def draw(axes: Any) -> None:
        for name, colour in _colours(told).items():
            off = (told[name][label] - told[name][output]).abs()
            medians = [off.filter(places == place).drop_nans().median() for place in range(TENTHS)]
            axes.plot(range(TENTHS), medians, "o-", color=colour, label=name, markersize=4)
        axes.set_xticks(range(TENTHS), [f"{middle:.3g}" for middle in middles])
        said = f", {unit}" if unit else ""
        axes.set(xlabel=f"actual {output}{said}: median of each tenth", ylabel=f"median absolute error{said}")
        axes.set(title=f"How far off by the size of {output}", ylim=(0, None))
        axes.legend(frameon=False, fontsize=9, loc="center left", bbox_to_anchor=(1, 0.5))

    return drawn(draw)


def _values(scores: Mapping[str, Numbers]) -> bytes:
    """The off-policy value of each policy with its 95% interval."""
    names = list(scores)[::-1]

    def draw(axes: Any) -> None:
        for place, name in enumerate(names):
            value, low, high = (scores[name][key] for key in ("dr_value", "dr_low", "dr_high"))
            reach = [[value - low], [high - value]]
            axes.errorbar(value, place, xerr=reach, fmt="o", capsize=4, color=OURS if name == "model" else THEIRS)
        axes.set_yticks(range(len(names)), names)
        axes.set(xlabel="reward per place, doubly robust, with its 95% interval", ylim=(-0.6, len(names) - 0.4))
        axes.set_title("What each order would have been worth")

    return drawn(draw, (7, 2.6))


def _values_column(frame: pl.DataFrame) -> str:
    """The list column that holds each series' past."""
    return next(name for name, dtype in frame.schema.items() if dtype == pl.List(pl.Float64))


def _backtest(frame: pl.DataFrame, past: str, output: str) -> bytes:
    """Some series as they were known at one instant, the forecasts from there, and what came."""
    label = f"actual_{output}"
    at = frame.filter(pl.col("horizon") == frame["horizon"].max())["event_timestamp"].min()
    rows = frame.filter(pl.col("event_timestamp") == at).sort("skill_id", "horizon")
    level = rows.group_by("skill_id").agg(pl.col(label).max()).sort(label, "skill_id", descending=[True, False])
    step = max(1, level.height // SHOWN_SERIES)
    names = level["skill_id"].gather_every(step).head(SHOWN_SERIES).to_list()

    def draw(axes: Any) -> None:
        for place, (each, name) in enumerate(zip(axes, names, strict=False)):
            _one_series(each, rows.filter(pl.col("skill_id") == name), past, output)
            each.set_title(str(name), fontsize=10)
            if place == 0:
                each.legend(frameon=False, fontsize=8)
        axes[-1].set_xlabel("periods from the forecast")
        axes[0].set_ylabel(output)

    return drawn(draw, (9, 5.4), SHOWN_SERIES)


def _one_series(axes: Any, rows: pl.DataFrame, past: str, output: str) -> None:
    known = [np.nan if value is None else value for value in rows[past].to_list()[0]][-PAST:]
    ahead = rows["horizon"].to_numpy()
    low, high = (rows[f"{output}_{bound}"].to_numpy() for bound in ("low", "high"))
    axes.plot(range(1 - len(known), 1), known, color="#8c99a6", label="known")
    axes.fill_between(ahead, low, high, color=OURS, alpha=0.2, linewidth=0)
    axes.plot(ahead, rows[output].to_numpy(), "o-", color=OURS, markersize=3, label="forecast")
    axes.plot(ahead, rows[f"actual_{output}"].to_numpy(), "x", color=LINE, label="came")
    axes.set_ylim(bottom=0)
