"""What is answered, as JSON: what every answer begins with, and its rows."""

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, NamedTuple, TypeAlias

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
from serving.answering.features import Asked, Mask
from serving.answering.heads import Head, new_id
from serving.answering.scoring import Scored
from serving.schemas.replies import HIGH, LOW, measures, scores
from training.product import Product
from training.route import Outputs, Route

NO_LABELS = "nothing to go by: no such outcome was recorded before the model was trained"
MODEL, RULE = b'"model"', b'"fallback"'
LATER = b"\t"
"""Stands for a row's factors: within JSON's texts there are no tabs."""
Pieces: TypeAlias = Sequence[bytes | memoryview]


class Said(NamedTuple):
    """One answer: its own, what it begins with, its JSON, and the same without factors, which is logged.

    start: of what follows the head, in both.
    """

    prediction_id: str
    milliseconds: float
    head: Head
    json: bytes
    logged: bytes
    start: int

    @property
    def size(self) -> int:
        """Bytes of its JSON."""
        return len(self.json) + (0 if self.logged is self.json else len(self.logged))

    @property
    def body(self) -> "Body":
        """What can be said again."""
        rest = [memoryview(self.json)[self.start :]]
        return Body(self.head, rest, rest if self.logged is self.json else [memoryview(self.logged)[self.start :]])


class Body(NamedTuple):
    """An answer but for what is its own every time: its id, how long it took, and whether it was kept.

    rest: the JSON of what follows the head, to the last brace, in pieces that are joined once.
    logged: the same without factors, which can be computed again from the logged features; `rest` where it has none.
    """

    head: Head
    rest: Pieces
    logged: Pieces

    def said(self, milliseconds: float, *, is_cached: bool = False) -> Said:
        """The whole answer, under a new id."""
        own, took = new_id(), round(milliseconds, 3)
        begin = self.head.told(own, took, is_cached)
        json = b"".join((begin, *self.rest))
        logged = json if self.logged is self.rest else b"".join((begin, *self.logged))
        return Said(own, took, self.head, json, logged, len(begin))


def body(
    product: Product,
    head: Head,
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
    is_ranking = asked.route.items is not None
    confidence = _confidence(product, outputs) if is_ranking or "confidence" in outputs else None
    columns = _keys(asked, rows) | _said(product, outputs)
    if confidence is not None:
        columns["confidence"] = confidence
    columns["factors"] = LATER if factors else NULL
    columns["source"] = _sources(scored.by_model, chosen)
    columns |= _more(product, asked.route, outputs, extras)
    said = objects(columns, len(rows))
    surest = float(confidence[0]) if is_ranking and confidence is not None and rows else None
    before, after = _around(asked, surest, extras)
    if not factors:
        pieces = [before, said, after]
        return Body(head, pieces, pieces)
    plain, explained = _explained(said, [factors.get(row, NULL) for row in rows])
    return Body(head, [before, *explained, after], [before, *plain, after])


def _more(product: Product, route: Route, outputs: Outputs, extras: Mapping[str, Any]) -> dict[str, Written]:
    """What is said of each row beside: by the route; of an estimate why a measure is null."""
    found: dict[str, Written] = {}
    for extra in route.extras:
        if extra.per_row:
            found[extra.name] = nested(said) if (said := extras.get(extra.name)) else NULL
    return found if route.items else found | {"reasons": _reasons(product, outputs)}


def _explained(rows: bytes, factors: Sequence[bytes]) -> tuple[list[bytes], list[bytes]]:
    """The rows without factors, and with them where they are to stand."""
    parts = rows.split(LATER)
    pieces = [b""] * (len(parts) + len(factors))
    pieces[::2], pieces[1::2] = parts, factors
    name = len(COMMA + label("factors"))
    return [*[part[:-name] for part in parts[:-1]], parts[-1]], pieces


def _around(asked: Asked, confidence: float | None, extras: Mapping[str, Any]) -> tuple[bytes, bytes]:
    """What stands before and after the rows: the subject of a ranking, and what is said of all of them together."""
    route = asked.route
    first: dict[str, Any] = {"confidence": confidence}
    if route.items:
        for entity in route.subject:
            first[entity.key] = _stored(route, entity.key, asked.subject.get(entity.key))
    name = label(route.named or route.items.name if route.items else "estimates")
    last = [
        COMMA + label(extra.name) + to_json(extras.get(extra.name), inf_nan_mode="null")
        for extra in route.extras
        if not extra.per_row
    ]
    return b",%b,%b[" % (orjson.dumps(first)[1:-1], name), b"]%b}" % b"".join(last)


def _keys(asked: Asked, rows: Sequence[int]) -> dict[str, Written]:
    """What each row is about; the rank of an item."""
    if asked.route.items is None:
        named = ((key, [_stored(asked.route, key, names[row]) for row in rows]) for key, names in asked.ids.items())
        return {key: texts(names) for key, names in named}
    key = asked.route.items.key
    names = asked.ids[key]
    return {key: texts([names[row] for row in rows]), "rank": _ranks(len(rows))}


@cache
def _ranks(count: int) -> Lines:
    return lines([b"%d" % place for place in range(1, count + 1)])


def _stored(route: Route, key: str, name: str | None) -> str | None:
    """None for what a request gives by its columns, which goes by NEW here; so may somebody be called."""
    is_new = name == NEW and route.given is not None and key == route.subject[-1].key
    return None if is_new else name


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
    members = [values for name, values in outputs.items() if name.endswith("_score")]
    rows = len(next(iter(outputs.values())))
    if not members:
        return np.full(rows, np.nan)
    sure = np.empty(rows)
    weaving().agree(np.array(members), float(product.greatest_score), sure)
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
