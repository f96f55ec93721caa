"""The columns that moved an answer most, with the model's own contributions (SHAP values for LightGBM)."""

from collections.abc import Sequence
from itertools import compress
from typing import Any

import numpy as np

from feature_repo.table import Floats, Frame, Table
from serving.answering.columns import BETWEEN, numbers
from serving.answering.phrases import Phrase, Phrases
from serving.limits import LIMITS
from training.contributions import Contributions

SAME = 1e-9
NOWHERE = -1


def factors(contributions: Contributions, features: Frame, phrases: Phrases, top: int = LIMITS.factors) -> list[bytes]:
    """For each row its strongest factors as JSON, strongest first; columns that changed nothing are left out.

    features: the columns' values, the same rows. Raises DataError for a contribution that is not finite.
    """
    places, amounts = contributions.strongest(top)
    chosen = [phrases[contributions.names[place]] for place in places.ravel().tolist()]
    said, moved = _said(chosen, amounts.ravel(), features, top), amounts.ravel().tolist()
    rows = [slice(place, place + top) for place in range(0, len(said), top)]
    return [b"[" + b",".join(compress(said[row], moved[row])) + b"]" for row in rows]


def _said(chosen: Sequence[Phrase], amounts: Floats, features: Frame, top: int) -> list[bytes]:
    """The factors of one row after another, as many of each.

    Numbers of all are read and written at once: 50 factors take 0.03 ms, to make a mapping of each and write it 0.12.
    """
    found = _numbers(features, chosen, top)
    said = numbers([amounts, found], len(chosen)).split(BETWEEN)
    values = Values(features)
    is_table = isinstance(features, Table)
    each = zip(chosen, amounts.tolist(), said[::2], found.tolist(), said[1::2], strict=True)
    return [
        phrase.of_number(number, json, amount, contribution)
        if is_table and phrase.is_plain
        else phrase.of(values[phrase.name][place // top], amount, contribution)
        for place, (phrase, amount, contribution, number, json) in enumerate(each)
    ]


def _numbers(features: Frame, chosen: Sequence[Phrase], top: int) -> Floats:
    """Those in a table's matrix, NaN for others."""
    if not isinstance(features, Table):
        return np.full(len(chosen), np.nan)
    slots = [features.slots.get(phrase.name, NOWHERE) for phrase in chosen]
    found: Floats = features.numbers[slots, np.arange(len(slots)) // top]
    if NOWHERE in slots:
        found[np.array(slots) == NOWHERE] = np.nan
    return found


class Values(dict[str, Sequence[Any]]):
    """By name the values of columns, None where missing; read when they are first needed."""

    def __init__(self, features: Frame) -> None:
        super().__init__()
        self._features = features

    def __missing__(self, name: str) -> Sequence[Any]:
        found = self[name] = self._read(name)
        return found

    def _read(self, name: str) -> Sequence[Any]:
        features = self._features
        if isinstance(features, Table) and name in features.declared and features.is_number(name):
            kind = features.declared[name].dtype
            found = features.numbers[features.slots[name]].tolist()
            return [None if number != number else kind(number) for number in found]
        return features[name].to_list() if name in features.columns else [None] * features.height


def explanation(contributions: Contributions, output: str, scale: str) -> dict[str, Any]:
    """What the factors explain, as replies.Explanation. expected: None where each row has its own."""
    values = contributions.expected
    expected = float(values[0]) if len(values) and values.max() - values.min() < SAME else None
    return {"output": output, "scale": scale, "expected": expected}
