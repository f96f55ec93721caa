"""Who saw what when, and each time that somebody with a history saw something new: a turn."""

from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from feature_repo.errors import DataError

Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Views:
    """A person's first view of each item, ordered by person, then time. at: seconds."""

    person: Ints
    item: Ints
    at: Ints

    @staticmethod
    def of(seen: pl.DataFrame) -> "Views":
        """seen: integer columns person, item and at, later views of the same item allowed; ties keep their order."""
        if not seen.height:
            raise DataError("views: none, allowed: at least one")
        first = seen.sort("at", maintain_order=True).unique(["person", "item"], keep="first", maintain_order=True)
        ordered = first.sort("person", maintain_order=True)
        return Views(*(ordered[name].cast(pl.Int64).to_numpy() for name in ("person", "item", "at")))

    @property
    def place(self) -> Ints:
        """0 for a person's first view, 1 for the next."""
        begins = np.flatnonzero(np.r_[True, np.diff(self.person) != 0])
        return np.arange(len(self.person)) - np.repeat(begins, np.diff(np.r_[begins, len(self.person)]))

    @property
    def lasting(self) -> Ints:
        """How many views the person of each view has, over all time."""
        _, inverse, counts = np.unique(self.person, return_inverse=True, return_counts=True)
        return np.asarray(counts[inverse], np.int64)


@dataclass(frozen=True)
class Turns:
    """rows: places in the views, each with an earlier view by the same person. past: how many earlier."""

    views: Views
    rows: Ints
    past: Ints

    @staticmethod
    def of(views: Views) -> "Turns":
        """Every turn there is."""
        place = views.place
        rows = np.flatnonzero(place > 0)
        return Turns(views, rows, place[rows])

    def __len__(self) -> int:
        return len(self.rows)

    def taken(self, which: NDArray[np.bool_]) -> "Turns":
        """Some of the turns, in order."""
        return Turns(self.views, self.rows[which], self.past[which])

    @property
    def item(self) -> Ints:
        """What was then seen: the answer."""
        return self.views.item[self.rows]

    @property
    def at(self) -> Ints:
        return self.views.at[self.rows]

    @property
    def person(self) -> Ints:
        return self.views.person[self.rows]

    @property
    def last(self) -> Ints:
        """The item seen just before."""
        return self.views.item[self.rows - 1]

    def history(self) -> tuple[Ints, Ints, Ints]:
        """A row per turn and earlier view, oldest first: the turn, the item, how many views ago (0: just before)."""
        turn = np.repeat(np.arange(len(self)), self.past)
        within = np.arange(len(turn)) - np.repeat(np.cumsum(self.past) - self.past, self.past)
        back = self.past[turn] - 1 - within
        return turn, self.views.item[self.rows[turn] - 1 - back], back
