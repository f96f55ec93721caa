"""SHAP values of a LightGBM model, exact and 40 times as fast as its own, which stand in where ours would differ.

200 trees x 31 leaves x 40 columns, 100 rows, one thread: LightGBM 102 to 182 ms, ours 2.3 (bench/explain.py). Ten rows
of 200 trees x 15 leaves take 0.06 ms.
"""

import logging
from collections.abc import MutableMapping
from dataclasses import dataclass
from functools import cache
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray

from feature_repo.errors import DataError
from feature_repo.kernels import kernels
from training.shap.forest import CATEGORICAL, Floats, Forest, Ints

LOG = logging.getLogger("talentml.training")
TOLERANCE = 1e-9  # of the largest value, or of 1 where all are smaller
PROBES = 16
EMPTY = np.array([0.0, np.nan, np.nan])
"""What a probe holds in any column."""
KEPT = ("threshold", "feature", "decision", "first_word", "last_word", "nan_left", "above", "up")
SPLIT = np.dtype([(name, np.int32 if name != "threshold" else np.float64) for name in (*KEPT, "leaves")], align=True)
"""What is read of a node that is a split: 40 bytes instead of 104. leaves: which sides of it are leaves."""


@dataclass(frozen=True)
class TreeShap:
    """A model ready to be explained. splits: a tree's from first[tree] on; orders: of each tree's quadrature.

    factors: what depends on no row, a tree's from first_factor[tree] on; 0.5 MB for 200 trees x 15 leaves.
    """

    forest: Forest
    splits: NDArray[Any]
    first: Ints
    orders: Ints
    first_factor: Ints
    factors: Floats
    expected: Floats

    @staticmethod
    def of(booster: Any) -> "TreeShap":
        """Read a booster, up to its best iteration. Raises DataError for a kind of model that is not covered."""
        from training.shap.quadrature import FACTORS, measure, tabulate

        forest = Forest.of(booster)
        distinct = np.zeros(len(forest.first) - 1, np.int64)
        measure(forest.nodes, forest.first, distinct)
        orders = (distinct + 1) // 2
        first_factor = np.append(0, np.cumsum(np.diff(forest.first) * orders))
        factors = np.zeros((first_factor[-1], FACTORS))
        tabulate(forest.nodes, forest.first, *_quadratures(int(orders.max(initial=0))), orders, first_factor, factors)
        first = np.append(0, np.cumsum(np.diff(forest.first) // 2))
        splits = _splits(forest.nodes[forest.nodes["left"] >= 0], np.diff(first))
        return TreeShap(forest, splits, first, orders, first_factor, factors, forest.expected())

    def contributions(self, matrix: Floats) -> Floats:
        """What each column adds to the raw score, and after them the expected score, for each class in turn.

        matrix: shape (rows, features); the result's: (rows, classes * (features + 1)), as LightGBM's.
        """
        forest = self.forest
        asked = np.require(matrix.T, np.float64, ["C", "W"])  # of one kind always: for another it is compiled anew
        found = np.zeros((len(matrix), forest.classes, forest.features + 1))
        found[:, :, -1] = self.expected
        trees = self.splits, self.first, forest.words, self.orders, self.first_factor, self.factors
        kernels("training.shap.quadrature").add_contributions(*trees, asked, found)
        return found.reshape(len(matrix), -1)


Known = MutableMapping[Any, TreeShap | None]
_KNOWN: Known = WeakKeyDictionary()


def contributions(booster: Any, matrix: Floats, known: Known = _KNOWN) -> Floats:
    """What `booster.predict(matrix, pred_contrib=True)` gives, within 1e-9, and faster where the model is covered.

    A booster is read, and compared with LightGBM on a probe, when it is first explained: train it no further after that
    (LightGBM 4.7 aborts the process then). matrix: shape (rows, features), missing values are NaN.
    """
    if not len(matrix):  # LightGBM itself divides by the number of rows
        return np.zeros((0, booster.num_model_per_iteration() * (booster.num_feature() + 1)))
    if booster not in known:
        known[booster] = verified(booster)
    ours = known[booster]
    if ours is None or np.shape(matrix) != (len(matrix), ours.forest.features):
        return np.asarray(booster.predict(matrix, pred_contrib=True))
    return ours.contributions(matrix)


def is_compiled(booster: Any, known: Known = _KNOWN) -> bool:
    """Whether contributions of a booster, explained before, come from our kernels: they take their time and no more."""
    return known.get(booster) is not None


def verified(booster: Any) -> TreeShap | None:
    """A booster ready to be explained, None where it is not covered or a probe's values differ from LightGBM's."""
    try:
        ours = TreeShap.of(booster)
    except (DataError, ImportError, OSError) as error:
        LOG.warning("contributions by LightGBM itself: %s", error)
        return None
    matrix = probe(ours.forest)
    theirs = np.asarray(booster.predict(matrix, pred_contrib=True))
    worst = np.abs(ours.contributions(matrix) - theirs).max() / max(1.0, np.abs(theirs).max())
    if worst <= TOLERANCE:
        return ours
    LOG.warning("contributions by LightGBM itself: ours differ by %.2g, allowed: %g", worst, TOLERANCE)
    return None


def probe(forest: Forest, rows: int = PROBES, seed: int = 0) -> Floats:
    """Rows that fall on the thresholds, just beside them, into known and unknown categories, on zero and on nothing."""
    drawn = np.random.default_rng(seed).random((forest.features, rows))
    splits = forest.nodes[forest.nodes["left"] >= 0]
    splits = splits[np.argsort(splits["feature"], kind="stable")]
    first = np.searchsorted(splits["feature"], np.arange(forest.features + 1))
    beside = 2 * np.diff(first)[:, None]  # values of a feature that a threshold decides
    place = (drawn * (beside + len(EMPTY))).astype(np.int64)
    threshold = np.append(splits["threshold"], 0.0)[np.minimum(first[:-1, None] + place // 2, len(splits))]
    found = np.where(place % 2 == 0, threshold, np.nextafter(threshold, np.inf))
    found = np.where(place < beside, found, EMPTY[np.maximum(place - beside, 0)])
    for feature in np.unique(splits["feature"][splits["decision"] & CATEGORICAL > 0]):
        values = _categories(splits[first[feature] : first[feature + 1]])
        found[feature] = values[(drawn[feature] * len(values)).astype(np.int64)]
    return np.ascontiguousarray(found.T)


def _categories(splits: Any) -> Floats:
    """Those that the splits know, a few more, and none."""
    widest = 32 * int((splits["last_word"] - splits["first_word"]).max())
    return np.append(np.arange(-1.0, widest + 1), EMPTY)


def _splits(nodes: NDArray[Any], sizes: Ints) -> NDArray[Any]:
    """sizes: how many each tree has; its leaves come after them."""
    from training.shap.quadrature import LEFT_LEAF, RIGHT_LEAF

    splits = np.zeros(len(nodes), SPLIT)
    for name in KEPT:
        splits[name] = nodes[name]
    own = np.repeat(sizes, sizes)
    splits["leaves"] = LEFT_LEAF * (nodes["left"] >= own) + RIGHT_LEAF * (nodes["right"] >= own)
    return splits


def _quadratures(largest: int) -> tuple[Floats, Floats]:
    """Gauss-Legendre points and weights on [0, 1], orders 0 to the largest, shape (orders, largest)."""
    points, weights = np.zeros((largest + 1, largest)), np.zeros((largest + 1, largest))
    for order in range(1, largest + 1):
        x, w = _gauss(order)
        points[order, :order], weights[order, :order] = (x + 1) / 2, w / 2
    return points, weights


@cache
def _gauss(order: int) -> tuple[Floats, Floats]:
    """On [-1, 1]. Solved once: each takes 0.1 ms of the interpreter."""
    x, w = np.polynomial.legendre.leggauss(order)
    return x, w
