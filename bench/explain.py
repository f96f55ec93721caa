"""How long scoring and explaining the candidates of one request takes: ours and LightGBM alone, on one thread.

Two models, boosted here on random rows with missing values and categories: of the size that task_assignment serves,
and 200 trees x 31 leaves x 40 columns. Bare is `predict` and `predict(pred_contrib=True)` of the same model on ready
arrays; the loop does for one pair after another, with LightGBM's contributions, what "from a frame" does for all.
All contributions are compared with LightGBM's first; the run fails where one differs by more than 1e-9.

    python bench/explain.py [--candidates 100] [--repeats 10]
"""

import argparse
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from bench.aims import Aims
from feature_repo.column import Column
from serving.answering.explain import factors
from serving.answering.phrases import Phrases
from training.contributions import Contributions
from training.shap.treeshap import TOLERANCE, contributions
from training.trainers.boosted import Boosted, Rows

Floats = NDArray[np.float64]
TRAINED, MISSING, CATEGORIES = 20_000, 0.05, 50
BARE, LOOP = "LightGBM, ready arrays", "LightGBM, a loop over pairs from a frame"
ROWS = "LightGBM, a loop over rows of ready arrays"
ARRAYS, FRAME, WORDS = "ours, ready arrays", "ours, from a frame", "ours, from a frame, top factors in words"
THEIRS, OURS = "contributions by LightGBM", "contributions by quadrature"


@dataclass(frozen=True)
class Size:
    """Of a model. categories: how many of its columns are text."""

    trees: int
    leaves: int
    columns: int
    categories: int


SIZES = {"as task_assignment serves it": Size(200, 15, 71, 0), "as the goals have it": Size(200, 31, 40, 2)}


def declared(size: Size) -> list[Column]:
    kinds = [str] * size.categories + [float] * (size.columns - size.categories)
    return [Column(name=f"f{n:02d}", dtype=kind, view="task", function=len) for n, kind in enumerate(kinds)]


def frame(columns: list[Column], rows: int, seed: int) -> pl.DataFrame:
    random = np.random.default_rng(seed)

    def values(column: Column) -> pl.Series:
        if column.dtype is str:
            codes = random.integers(0, CATEGORIES, rows)
            return pl.select(pl.format("kind {}", pl.Series(codes))).to_series()
        return pl.Series(random.normal(size=rows))

    missing = [pl.Series(random.random(rows) < MISSING) for _ in columns]
    found = zip(columns, missing, strict=True)
    return pl.select(pl.when(~empty).then(values(column)).alias(column.qualified) for column, empty in found)


def boosted(size: Size) -> Boosted:
    """Learns sums, products and categories, so that trees are deep and repeat columns."""
    columns = declared(size)
    learned = frame(columns, TRAINED, 1)
    numbers = learned.select(pl.selectors.float()).fill_null(0.0).to_numpy()
    target = numbers @ np.random.default_rng(2).normal(size=numbers.shape[1]) + 2 * np.sin(3 * numbers[:, 0])
    target += numbers[:, 1] * numbers[:, 2]
    if size.categories:
        target += learned[columns[0].qualified].str.tail(1).cast(pl.Float64).fill_null(0.0).to_numpy() % 3
    parameters = {"objective": "l2", "num_leaves": size.leaves, "num_threads": 1}
    return Boosted.fit(Rows(learned, target), columns, parameters, size.trees)


def ways(model: Boosted, columns: list[Column], asked: pl.DataFrame) -> Mapping[str, Callable[[], object]]:
    booster, matrix = model.booster, model.encoding.matrix(asked)

    def bare(rows: Floats = matrix) -> None:
        booster.predict(rows, raw_score=True)
        booster.predict(rows, pred_contrib=True)

    def pair(one: pl.DataFrame) -> pl.DataFrame:
        model.raw(one)
        parts = booster.predict(model.encoding.matrix(one), pred_contrib=True)
        return Contributions.of(model.encoding.names, np.asarray(parts)).frame

    def arrays() -> None:
        booster.predict(matrix, raw_score=True)
        contributions(booster, matrix)

    def whole() -> Contributions:
        model.raw(asked)
        return model.contributions(asked)

    phrases = Phrases({column.qualified: column for column in columns}, "score")

    return {
        BARE: bare,
        ARRAYS: arrays,
        FRAME: whole,
        WORDS: lambda: factors(whole(), asked, phrases),
        LOOP: lambda: [pair(asked[place]) for place in range(len(asked))],
        ROWS: lambda: [bare(matrix[place : place + 1]) for place in range(len(matrix))],
        THEIRS: lambda: booster.predict(matrix, pred_contrib=True),
        OURS: lambda: contributions(booster, matrix),
    }


def timed(tried: Mapping[str, Callable[[], object]], repeats: int) -> dict[str, float]:
    """Milliseconds of the best run of each, in turn, so that all meet the same neighbours on the machine."""
    best = dict.fromkeys(tried, np.inf)
    for _ in range(repeats):
        for name, way in tried.items():
            begun = time.perf_counter()
            way()
            best[name] = min(best[name], 1000 * (time.perf_counter() - begun))
    return best


def difference(model: Boosted, asked: pl.DataFrame) -> float:
    """The largest, of the largest contribution or of 1."""
    matrix = model.encoding.matrix(asked)
    theirs = np.asarray(model.booster.predict(matrix, pred_contrib=True))
    return float(np.abs(contributions(model.booster, matrix) - theirs).max() / max(1.0, np.abs(theirs).max()))


def report(name: str, size: Size, candidates: int, repeats: int, aims: Aims) -> bool:
    """Print the table of one model; whether its contributions are LightGBM's."""
    columns, model = declared(size), boosted(size)
    asked = frame(columns, candidates, 3)
    begun = time.perf_counter()
    contributions(model.booster, model.encoding.matrix(asked[:1]))
    first = time.perf_counter() - begun
    worst = difference(model, asked)
    print(f"\n{name}: {size.trees} trees x {size.leaves} leaves x {size.columns} columns, {candidates} candidates")
    print(f"first explanation, with its check: {first:.2f} s; largest difference from LightGBM: {worst:.1e}")
    found = timed(ways(model, columns, asked), repeats)
    print(f"{'':<44}{'ms':>9}{'/ bare':>9}{'loop /':>9}")
    for way, ms in found.items():
        print(f"{way:<44}{ms:>9.2f}{ms / found[BARE]:>9.3f}{found[LOOP] / ms:>9.1f}")
    aims.at_most(f"{FRAME}: of {BARE}", found[FRAME] / found[BARE], 1.2)
    aims.at_least(f"{FRAME}: times the loop's speed", found[LOOP] / found[FRAME], 20)
    aims.at_least("contributions: times LightGBM's speed", found[THEIRS] / found[OURS], 12)
    return worst <= TOLERANCE


def main() -> None:
    from threadpoolctl import threadpool_limits

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--candidates", type=int, default=100)
    parser.add_argument("--repeats", type=int, default=10)
    given = parser.parse_args()
    import lightgbm  # noqa: F401  so that its threads are limited too

    aims = Aims()
    with threadpool_limits(1):
        equal = [report(name, size, given.candidates, given.repeats, aims) for name, size in SIZES.items()]
    sys.exit(0 if all(equal) and not aims.missed else 1)


if __name__ == "__main__":
    main()
