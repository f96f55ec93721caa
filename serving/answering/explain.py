"""The columns that moved an answer most, with the model's own contributions (SHAP values for LightGBM)."""

from collections.abc import Mapping, Sequence
from functools import partial
from itertools import accumulate
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray

from feature_repo.errors import DataError
from feature_repo.kernels import kernels, of_one_kind
from feature_repo.table import Floats, Frame, Table
from serving.answering.phrases import Phrases, Templates
from serving.limits import LIMITS
from training.asking.wording import LONG
from training.contributions import Contributions

Ints = NDArray[np.int64]
SAME = 1e-9
NO_SLOTS: Mapping[str, int] = {}
NO_NUMBERS = np.zeros((0, 0))
NO_OTHERS: list[bytes] = []
SHORT, WHOLE = b"%.3g,", b"%.0f,"
"""Of numbers below LONG, and of others, as wording.spoken does."""
picking = partial(kernels, "serving.answering.picking")
telling = partial(kernels, "serving.answering.telling")
"""The kernels."""


def factors(contributions: Contributions, features: Frame, phrases: Phrases, top: int = LIMITS.factors) -> list[bytes]:
    """For each row its strongest factors as JSON, strongest first; columns that changed nothing are left out.

    features: the columns' values, the same rows. Raises DataError for a contribution that is not finite.
    """
    slots, matrix = (features.slots, features.numbers) if isinstance(features, Table) else (NO_SLOTS, NO_NUMBERS)
    templates = phrases.templates(contributions.names, slots)
    values, numbers = of_one_kind(contributions.values), of_one_kind(matrix)
    places, both = np.zeros((len(values), top), np.int64), np.zeros((2, len(values), top))
    count = picking().pick(values, templates.rows, numbers, places, both)
    if count < 0:
        raise DataError("contributions: not finite, allowed: numbers")
    others = _others(contributions, features, phrases, places, both[0], templates) if count else NO_OTHERS
    return _told(places, both, templates, others)


def _others(
    contributions: Contributions, features: Frame, phrases: Phrases, places: Ints, amounts: Floats, templates: Templates
) -> list[bytes]:
    """The factors without a template, in order."""
    values, others = Values(features), list[bytes]()
    for row, rank in np.argwhere((templates.rows.take(places) < 0) & (amounts != 0)).tolist():
        phrase, amount = phrases[contributions.names[places[row, rank]]], amounts[row, rank].item()
        others.append(phrase.of(values[phrase.name][row], amount, orjson.dumps(amount)))
    return others


def _told(places: Ints, both: Floats, templates: Templates, others: Sequence[bytes]) -> list[bytes]:
    """Each row's factors, by a kernel: 50 take 0.015 ms, one by one 0.1. others: those without a template, in order."""
    listed = both[1].ravel().tolist()
    words = b"".join([SHORT if -LONG < number < LONG else WHOLE for number in listed]) % tuple(listed)
    streams = orjson.dumps(both.ravel(), option=orjson.OPT_SERIALIZE_NUMPY)[1:-1] + b"," + words
    other = b"".join(others)
    firsts = np.array([0, *accumulate(map(len, others))], np.uint64)
    told = np.empty(len(streams) + len(other) + (templates.widest + 1) * places.size + 2 * len(places), np.uint8)
    ends = np.empty(len(places), np.int64)
    said = np.frombuffer(streams, np.uint8), np.frombuffer(other, np.uint8), firsts
    telling().tell(templates.text, templates.bounds, places, both, *said, told, ends)
    stops = ends.tolist()
    text = told[: stops[-1] if stops else 0].tobytes()  # once: ten times takes 3 us more
    return [text[begin:end] for begin, end in zip([0, *stops], stops, strict=False)]


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
    values = contributions.expected.tolist()
    expected = values[0] if values and max(values) - min(values) < SAME else None
    return {"output": output, "scale": scale, "expected": expected}
