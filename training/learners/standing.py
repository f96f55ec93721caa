"""What others had done with a candidate, its employer and its place by the instant of a turn; nothing later counts.

How often the candidate itself was seen is left out on purpose: where the items are known only because somebody at some
time sees them, `not yet seen` gives the future away: on views before the last it added 5 points of hit@10.
"""

from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from training.learners.fields import UNKNOWN, Items
from training.learners.shortlist import FADE
from training.learners.turns import Turns, Views

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
SPAN = np.int64(1) << 33  # seconds; above any instant
SHRINK = 3.0  # of a share of steps, in steps that went elsewhere


@dataclass(frozen=True)
class Tally:
    """Events by code, to be counted before an instant."""

    ordered: Ints

    @staticmethod
    def of(codes: Ints, at: Ints) -> "Tally":
        return Tally(np.sort(codes * SPAN + at))

    def before(self, codes: Ints, at: Ints) -> Floats:
        """How many events of each code there were before each instant; 0 for an unknown code."""
        upto = np.searchsorted(self.ordered, codes * SPAN + at)
        count = upto - np.searchsorted(self.ordered, codes * SPAN)
        return np.where(codes == UNKNOWN, 0, count).astype(np.float64)


def standing(items: Items, turns: Turns, candidates: Ints) -> dict[str, Floats]:
    """Columns, each of shape (turns * k,)."""
    at = np.repeat(turns.at, candidates.shape[1])
    flat = candidates.ravel()
    columns: dict[str, Floats] = {}
    for name in ("company", "city"):
        codes = items.keys[name]
        columns[f"{name}_views"] = np.log1p(Tally.of(codes[turns.views.item], turns.views.at).before(codes[flat], at))
        columns |= _steps(name, codes, turns, flat, at)
    newest = np.repeat(_newest(items.number, turns), candidates.shape[1])
    columns["number_ahead"] = (items.number[flat] - newest).astype(np.float64)
    columns["together"] = _together(turns, candidates)
    return columns


def _steps(name: str, codes: Ints, turns: Turns, flat: Ints, at: Ints) -> dict[str, Floats]:
    """How often people went from the last seen one's code to the candidate's, and the share of all steps from it."""
    every = Turns.of(turns.views)
    many = np.int64(codes.max(initial=0) + 2)
    start, end = codes[every.last] + 1, codes[every.item] + 1
    begun = np.repeat(codes[turns.last] + 1, len(flat) // len(turns))
    count = Tally.of(start * many + end, every.at).before(begun * many + codes[flat] + 1, at)
    total = Tally.of(start, every.at).before(begun, at)
    return {f"{name}_steps": count, f"{name}_step_share": count / (total + SHRINK)}


def _newest(number: Ints, turns: Turns) -> Ints:
    """The highest number that anybody had seen before each turn: higher ones were hardly published by then."""
    order = np.argsort(turns.views.at, kind="stable")
    highest = np.maximum.accumulate(number[turns.views.item[order]])
    place = np.searchsorted(turns.views.at[order], turns.at) - 1
    return np.where(place >= 0, highest[np.maximum(place, 0)], number.min(initial=0))


def _together(turns: Turns, candidates: Ints) -> Floats:
    """How often others saw the candidate and a job of the history, both before the turn; fading along the history."""
    turn, item, back = turns.history()
    asked = pl.DataFrame({"turn": turn, "item": item, "now": turns.at[turn], "asker": turns.person[turn]})
    asked = asked.with_columns(weight=pl.Series(FADE**back))
    met = asked.join(_pairs(turns.views), on="item").filter(
        pl.col("at") < pl.col("now"), pl.col("person") != pl.col("asker")
    )
    counts = met.group_by("turn", "other").agg(pl.col("weight").sum())
    wanted = pl.DataFrame({"turn": np.repeat(np.arange(len(turns)), candidates.shape[1]), "other": candidates.ravel()})
    found = wanted.join(counts, on=["turn", "other"], how="left", maintain_order="left")
    return found["weight"].fill_null(0.0).to_numpy()


def _pairs(views: Views) -> pl.DataFrame:
    """Two items of one person: item, other, person, and at: when both had been seen."""
    seen = pl.DataFrame(vars(views))
    both = seen.join(seen.rename({"item": "other", "at": "other_at"}), on="person").filter(
        pl.col("item") != pl.col("other")
    )
    return both.select("person", "item", "other", at=pl.max_horizontal("at", "other_at"))
