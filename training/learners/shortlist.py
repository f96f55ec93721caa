"""The first of two stages: of all items, those whose vectors are nearest to what a person saw."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from training.learners.turns import Turns

Ints = NDArray[np.int64]
Floats = NDArray[np.float32]
FADE = 0.8  # what a view counts of the one after it: 1 gave hit@10 .336, .8 .358, .6 .360 on views before the last
BLOCK = 512


@dataclass(frozen=True)
class Shortlist:
    """items, scores: shape (turns, k), the best first. scores: the product with the faded sum of the history."""

    items: Ints
    scores: Floats

    def found(self, wanted: Ints) -> NDArray[np.bool_]:
        """Whether each item is the wanted one of its turn, shape (turns, k)."""
        return np.asarray(self.items == wanted[:, None])

    def sample(self, kept: NDArray[np.bool_], count: int, seed: int) -> tuple[Ints, Ints]:
        """Per turn, what is kept and else items by lot, shape (turns, count): places in the list, and the items."""
        lots = np.random.default_rng(seed).random(self.items.shape)
        places = np.sort(np.argsort(np.where(kept, -1.0, lots), axis=1)[:, :count], axis=1)
        return places, np.take_along_axis(self.items, places, axis=1)


def shortlist(vectors: Any, turns: Turns, k: int, fade: float = FADE) -> Shortlist:
    """The k nearest to each turn's history, less what the person has seen. vectors: sparse, shape (items, terms).

    fade: what a view counts of the one after it.
    """
    from scipy.sparse import csr_matrix

    turn, item, back = turns.history()
    shape = (len(turns), vectors.shape[0])
    profile = csr_matrix((np.float32(fade) ** back.astype(np.float32), (turn, item)), shape=shape)
    found = [_nearest(profile[low : low + BLOCK], vectors, k) for low in range(0, len(turns), BLOCK)]
    return Shortlist(*(np.concatenate(parts) for parts in zip(*found, strict=True)))


def _nearest(profile: Any, vectors: Any, k: int) -> tuple[Ints, Floats]:
    scores = ((profile @ vectors) @ vectors.T).toarray()
    scores[profile.nonzero()] = -np.inf
    near = np.argpartition(-scores, min(k, scores.shape[1]) - 1, axis=1)[:, :k]
    near.sort(axis=1)  # ties go to the earlier item, however the partition left them
    best = np.take_along_axis(scores, near, axis=1)
    order = np.argsort(-best, axis=1, kind="stable")
    return np.take_along_axis(near, order, axis=1), np.take_along_axis(best, order, axis=1)
