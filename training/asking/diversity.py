"""Lists whose items differ: maximal marginal relevance."""

import numpy as np
import polars as pl
from numpy.typing import NDArray

from feature_repo.column import Column
from training.route import Order, Rows, best_first

Floats = NDArray[np.float64]
MOST_WEIGHED = 200  # items that stand further down are not looked at


def diverse(vector: Column, relevance: float = 0.7) -> Order:
    """The order of maximal marginal relevance. vector: of the items; relevance: its weight against being different.

    What the rule scored comes after what the model did, as in best_first: their scores do not compare.
    """

    def order(rows: Rows) -> list[int]:
        best = np.asarray(best_first(rows._replace(limit=MOST_WEIGHED)), dtype=np.int64)
        scores, vectors = rows.scores, rows.features[vector.qualified]
        picked: list[int] = []
        for part in (best[rows.by_model[best]], best[~rows.by_model[best]]):
            places = marginal(_scaled(scores[part]), _similarity(vectors, part), relevance, rows.limit - len(picked))
            picked += part[places].tolist()
        return picked

    return order


def marginal(relevance: Floats, similarity: Floats, weight: float, count: int) -> list[int]:
    """Greedily the item with the most weight * relevance - (1 - weight) * likeness to the nearest one picked before.

    relevance: shape (items,), 0 to 1, best first; similarity: shape (items, items).
    Source: Carbonell & Goldstein 1998.
    """
    picked: list[int] = []
    likeness = np.zeros(len(relevance))
    left = np.ones(len(relevance), dtype=np.bool_)
    for _ in range(min(count, len(relevance))):
        worth = np.where(left, weight * relevance - (1 - weight) * likeness, -np.inf)
        best = int(worth.argmax())
        picked.append(best)
        left[best] = False
        likeness = np.maximum(likeness, similarity[best])
    return picked


def _scaled(scores: Floats) -> Floats:
    """Scores from 0 to 1, so that they and likeness weigh alike."""
    span = scores.max() - scores.min() if len(scores) else 0.0
    return (scores - scores.min()) / span if span > 0 else np.zeros(len(scores))


def _similarity(vectors: pl.Series, rows: NDArray[np.int64]) -> Floats:
    """Cosines between the rows' vectors, 0 where one is missing."""
    wanted = vectors.gather(rows)
    known = np.flatnonzero(wanted.is_not_null().to_numpy())
    found = np.zeros((len(rows), len(rows)))
    if len(known):
        matrix = wanted.gather(known).explode().to_numpy().reshape(len(known), -1)
        found[np.ix_(known, known)] = matrix @ matrix.T
    return found
