"""How near a candidate is to what a person saw: to all of it, to the nearest of it, to the last of it."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from training.learners.fields import UNKNOWN, Items
from training.learners.shortlist import FADE
from training.learners.turns import Turns

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
BLOCK = 512


@dataclass(frozen=True)
class Meetings:
    """A row per turn, candidate and earlier view, in that order. starts: where each turn and candidate begins."""

    seen: Ints
    candidate: Ints
    weight: Floats
    starts: Ints

    @staticmethod
    def of(turns: Turns, candidates: Ints) -> "Meetings":
        """candidates: items, shape (turns, k)."""
        _, item, back = turns.history()
        k = candidates.shape[1]
        lengths = np.repeat(turns.past, k)
        starts = np.cumsum(lengths) - lengths
        begins = np.repeat(np.cumsum(turns.past) - turns.past, k)
        source = np.repeat(begins - starts, lengths) + np.arange(lengths.sum())
        return Meetings(item[source], np.repeat(candidates.ravel(), lengths), FADE ** back[source], starts)

    def mean(self, values: Floats) -> Floats:
        """The mean over a history, in which earlier views fade."""
        total: Floats = np.add.reduceat(values * self.weight, self.starts)
        return np.asarray(total / np.add.reduceat(self.weight, self.starts))

    def greatest(self, values: Floats) -> Floats:
        return np.asarray(np.maximum.reduceat(values, self.starts))

    def last(self, values: Floats) -> Floats:
        """The value at the latest view."""
        return np.asarray(values[np.r_[self.starts[1:], len(values)] - 1])

    def products(self, vectors: Any) -> Floats:
        """The product of the seen item's and the candidate's row. vectors: sparse, shape (items, terms)."""
        found = np.empty(len(self.seen))
        order = np.argsort(self.seen, kind="stable")
        edges = np.arange(0, vectors.shape[0] + BLOCK, BLOCK)
        cuts = np.searchsorted(self.seen[order], edges)
        # in blocks of items, each against all: memory does not grow with the square of the items
        for low, begin, end in zip(edges, cuts, cuts[1:], strict=False):
            rows = order[begin:end]
            if len(rows):
                block = (vectors[low : low + BLOCK] @ vectors.T).toarray()
                found[rows] = block[self.seen[rows] - low, self.candidate[rows]]
        return found

    def equal(self, codes: Ints) -> Floats:
        """1 where both have the same known code."""
        seen = codes[self.seen]
        return np.asarray((seen == codes[self.candidate]) & (seen != UNKNOWN), np.float64)


def nearness(items: Items, turns: Turns, candidates: Ints) -> dict[str, Floats]:
    """Columns, each of shape (turns * k,): mean, greatest and last of each text and key, and distances of numbers."""
    meetings = Meetings.of(turns, candidates)
    columns: dict[str, Floats] = {}
    values = {name: meetings.products(part) for name, part in items.texts.items()}
    values |= {name: meetings.equal(codes) for name, codes in items.keys.items()}
    for name, each in values.items():
        columns |= {f"{name}_{how.__name__}": how(each) for how in (meetings.mean, meetings.greatest, meetings.last)}
    apart = (items.number[meetings.candidate] - items.number[meetings.seen]).astype(np.float64)
    columns["number_nearest"] = np.log1p(-meetings.greatest(-np.abs(apart)))
    after = meetings.last(apart)
    columns["number_after_last"] = np.sign(after) * np.log1p(np.abs(after))
    return columns
