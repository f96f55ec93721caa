"""SHAP values of a LightGBM model, exact and 70 times as fast as its own, which stand in where ours would differ.

200 trees x 31 leaves x 40 columns, 100 rows, one thread: LightGBM 102 to 182 ms, ours 1.5 (bench/explain.py). Ten rows
of 200 trees x 15 leaves take 0.05 ms.
"""

import logging
from collections.abc import MutableMapping
from dataclasses import dataclass
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray

from feature_repo.errors import DataError
from feature_repo.kernels import kernels, of_one_kind
from training.shap.forest import CATEGORICAL, Floats, Forest, Ints
from training.shap.points import quadratures
from training.shap.reads import reads, thresholds

LOG = logging.getLogger("talentml.training")
TOLERANCE = 1e-9  # of the largest value, or of 1 where all are smaller
PROBES = 16
EMPTY = np.array([0.0, np.nan, np.nan])
"""What a probe holds in any column."""
SPLIT = np.dtype(
    [(name, np.float64) for name in ("threshold", "share", "share_up", "still", "left_value", "right_value")]
    + [(name, np.int32) for name in ("column", "left", "right", "up", "inverse")],
    align=True,
)
"""column: its place among the reads. left, right: splits of the tree, counted from 1, 0 for a leaf, which has a value.
up: the split whose edge above is the latest that tests the same feature, negative for its right edge, 0 for none;
share_up, share: z of that edge, 1 for none, and of the left one. inverse: where its inverses begin. still: what t = 0
gives, see quadrature.py."""
TREE = np.dtype([(name, np.int64) for name in ("first", "last", "order", "target")])
"""Its splits; at how many points beside 0; the class that it adds to."""


@dataclass(frozen=True)
class TreeShap:
    """A model ready to be explained. reads, words: how splits read columns, see reads.py.

    points, inverses: as quadrature.add_contributions takes them; inverses only of features that a path tests again.
    """

    forest: Forest
    splits: NDArray[Any]
    trees: NDArray[Any]
    reads: NDArray[Any]
    points: Floats
    inverses: Floats
    expected: Floats

    @staticmethod
    def of(booster: Any) -> "TreeShap":
        """Read a booster, up to its best iteration. Raises DataError for a kind of model that is not covered."""
        from training.shap.quadrature import measure

        forest = Forest.of(booster)
        nodes = forest.nodes[forest.nodes["left"] >= 0]
        splits, (found, columns) = np.zeros(len(nodes), SPLIT), reads(nodes)
        splits["column"], splits["threshold"] = columns, thresholds(nodes)
        trees = _trees(forest)
        distinct = np.zeros(len(trees), np.int64)
        measure(forest.nodes, forest.first, splits, trees, distinct)
        trees["order"] = distinct // 2
        order = np.repeat(trees["order"], trees["last"] - trees["first"])
        at_zero, points = quadratures(int(order.max(initial=0)))
        splits["still"] *= at_zero[order]
        return TreeShap(forest, splits, trees, found, points, _inverses(splits, order, points), forest.expected())

    def contributions(self, matrix: Floats) -> Floats:
        """As of_columns, of a matrix of shape (rows, features)."""
        return self.of_columns(np.transpose(matrix), np.arange(np.shape(matrix)[1]))

    def of_columns(self, columns: Floats, places: Ints) -> Floats:
        """What each column adds to the raw score, and after them the expected score, for each class in turn.

        columns: shape (slots, rows); places: the slot of each feature; the result's: (rows, classes * (features + 1)),
        as LightGBM's.
        """
        forest = self.forest
        found = np.zeros((columns.shape[1], forest.classes, forest.features + 1))
        found[:, :, -1] = self.expected
        model = self.splits, self.trees, self.reads, forest.words, self.points, self.inverses
        kernels("training.shap.quadrature").add_contributions(*model, of_one_kind(columns), places, found)
        return found.reshape(len(found), -1)


Known = MutableMapping[Any, TreeShap | None]
_KNOWN: Known = WeakKeyDictionary()


def contributions(booster: Any, matrix: Floats, known: Known = _KNOWN) -> Floats:
    """As contributions_of, of a matrix of shape (rows, features)."""
    return contributions_of(booster, np.transpose(matrix), np.arange(np.shape(matrix)[1]), known)


def contributions_of(booster: Any, columns: Floats, places: Ints, known: Known = _KNOWN) -> Floats:
    """What `booster.predict(pred_contrib=True)` gives, within 1e-9, and faster where the model is covered.

    A booster is read, and compared with LightGBM on a probe, when it is first explained: train it no further after that
    (LightGBM 4.7 aborts the process then). columns: shape (slots, rows), missing values are NaN; places: the slot of
    each feature.
    """
    if not columns.shape[1]:  # LightGBM itself divides by the number of rows
        return np.zeros((0, booster.num_model_per_iteration() * (booster.num_feature() + 1)))
    if booster not in known:
        known[booster] = verified(booster)
    ours = known[booster]
    if ours is None or len(places) != ours.forest.features:
        return np.asarray(booster.predict(columns[places].T, pred_contrib=True))
    return ours.of_columns(columns, places)


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


def _trees(forest: Forest) -> NDArray[Any]:
    """All but their orders. A tree's splits come before its leaves, of which there is one more."""
    trees = np.zeros(len(forest.first) - 1, TREE)
    trees["last"] = np.cumsum(np.diff(forest.first) // 2)
    trees["first"][1:] = trees["last"][:-1]
    trees["target"] = np.arange(len(trees)) % forest.classes
    return trees


def _inverses(splits: NDArray[Any], order: Ints, points: Floats) -> Floats:
    """1 / f of the earlier edge of each split that has one, a row per point, OFF and MORE; tells them where."""
    again = splits["up"] != 0
    own = order[again]
    ends = np.cumsum(own)
    splits["inverse"][again] = ends - own
    share, place = np.repeat(splits["share_up"][again], own), np.arange(own.sum()) - np.repeat(ends - own, own)
    point = points[0, np.repeat(own, own), place]
    off = 1.0 / (share * (1.0 - point))
    return np.column_stack([off, 1.0 / (share * (1.0 - point) + point) - off])
