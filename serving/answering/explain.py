"""The columns that moved an answer most, with the model's own contributions (SHAP values for LightGBM)."""

from collections.abc import Sequence
from functools import partial
from itertools import accumulate
from typing import Any

import numpy as np
import orjson

from feature_repo.kernels import kernels
from feature_repo.table import Floats, Frame, Table
from serving.answering.phrases import Phrases, Templates
from serving.limits import LIMITS
from training.asking.wording import LONG
from training.contributions import Contributions, Ints

SAME = 1e-9
NO_SLOTS: dict[str, int] = {}
SHORT, WHOLE = b"%.3g,", b"%.0f,"
"""Of numbers below LONG, and of others, as wording.spoken does."""
telling = partial(kernels, "serving.answering.telling")
"""The kernel."""


def factors(contributions: Contributions, features: Frame, phrases: Phrases, top: int = LIMITS.factors) -> list[bytes]:
    """For each row its strongest factors as JSON, strongest first; columns that changed nothing are left out.

    features: the columns' values, the same rows. Raises DataError for a contribution that is not finite.
    """
    places, amounts = contributions.strongest(top)
    templates = phrases.templates(contributions.names, features.slots if isinstance(features, Table) else NO_SLOTS)
    others = [b""]
    is_plain = templates.is_plain.take(places)
    if np.count_nonzero(is_plain) < is_plain.size:
        values = Values(features)
        for row, rank in np.argwhere(~is_plain & (amounts != 0)).tolist():
            phrase, amount = phrases[contributions.names[places[row, rank]]], amounts[row, rank].item()
            others.append(phrase.of(values[phrase.name][row], amount, orjson.dumps(amount)))
    return _told(places, amounts, _numbers(features, templates.rows.take(places)), templates, others)


def _numbers(features: Frame, rows: Ints) -> Floats:
    """Of factors, from the matrix of a table, shape (rows, factors); NaN of what is none."""
    if not isinstance(features, Table):
        return np.full(rows.shape, np.nan)
    found: Floats = features.numbers[rows, np.arange(len(rows)).reshape(-1, 1)]
    return found


def _told(places: Ints, amounts: Floats, numbers: Floats, templates: Templates, others: Sequence[bytes]) -> list[bytes]:
    """Each row's factors, by a kernel: 50 take 0.02 ms, one by one 0.1. others: those without a template, in order."""
    listed = numbers.ravel().tolist()
    forms = [SHORT if -LONG < number < LONG else WHOLE for number in listed]
    streams = [*map(_listed, (amounts, numbers)), b"".join(forms) % tuple(listed)]
    text, other = b",".join(streams), b"".join(others)
    begins = np.array([0, len(streams[0]) + 1, len(text) - len(streams[2])], np.uint64)
    firsts = np.array([*accumulate(map(len, others))], np.uint64)
    told = np.empty(len(text) + len(other) + (templates.widest + 1) * places.size + 2 * len(places), np.uint8)
    ends = np.empty(len(places), np.int64)
    streamed = np.frombuffer(text, np.uint8), begins, np.frombuffer(other, np.uint8), firsts
    telling().tell(templates.text, templates.bounds, places, amounts, numbers, *streamed, told, ends)
    stops = ends.tolist()
    return [told[begin:end].tobytes() for begin, end in zip([0, *stops], stops, strict=False)]


def _listed(numbers: Floats) -> bytes:
    return orjson.dumps(numbers.ravel(), option=orjson.OPT_SERIALIZE_NUMPY)[1:-1]


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
