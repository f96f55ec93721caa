"""Raw scores of LightGBM models with the bits of its own, several times as fast for the rows of one request.

200 trees x 15 leaves, 100 rows, one thread: LightGBM 0.5 ms, ours 0.03. Models that read the same columns are scored
together: what they share is prepared once.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from feature_repo.errors import DataError
from feature_repo.kernels import kernels, of_one_kind
from training.shap.forest import Floats, Forest, Ints
from training.shap.reads import reads, thresholds
from training.shap.treeshap import probe

LOG = logging.getLogger("talentml.training")
MOST_LEAVES = 64  # of a tree: a bit each
SPLIT = np.dtype([("column", np.int64), ("threshold", np.float64), ("kept", np.uint64)])
"""column: place among the reads. kept: the leaves that stay where it sends a row right."""


@dataclass(frozen=True)
class Scores:
    """Models ready to score: what descent.add_scores takes. forests: of each model."""

    forests: tuple[Forest, ...]
    reads: NDArray[Any]
    words: Ints
    splits: NDArray[Any]
    first_split: Ints
    values: Floats
    targets: Ints

    @staticmethod
    def of(*boosters: Any) -> "Scores":
        """Read boosters, up to their best iteration. Raises DataError for a kind of model that is not covered."""
        from training.shap.descent import leaf_places, leaf_room, number_leaves

        forests = tuple(Forest.of(booster) for booster in boosters)
        nodes, first, words, targets = _joined(forests)
        leaves = (np.diff(first) + 1) // 2
        if leaves.max(initial=0) > MOST_LEAVES:
            raise DataError(f"LightGBM text: a tree of {leaves.max()} leaves, allowed: {MOST_LEAVES}")
        kept, numbers = np.zeros(len(nodes), np.uint64), np.zeros(len(nodes), np.int64)
        number_leaves(nodes, first, kept, numbers)
        is_split = nodes["left"] >= 0
        found, column = reads(nodes[is_split])
        splits, first_split = _together(_splits(nodes[is_split], column, kept[is_split]), leaves - 1)
        values = np.zeros((len(leaves), leaf_room(int(leaves.max(initial=0)))))
        places = leaf_places(values.shape[1])[numbers[~is_split]]
        values[np.repeat(np.arange(len(leaves)), leaves), places] = nodes["value"][~is_split]
        return Scores(forests, found, words, splits, first_split, values, targets)

    @cached_property
    def first_outputs(self) -> Ints:
        """Where the outputs of each model begin, and where all end."""
        return _offsets([forest.classes for forest in self.forests])

    def sums(self, columns: Floats, places: Ints) -> Floats:
        """The sums of leaf values, a row per model, or of it per class; shape (outputs, rows).

        columns: shape (slots, rows), float64, row by row; places: the slot of each feature.
        """
        add_scores = kernels("training.shap.descent").add_scores
        sums = np.zeros((self.first_outputs[-1], columns.shape[1]))
        splits = self.reads, self.words, self.splits, self.first_split
        add_scores(columns, places, *splits, self.values, self.targets, sums)
        return sums


def _joined(forests: Sequence[Forest]) -> tuple[NDArray[Any], Ints, Ints, Ints]:
    """Nodes, first nodes and words of several forests as those of one, and for each tree the row of its sums."""
    nodes = np.concatenate([forest.nodes for forest in forests])
    words = np.concatenate([forest.words for forest in forests])
    before = np.repeat(_offsets([len(each.words) for each in forests])[:-1], [len(each.nodes) for each in forests])
    nodes["first_word"] += before
    nodes["last_word"] += before
    first = _offsets(np.concatenate([np.diff(forest.first) for forest in forests]))
    rows = zip(forests, _offsets([forest.classes for forest in forests]), strict=False)
    targets = [row + np.arange(len(forest.first) - 1) % forest.classes for forest, row in rows]
    return nodes, first, words, np.concatenate(targets)


def _splits(nodes: NDArray[Any], column: Ints, kept: NDArray[np.uint64]) -> NDArray[Any]:
    splits = np.zeros(len(nodes), SPLIT)
    splits["column"], splits["kept"] = column, kept
    splits["threshold"] = thresholds(nodes)
    return splits


def _together(splits: NDArray[Any], sizes: Ints) -> tuple[NDArray[Any], Ints]:
    """The splits of each tree filled up to a multiple with ones that clear nothing; and where each tree's begin."""
    from training.shap.descent import EVERY, TOGETHER

    first = _offsets(-(-sizes // TOGETHER) * TOGETHER)
    filled = np.zeros(first[-1], SPLIT)
    filled["kept"] = EVERY
    filled[np.arange(len(splits)) + np.repeat(first[:-1] - _offsets(sizes)[:-1], sizes)] = splits
    return filled, first


def _offsets(sizes: Any) -> Ints:
    return np.append(0, np.cumsum(sizes, dtype=np.int64))


@dataclass(frozen=True)
class Together:
    """Boosters that read the same columns and are scored at once, faster than by LightGBM where all are covered.

    They are read, and compared with LightGBM on a probe, when they first score: train them no further after that.
    """

    boosters: tuple[Any, ...]

    @cached_property
    def _ours(self) -> Scores | None:
        return verified(*self.boosters)

    def raw(self, columns: Floats, places: Ints) -> Floats:
        """What `predict(raw_score=True)` of each gives, bit for bit, a row per booster, or of it per class.

        columns: shape (slots, rows), missing values are NaN; places: the slot of each feature.
        """
        if self._ours is None or len(places) != self._ours.forests[0].features:
            return np.concatenate([by_lightgbm(booster, columns[places].T) for booster in self.boosters])
        return self._ours.sums(of_one_kind(columns), places)


def by_lightgbm(booster: Any, matrix: Floats) -> Floats:
    """Its own scores, shape (classes, rows)."""
    return np.asarray(booster.predict(matrix, raw_score=True)).reshape(len(matrix), -1).T


def verified(*boosters: Any) -> Scores | None:
    """Boosters ready to score; None where one is not covered, or a probe's scores differ from LightGBM's."""
    try:
        ours = Scores.of(*boosters)
    except (DataError, ImportError, OSError) as error:
        LOG.warning("scores by LightGBM itself: %s", error)
        return None
    for booster, forest, first in zip(boosters, ours.forests, ours.first_outputs, strict=False):
        matrix = probe(forest)
        sums = ours.sums(np.ascontiguousarray(matrix.T), np.arange(forest.features))[first : first + forest.classes]
        if not np.array_equal(sums, by_lightgbm(booster, matrix)):
            LOG.warning("scores by LightGBM itself: ours differ")
            return None
    return ours
