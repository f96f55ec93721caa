"""The columns that moved an answer most, with the model's own contributions (SHAP values for LightGBM)."""

from collections.abc import Mapping
from functools import cache
from typing import Any

import numpy as np
import polars as pl

from feature_repo.column import Column
from feature_repo.errors import DataError
from feature_repo.table import Frame, Table
from serving.limits import LIMITS
from training.asking.wording import plain, sentence
from training.contributions import Contributions

SAME = 1e-9


def factors(
    contributions: Contributions,
    features: Frame,
    columns: Mapping[str, Column],
    output: str,
    top: int = LIMITS.factors,
) -> list[list[dict[str, Any]]]:
    """For each row its strongest factors, strongest first; columns that changed nothing are left out.

    features: the columns' values, the same rows; columns: those that are declared, by qualified name.
    Raises DataError for a contribution that is not finite.
    """
    names, amounts = contributions.names, contributions.values
    if not np.isfinite(amounts).all():
        raise DataError("contributions: not finite, allowed: numbers")
    strongest = np.argsort(-np.abs(amounts), axis=1, kind="stable")[:, :top]
    chosen = np.take_along_axis(amounts, strongest, axis=1)
    present = frozenset(features.columns)

    def found(name: str, row: int, amount: float) -> dict[str, Any]:
        value = _value(features, name, row) if name in present else None
        return factor(columns.get(name) or _part(name), value, amount, output)

    return [
        [found(names[place], row, amount) for place, amount in zip(places, own, strict=True) if amount]
        for row, (places, own) in enumerate(zip(strongest.tolist(), chosen.tolist(), strict=True))
    ]


def _value(features: Frame, name: str, row: int) -> Any:
    """One value, None where missing. Of a number no series is made: 50 values take 0.02 ms, by series 0.1."""
    if not isinstance(features, Table) or not features.is_number(name):
        return features[name][row]
    number = features.numbers.item(features.slots[name], row)
    return None if number != number else features.declared[name].dtype(number)


@cache
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


def explanation(contributions: Contributions, output: str, scale: str) -> dict[str, Any]:
    """What the factors explain, as replies.Explanation. expected: None where each row has its own."""
    values = contributions.expected
    expected = float(values[0]) if len(values) and np.ptp(values) < SAME else None
    return {"output": output, "scale": scale, "expected": expected}
