"""A LightGBM model's text as one flat array of nodes, for the kernels of `quadrature.py`."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from feature_repo.errors import DataError

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
        ("nan_left", np.int64),
        ("above", np.int64),
        ("up", np.int64),
        ("share", np.float64),
    ],
    align=True,
)
"""left, right: places in the tree. count: training rows. value: of a leaf. first_word, last_word: where the bits of the
categories that go left lie. nan_left: whether a missing number goes left. above, up, share: see quadrature.measure."""

SPLIT = {
    "feature": "split_feature",
    "decision": "decision_type",
    "threshold": "threshold",
    "left": "left_child",
    "right": "right_child",
    "count": "internal_count",
}
"""Field of a split to its name in LightGBM's text."""


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
    def read(text: str) -> "Forest":
        """Parse what Booster.model_to_string gives.

        Raises DataError for linear trees, nodes without a training row, and text of another form.
        """
        header, *trees = text.split("\nTree=")
        try:
            return _forest(_facts(header), [_facts(tree) for tree in trees])
        except (KeyError, ValueError, IndexError) as error:
            raise DataError(f"LightGBM text: {type(error).__name__} {error}, allowed: its format v4") from None

    def expected(self) -> Floats:
        """The mean raw score over the training rows, shape (classes,): leaf values weighed by their rows."""
        counts = np.where(self.nodes["left"] < 0, self.nodes["count"], 0.0)
        begins = self.first[:-1]
        means = np.add.reduceat(self.nodes["value"] * counts, begins) / np.add.reduceat(counts, begins)
        sums: Floats = means.reshape(-1, self.classes).sum(axis=0)
        return sums


def _facts(section: str) -> dict[str, str]:
    return dict(line.split("=", 1) for line in section.split("\n\n")[0].splitlines() if "=" in line)


def _forest(header: dict[str, str], trees: Sequence[dict[str, str]]) -> Forest:
    if any(tree["is_linear"] != "0" for tree in trees):
        raise DataError("LightGBM text: linear trees, allowed: constant leaves")
    leaves = np.array([int(tree["num_leaves"]) for tree in trees], np.int64)
    first = _offsets(2 * leaves - 1)
    tree = np.repeat(np.arange(len(trees)), 2 * leaves - 1)
    is_split = np.arange(first[-1]) - first[tree] < leaves[tree] - 1
    nodes = np.zeros(first[-1], NODE)
    nodes[is_split] = _splits(trees, leaves - 1)
    nodes[~is_split] = _leaves(trees, first[-1] - is_split.sum())
    if nodes["count"].min(initial=1) < 1:
        raise DataError("LightGBM text: a node of no training row, allowed: 1 or more, as shares are divided by")
    words = np.array(_joined([each for each in trees if "cat_threshold" in each], "cat_threshold"), np.int64)
    return Forest(int(header["max_feature_idx"]) + 1, int(header["num_tree_per_iteration"]), first, nodes, words)


def _splits(trees: Sequence[dict[str, str]], sizes: Ints) -> NDArray[Any]:
    splits = np.zeros(sizes.sum(), NODE)
    for field, name in SPLIT.items():
        splits[field] = _numbers(trees, name, len(splits), NODE[field])
    # what is missing reads as 0 where a split knows of no missing values (LightGBM, tree.h, NumericalDecision)
    default_left = splits["decision"] & DEFAULT_LEFT > 0
    splits["nan_left"] = np.where(splits["decision"] >> 2 == MISSING_NONE, splits["threshold"] >= 0, default_left)
    place = np.arange(len(splits)) - np.repeat(_offsets(sizes)[:-1], sizes)
    for child in (splits["left"], splits["right"]):
        child[:] = np.where(child < 0, np.repeat(sizes, sizes) + ~child, child)  # ~leaf is how LightGBM names a leaf
        if (child <= place).any():
            raise DataError("LightGBM text: a child before its parent, allowed: parents first")
    _point_to_words(splits, np.repeat(np.arange(len(trees)), sizes), trees)
    return splits


def _point_to_words(splits: NDArray[Any], tree: Ints, trees: Sequence[dict[str, str]]) -> None:
    """A categorical split's threshold is the number of its set within its tree: find the words that hold the set."""
    bounds = [np.array(each.get("cat_boundaries", "0").split(), np.int64) for each in trees]
    sizes = np.array([len(each) for each in bounds])
    starts = np.concatenate(bounds) + np.repeat(_offsets([each[-1] for each in bounds])[:-1], sizes)
    categorical = splits["decision"] & CATEGORICAL > 0
    place = _offsets(sizes)[tree[categorical]] + splits["threshold"][categorical].astype(np.int64)
    splits["first_word"][categorical] = starts[place]
    splits["last_word"][categorical] = starts[place + 1]


def _leaves(trees: Sequence[dict[str, str]], count: int) -> NDArray[Any]:
    leaves = np.zeros(count, NODE)
    # the only leaf of a tree may tell no count, and needs none
    counted = [tree | {"leaf_count": "1"} if tree["num_leaves"] == "1" else tree for tree in trees]
    leaves["left"] = leaves["right"] = -1
    leaves["value"] = _numbers(trees, "leaf_value", count)
    leaves["count"] = _numbers(counted, "leaf_count", count)
    return leaves


def _numbers(trees: Sequence[dict[str, str]], name: str, count: int, kind: Any = np.float64) -> NDArray[Any]:
    found = np.array(_joined(trees, name), kind)
    if len(found) != count:
        raise ValueError(f"{name}: {len(found)} numbers, allowed: {count}")
    return found


def _joined(trees: Sequence[dict[str, str]], name: str) -> list[str]:
    return " ".join(tree[name] for tree in trees).split()


def _offsets(sizes: Any) -> Ints:
    return np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)
