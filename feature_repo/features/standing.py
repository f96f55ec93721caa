"""What pair columns are made of: sums and means of people's history, as they stand at the instant of a question.

Each is read off one stored row and that instant, so an online version holds its values (derived.py), and what is left
to compute for each row of a request is a subtraction, or an addition and a division. No product has them as columns.
What everybody did counts as read off that row too: there is one row of it (Entity.is_one).
"""

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from feature_repo.column import Column, View
from feature_repo.entities import person, task
from feature_repo.features.pair import declared, faded

Floats = NDArray[np.float64]

view = View("standing", (person, task))


@cache
def standing(of: View, amount: str, days: float) -> Column:
    """A view's sum, faded by that many days since it was stored; 0 where nothing is known."""

    def total(stored: Floats, day: Floats, at: Floats) -> Floats:
        return faded(stored, day, at, days)

    words = f"{_of(of, amount).description.removesuffix('.')}, as it stands."
    return read_off(of, amount, words, total, (amount, "day"), minimum=_of(of, amount).minimum)


@cache
def one_more(of: View, amount: str, days: float) -> Column:
    """As standing, and 1; missing where nothing is known."""

    def total(stored: Floats, day: Floats, at: Floats) -> Floats:
        return np.where(np.isnan(day), np.nan, faded(stored, day, at, days) + 1)

    words = f"{_of(of, amount).description.removesuffix('.')}, as it stands, and 1."
    return read_off(of, f"{amount}_and_one", words, total, (amount, "day"), nulls=1.0)


@cache
def rarity(of: View, everybody: View, amount: str, days: float) -> Column:
    """ln(1 + everybody's sum over the view's and 1), both as they stand; missing where nothing is known of the view."""

    def rare(all_: Floats, these: Floats) -> Floats:
        logs: Floats = np.log1p(all_ / these)
        return logs

    name, words = f"{of.name}_{amount}_rarity", "How rare it is among all: ln(1 + all / those with it and 1)."
    inputs = [standing(everybody, amount, days).qualified, one_more(of, amount, days).qualified]
    source = _of(of, amount).source
    return declared(name, words, rare, inputs, within=view, source=source, minimum=0, nulls=1.0)


def read_off(
    of: View, name: str, words: str, function: Callable[..., Any], reads: tuple[str, ...], **facts: Any
) -> Column:
    """A column that is computed from columns of one view; where one is its day, from the instant too."""
    inputs = [f"{of.name}__{each}" for each in reads] + ["at"] * ("day" in reads)
    source = _of(of, reads[0]).source
    return declared(f"{of.name}_{name}", words, function, inputs, within=view, source=source, **facts)


def _of(view: View, name: str) -> Column:
    return next(column for column in view.columns if column.name == name)
