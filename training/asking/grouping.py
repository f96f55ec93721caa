"""A score in parts: what groups of columns added to it, each on a scale of its own, and the strongest in words."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import chain

import numpy as np
import polars as pl

from feature_repo.column import Column
from training.asking.wording import sentence
from training.route import Answered, Extra

BADGE_ABOVE = 80.0
"""A match that scores more has a badge."""
SATURATED = 20.0
"""A group that adds so many points has a part of 100; one that takes as many away, of 0."""
MOST_SAID = 3


@dataclass(frozen=True)
class Part:
    """contribution: what the group added to the score. score: 0 to 100, 50 where it added nothing."""

    contribution: float
    score: float


def groups(columns: Mapping[str, Sequence[Column]]) -> tuple[Extra, ...]:
    """The extras of a score in parts. columns: by group."""
    return (
        Extra(
            "parts",
            dict[str, Part],
            lambda answered: parts(answered, columns),
            "What each group of columns added, and that on a scale from 0 to 100 on which 50 is neutral",
            per_row=True,
            of_contributions=True,
        ),
        said(columns),
        Extra(
            "badge",
            bool,
            lambda answered: [score > BADGE_ABOVE for score in answered.outputs.to_series(0).to_list()],
            f"Whether the score is above {BADGE_ABOVE:g}",
            per_row=True,
        ),
    )


def said(columns: Mapping[str, Sequence[Column]]) -> Extra:
    """The extra of a score's strongest factors in words. columns: by group."""
    return Extra(
        "reasons",
        list[str],
        lambda answered: reasons(answered, columns),
        "The strongest factors",
        per_row=True,
        of_contributions=True,
    )


def parts(answered: Answered, columns: Mapping[str, Sequence[Column]]) -> list[dict[str, Part] | None]:
    """For each row what its groups added; None for rows that the model did not score.

    A part's score is 50 + 50 * contribution / SATURATED, cut to 0 and 100: above 50 where the group raises the score.
    """
    found: list[dict[str, Part] | None] = [None] * answered.outputs.height
    if answered.contributions is None:
        return found
    sums = answered.contributions.select(
        pl.sum_horizontal(column.qualified for column in group).alias(name) for name, group in columns.items()
    )
    for row, amounts in zip(answered.contributions["row"].to_list(), sums.iter_rows(named=True), strict=True):
        found[row] = {name: Part(amount, _part(amount)) for name, amount in amounts.items()}
    return found


def _part(amount: float) -> float:
    return min(max(50.0 + 50.0 * amount / SATURATED, 0.0), 100.0)


def reasons(answered: Answered, columns: Mapping[str, Sequence[Column]]) -> list[list[str] | None]:
    """For each row the columns that moved its score most, in words; None for rows that the model did not score."""
    found: list[list[str] | None] = [None] * answered.outputs.height
    if answered.contributions is None:
        return found
    known = list(chain(*columns.values()))
    amounts = answered.contributions.select(column.qualified for column in known).to_numpy()
    strongest = np.argsort(-np.abs(amounts), axis=1, kind="stable")[:, :MOST_SAID]
    for row, places, own in zip(answered.contributions["row"].to_list(), strongest, amounts, strict=True):
        values = answered.features.row(row, named=True)
        found[row] = [
            sentence(known[place], values[known[place].qualified], float(own[place]), "score")
            for place in places
            if own[place]
        ]
    return found
