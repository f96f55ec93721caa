"""What is answered, as JSON: what every answer begins with, and its rows."""

import time
from collections.abc import Mapping, Sequence
from functools import cache
from os import urandom
from typing import Any, NamedTuple

import numpy as np
import orjson
from numpy.typing import NDArray
from pydantic_core import to_json

from feature_repo.table import Floats
from monitoring.prediction_log import NEW
from serving.answering.columns import (
    BETWEEN,
    COMMA,
    NULL,
    Lines,
    Written,
    label,
    lines,
    nested,
    objects,
    texts,
    weaving,
)
from serving.answering.features import Asked, Mask, Read
from serving.answering.scoring import Scored
from serving.schemas.replies import HIGH, LOW, measures, scores
from training.product import Product
from training.route import Outputs

NO_LABELS = "nothing to go by: no such outcome was recorded before the model was trained"
MODEL, RULE = b'"model"', b'"fallback"'
LATER = b"\t"
"""Stands for a row's factors: within JSON's texts there are no tabs."""


class Said(NamedTuple):
    """One answer: what it begins with, by name, its JSON, and the same without factors, which is logged.

    start: of what follows the head, in both.
    """

    head: Mapping[str, Any]
    json: bytes
    logged: bytes
    start: int

    @property
    def body(self) -> "Body":
        """What can be said again. It shares the answer's bytes, which the log holds too: to hold others took 3 us."""
        logged = None if self.logged is self.json else memoryview(self.logged)[self.start :]
        return Body(self.head, memoryview(self.json)[self.start :], logged)


class Body(NamedTuple):
    """An answer but for what is its own every time: its id, how long it took, and whether it was kept.

    head: what it begins with, as serving.schemas.replies.Head; rest: the JSON of what follows, to the last brace.
    logged: the same without factors, which can be computed again from the logged features; None where there are none.
    """

    head: Mapping[str, Any]
    rest: bytes | memoryview
    logged: bytes | memoryview | None = None

    @property
    def size(self) -> int:
        """Bytes that it holds, but for its head."""
        return len(self.rest) + len(self.logged or b"")

    def said(self, milliseconds: float, *, is_cached: bool = False) -> Said:
        """The whole answer, under a new id."""
        own = {"prediction_id": new_id(), "processing_ms": round(milliseconds, 3), "cached": is_cached}
        head = {**self.head, **own}
        begin = orjson.dumps(head, option=orjson.OPT_UTC_Z)[:-1]
        said = b"".join((begin, self.rest))
        return Said(head, said, said if self.logged is None else b"".join((begin, self.logged)), len(begin))


def new_id() -> str:
    """A UUID of version 7, by the millisecond and random within it: the next ones stand together in the log's index.

    Random as a whole, each was in a page of its own: beside 200,000 answers 135 kB were written for one more, not 97.
    In 1.4 us; by uuid.uuid4 it took 2.3, and in an answer three times as long.
    Source: RFC 9562, section 5.7.
    """
    drawn = f"{time.time_ns() // 1_000_000:012x}{urandom(10).hex()}"
    variant = "89ab"[int(drawn[16], 16) % 4]
    return f"{drawn[:8]}-{drawn[8:12]}-7{drawn[13:16]}-{variant}{drawn[17:20]}-{drawn[20:]}"


def head(product: Product, read: Read, scored: Scored, explanation: Any = None) -> dict[str, Any]:
    """What an answer begins with, but for what is its own."""
    champion = scored.champion
    return {
        "prediction_id": "",
        "product": product.name,
        "model": {
            "name": product.name if champion else product.fallback,
            "version": champion.version.number if champion else None,
        },
        "source": "model" if champion else "fallback",
        "reason": scored.reason,
        "processing_ms": 0.0,
        "cached": False,
        "as_of": read.snapshot.as_of if read.snapshot else None,
        "snapshot": read.snapshot.version if read.snapshot else None,
        "confidence": None,
        "explanation": explanation,
    }


def body(
    product: Product,
    head: Mapping[str, Any],
    asked: Asked,
    scored: Scored,
    rows: Sequence[int],
    factors: Mapping[int, bytes],
    extras: Mapping[str, Any],
) -> Body:
    """The whole answer, as serving.schemas.replies declares it. rows: those to answer with, in their order.

    factors: as JSON by row, of those that were explained. extras: of rows a list in the order of the answer.
    """
    chosen = np.asarray(rows, np.intp)
    outputs = {name: values[chosen] for name, values in scored.outputs.items()}
    is_sure = asked.route.items is not None or "confidence" in outputs
    confidence = _confidence(product, outputs) if is_sure else None
    columns = _keys(asked, rows) | _said(product, outputs)
    if confidence is not None:
        columns["confidence"] = confidence
    columns["factors"] = LATER if factors else NULL
    columns["source"] = _sources(scored.by_model, chosen)
    for extra in asked.route.extras:
        if extra.per_row:
            columns[extra.name] = nested(said) if (said := extras.get(extra.name)) else NULL
    if asked.route.items is None:
        columns["reasons"] = _reasons(product, outputs)
    elif confidence is not None and rows:
        head = {**head, "confidence": float(confidence[0])}
    rest = _rest(asked, objects(columns, len(rows)), extras)
    return _explained(head, rest, [factors.get(row, NULL) for row in rows]) if factors else Body(head, rest)


def _explained(head: Mapping[str, Any], rest: bytes, factors: Sequence[bytes]) -> Body:
    """With each row's factors where they are to stand."""
    before, *after = rest.split(LATER)
    pieces = [before, *(piece for pair in zip(factors, after, strict=True) for piece in pair)]
    return Body(head, b"".join(pieces), rest.replace(b"," + label("factors") + LATER, b""))


def _rest(asked: Asked, rows: bytes, extras: Mapping[str, Any]) -> bytes:
    """What follows the head: the subject of a ranking, the rows, and what is said of all of them together."""
    route = asked.route
    parts: list[bytes] = []
    if route.items:
        for entity in route.subject:
            parts += COMMA, label(entity.key), to_json(_stored(asked.subject.get(entity.key)))
    parts += COMMA, label(route.named or route.items.name if route.items else "estimates"), b"[", rows, b"]"
    for extra in route.extras:
        if not extra.per_row:
            parts += COMMA, label(extra.name), to_json(extras.get(extra.name), inf_nan_mode="null")
    return b"".join([*parts, b"}"])


def _keys(asked: Asked, rows: Sequence[int]) -> dict[str, Written]:
    """What each row is about; the rank of an item."""
    if asked.route.items is None:
        return {key: texts([_stored(names[row]) for row in rows]) for key, names in asked.ids.items()}
    key = asked.route.items.key
    names = asked.ids[key]
    return {key: texts([names[row] for row in rows]), "rank": _ranks(len(rows))}


@cache
def _ranks(count: int) -> Lines:
    return lines([b"%d" % place for place in range(1, count + 1)])


def _stored(name: str | None) -> str | None:
    return None if name == NEW else name


def _said(product: Product, outputs: Outputs) -> dict[str, Written | Floats]:
    """Scores as numbers and measures as intervals."""
    said: dict[str, Written | Floats] = {name: outputs[name] for name in scores(product)}
    return said | {name: _intervals(product, name, outputs) for name in measures(product)}


def _intervals(product: Product, name: str, outputs: Outputs) -> Written:
    """Null where nothing is expected."""
    is_known = np.isfinite(outputs[name]).tolist()
    columns: dict[str, Written | Floats] = {
        "expected": outputs[name],
        "low": outputs[name + LOW],
        "high": outputs[name + HIGH],
        "unit": to_json(product.units.get(name, "")),
    }
    found = objects(columns, len(is_known), BETWEEN).split(BETWEEN)
    return lines([each if known else NULL for known, each in zip(is_known, found, strict=False)])  # without rows [b""]


def _confidence(product: Product, outputs: Outputs) -> Floats:
    """What the model says of it, or what its members' scores say."""
    if "confidence" in outputs:
        return outputs["confidence"]
    members = np.array([values for name, values in outputs.items() if name.endswith("_score")])
    sure: Floats = np.empty(len(next(iter(outputs.values()))))
    weaving().agree(members.reshape(len(members), len(sure)), float(product.greatest_score), sure)
    return sure


def _sources(by_model: Mask, rows: NDArray[np.intp]) -> Written:
    if np.count_nonzero(by_model) == len(by_model):  # all() takes four times as long
        return MODEL
    return lines([MODEL if is_model else RULE for is_model in by_model[rows].tolist()])


def _reasons(product: Product, outputs: Outputs) -> Written:
    """Why a measure is null."""
    missing = {name: ~np.isfinite(outputs[name]) for name in measures(product)}
    rows = len(next(iter(outputs.values())))
    return nested([{name: NO_LABELS for name, is_missing in missing.items() if is_missing[row]} for row in range(rows)])
