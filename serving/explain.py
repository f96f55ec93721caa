"""The columns that moved an answer most, with the model's own contributions (SHAP values for LightGBM)."""

import re
from collections.abc import Sequence
from typing import Any

import numpy as np
import polars as pl

from feature_repo.column import Column
from feature_repo.errors import DataError
from serving.limits import LIMITS

EXPECTED = "expected"
MOST_LISTED = 5  # so many entries of a list-valued column are named in a sentence


def factors(
    contributions: pl.DataFrame,
    features: pl.DataFrame,
    columns: Sequence[Column],
    output: str,
    top: int = LIMITS.factors,
) -> list[list[dict[str, Any]]]:
    """For each row its strongest factors, strongest first; columns that changed nothing are left out.

    contributions: a float column per qualified column, in the scale of the model; features: the columns' values.
    Raises DataError for a contribution that is not finite.
    """
    known = {column.qualified: column for column in columns if column.qualified in contributions.columns}
    names = list(known)
    amounts = contributions.select(names).to_numpy()
    if not np.isfinite(amounts).all():
        raise DataError("contributions: not finite, allowed: numbers")
    strongest = np.argsort(-np.abs(amounts), axis=1, kind="stable")[:, :top]
    return [
        [
            factor(known[names[place]], features[names[place]][row], float(amounts[row, place]), output)
            for place in places
            if amounts[row, place]
        ]
        for row, places in enumerate(strongest)
    ]


def factor(column: Column, value: Any, contribution: float, output: str) -> dict[str, Any]:
    """One factor of one answer, as in serving.replies.Factor."""
    value = value.to_list() if isinstance(value, pl.Series) else value
    direction = "raises" if contribution > 0 else "lowers"
    description = " ".join(column.description.split())
    said = re.split(r"[.:;] ", description.rstrip("."))[0]
    effect = f"{direction} the {output.replace('_', ' ')}"
    return {
        "column": column.qualified,
        "description": description,
        "value": value,
        "unit": column.unit,
        "contribution": contribution,
        "direction": direction,
        "sentence": f"{said}: {_spoken(value, column.unit)}. This {effect}.",
    }


def _spoken(value: Any, unit: str) -> str:
    if value is None:
        return "not known"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        rest = len(value) - MOST_LISTED
        named = ", ".join(_spoken(item, "") for item in value[:MOST_LISTED])
        return (named or "none") + (f" and {rest} more" if rest > 0 else "")
    if isinstance(value, float):
        value = f"{value:.3g}" if abs(value) < 1000 else f"{value:.0f}"
    return f"{value} {unit}".strip()


def explanation(contributions: pl.DataFrame, output: str, scale: str) -> dict[str, Any]:
    """What the factors explain, as in serving.replies.Explanation."""
    expected = contributions[EXPECTED][0] if EXPECTED in contributions.columns else None
    return {"output": output, "scale": scale, "expected": expected}
