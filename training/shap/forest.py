"""A LightGBM model as one flat array of nodes, for the kernels of `quadrature.py` and `descent.py`."""

from collections.abc import Mapping, MutableMapping
from dataclasses import dataclass
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray
from polars.exceptions import PolarsError

from feature_repo.errors import DataError
from training.shap.text import TREE, Trees

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
CATEGORICAL, DEFAULT_LEFT = 1, 2  # bits of decision_type; what is above them is the kind of missing value
MISSING_NONE, MISSING_ZERO = 0, 1

NODE = np.dtype(
    [
        ("feature", np.int64),
        ("decision", np.int64),
        ("threshold", np.float64),
        ("left", np.int64),
        ("right", np.int64),
        ("count", np.float64),
        ("value", np.float64),
        ("first_word", np.int64),
        ("last_word", np.int64),
    ],
    align=True,
)
"""left, right: places in the tree. count: training rows. value: of a leaf. first_word, last_word: where the bits of the
categories that go left lie."""

SPLIT = {
    "feature": "split_feature",
    "decision": "decision_type",
    "threshold": "threshold",
    "left": "left_child",
    "right": "right_child",
    "count": "internal_count",
}
"""Field of a split to its name in LightGBM's text."""

OTHERS = ("num_leaves", "num_cat", "is_linear", "leaf_value", "leaf_count", "cat_boundaries", "cat_threshold")
"""What else is read of a tree."""


@dataclass(frozen=True)
class Forest:
    """Trees one after another, from first[tree] to first[tree + 1]: a tree's splits, parents first, then its leaves.

    words: sets of categories, 32 bits each.
    """

    features: int
    classes: int
    first: Ints
    nodes: NDArray[Any]
    words: Ints

    @staticmethod
    def of(booster: Any) -> "Forest":
        """Read a booster, up to its best iteration: once, as its scores and its contributions need the same."""
        found = _READ.get(booster)
        if found is None:
            found = _READ[booster] = Forest.read(booster.model_to_string())
        return found

    @staticmethod
    def read(text: str) -> "Forest":
        """Parse what Booster.model_to_string gives.

        Raises DataError for linear trees, nodes without a training row, and text of another form.
        """
        header, begin, trees = text.partition(f"\n{TREE}")
        facts = dict(line.split("=", 1) for line in header.splitlines() if "=" in line)
        try:
            return _forest(facts, Trees(begin[1:] + trees, (*SPLIT.values(), *OTHERS)))
        except (KeyError, ValueError, IndexError, PolarsError) as error:
            raise DataError(f"LightGBM text: {type(error).__name__} {error}, allowed: its format v4") from None

    def expected(self) -> Floats:
        """The mean raw score over the training rows, shape (classes,): leaf values weighed by their rows."""
        counts = np.where(self.nodes["left"] < 0, self.nodes["count"], 0.0)
        begins = self.first[:-1]
        means = np.add.reduceat(self.nodes["value"] * counts, begins) / np.add.reduceat(counts, begins)
        sums: Floats = means.reshape(-1, self.classes).sum(axis=0)
        return sums


_READ: MutableMapping[Any, Forest] = WeakKeyDictionary()


def _forest(header: Mapping[str, str], trees: Trees) -> Forest:
    leaves = trees.told("num_leaves").numbers.astype(np.int64)
    if trees.told("is_linear").of_each(np.ones_like(leaves)).any():
        raise DataError("LightGBM text: linear trees, allowed: constant leaves")
    first = _offsets(2 * leaves - 1)
    tree = np.repeat(np.arange(len(leaves)), 2 * leaves - 1)
    is_split = np.arange(first[-1]) - first[tree] < leaves[tree] - 1
    nodes = np.zeros(first[-1], NODE)
    nodes[is_split] = _splits(trees, leaves - 1)
    nodes[~is_split] = _leaves(trees, leaves)
    if nodes["count"].min(initial=1) < 1:
        raise DataError("LightGBM text: a node of no training row, allowed: 1 or more, as shares are divided by")
    words = trees.told("cat_threshold").numbers.astype(np.int64)
    return Forest(int(header["max_feature_idx"]) + 1, int(header["num_tree_per_iteration"]), first, nodes, words)


def _splits(trees: Trees, sizes: Ints) -> NDArray[Any]:
    splits = np.zeros(sizes.sum(), NODE)
    for field, name in SPLIT.items():
        splits[field] = trees.told(name).of_each(sizes)
    place = np.arange(len(splits)) - np.repeat(_offsets(sizes)[:-1], sizes)
    for child in (splits["left"], splits["right"]):
        child[:] = np.where(child < 0, np.repeat(sizes, sizes) + ~child, child)  # ~leaf is how LightGBM names a leaf
        if (child <= place).any():
            raise DataError("LightGBM text: a child before its parent, allowed: parents first")
    sets = trees.told("num_cat").of_each(np.ones_like(sizes)).astype(np.int64)
    _point_to_words(splits, np.repeat(np.arange(len(sizes)), sizes), sets, trees)
    return splits


def _point_to_words(splits: NDArray[Any], tree: Ints, sets: Ints, trees: Trees) -> None:
    """A categorical split's threshold is the number of its set within its tree: find the words that hold the set.

    tree: of each split; sets: how many each tree has.
    """
    sizes = np.where(sets > 0, sets + 1, 0)  # the bounds of a tree's sets among its words; none where it has no set
    bounds = trees.told("cat_boundaries").of_each(sizes).astype(np.int64)
    words = bounds[np.cumsum(sizes)[sets > 0] - 1]
    starts = bounds + np.repeat(_offsets(words)[:-1], sizes[sets > 0])
    categorical = splits["decision"] & CATEGORICAL > 0
    place = _offsets(sizes)[tree[categorical]] + splits["threshold"][categorical].astype(np.int64)
    splits["first_word"][categorical] = starts[place]
    splits["last_word"][categorical] = starts[place + 1]


def _leaves(trees: Trees, sizes: Ints) -> NDArray[Any]:
    leaves = np.zeros(sizes.sum(), NODE)
    leaves["left"] = leaves["right"] = -1
    leaves["value"] = trees.told("leaf_value").of_each(sizes)
    leaves["count"] = 1.0  # the only leaf of a tree may tell no count, and needs none
    splits = sizes > 1
    leaves["count"][np.repeat(splits, sizes)] = trees.told("leaf_count").where(splits).of_each(sizes * splits)
    return leaves


def _offsets(sizes: Any) -> Ints:
    return np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)
