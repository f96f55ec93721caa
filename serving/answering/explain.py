"""The columns that moved an answer most, with the model's own contributions (SHAP values for LightGBM)."""

from collections.abc import Sequence
from functools import cache
from typing import Any

import numpy as np
import polars as pl

from feature_repo.column import Column
from feature_repo.errors import DataError
from feature_repo.table import Frame
from serving.limits import LIMITS
from training.asking.wording import plain, sentence

EXPECTED = "expected"
SAME = 1e-9


def factors(
    contributions: pl.DataFrame,
    features: Frame,
    columns: Sequence[Column],
    output: str,
    top: int = LIMITS.factors,
) -> list[list[dict[str, Any]]]:
    """For each row its strongest factors, strongest first; columns that changed nothing are left out.

    contributions: a float column per qualified column, in the scale of the model, or per part of the model that is no
    column, such as a trend; features: the columns' values.
    Raises DataError for a contribution that is not finite.
    """
    declared = {column.qualified: column for column in columns}
    names = [name for name in contributions.columns if name != EXPECTED]
    known = {name: declared.get(name) or _part(name) for name in names}
    amounts = contributions.to_numpy()[
        :, [place for place, name in enumerate(contributions.columns) if name != EXPECTED]
    ]
    if not np.isfinite(amounts).all():
        raise DataError("contributions: not finite, allowed: numbers")
    series, present = cache(features.__getitem__), frozenset(features.columns)

    def value(name: str, row: int) -> Any:
        return series(name)[row] if name in present else None

    strongest = np.argsort(-np.abs(amounts), axis=1, kind="stable")[:, :top]
    return [
        [
            factor(known[names[place]], value(names[place], row), float(amounts[row, place]), output)
            for place in places
            if amounts[row, place]
        ]
        for row, places in enumerate(strongest)
    ]


def _part(name: str) -> Column:
    """A part of a model that is no column, as one: it has no value of its own."""
    return Column(name=name, dtype=float, view="", function=_part, description=f"The {name.replace('_', ' ')}")


def factor(column: Column, value: Any, contribution: float, output: str) -> dict[str, Any]:
    """One factor of one answer, as in serving.schemas.replies.Factor."""
    value = value.to_list() if isinstance(value, pl.Series) else value
    return {
        "column": column.qualified.removeprefix("__"),
        "description": plain(column.description),
        "value": value,
        "unit": column.unit,
        "contribution": contribution,
        "direction": "raises" if contribution > 0 else "lowers",
        "sentence": sentence(column, value, contribution, output),
    }


def explanation(contributions: pl.DataFrame, output: str, scale: str) -> dict[str, Any]:
    """What the factors explain, as replies.Explanation. expected: None where each row has its own."""
    values = contributions[EXPECTED].to_numpy() if EXPECTED in contributions.columns else np.zeros(0)
    expected = float(values[0]) if len(values) and np.ptp(values) < SAME else None
    return {"output": output, "scale": scale, "expected": expected}
