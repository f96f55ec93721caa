"""The two forms of questions and answers: items ranked for a subject, and measures estimated for subjects."""

import math
import statistics
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import polars as pl

from monitoring.prediction_log import NEW
from serving.features import Asked, Published, Read
from serving.problems import ProblemError
from serving.replies import HIGH, LOW, measures, scores
from serving.schemas import pairs_of
from serving.scoring import Scored
from training.product import Product
from training.route import Route, Rows

NO_LABELS = "nothing to go by: no such outcome was recorded before the model was trained"
Outputs = Mapping[str, float | None]


def asked(route: Route, request: Any, published: Published | None) -> Asked:
    """The rows that a request is about.

    Raises ProblemError 404 for a subject that is not stored, where its columns might have been given.
    """
    subjects = [request] if route.items else pairs_of(request)
    _check_stored(route, subjects, published)
    keys = [{entity.key: _id(route, each, entity.key) for entity in route.subject} for each in subjects]
    given = [_thing(route, each) for each in subjects]
    if route.items is None:
        return Asked(route, _spine(route, keys, request), given, {})
    subject = {key: name for key, name in keys[0].items() if name is not None}
    named = getattr(request, route.named, None) if route.named else None
    items = named if named is not None else (published.candidates(route.path, subject) if published else ())
    spine = _spine(route, [{route.items.key: item, **keys[0]} for item in items], request)
    return Asked(route, spine, given * len(items), subject)


def _spine(route: Route, rows: Sequence[Mapping[str, str | None]], request: Any) -> pl.DataFrame:
    """The keys of each row, and the options that the model reads."""
    keys = pl.DataFrame({key: [row[key] for row in rows] for key in route.keys}, dict.fromkeys(route.keys, pl.String))
    given = {name: getattr(request, name, None) for name in route.inputs}
    read = {name: route.inputs[name] if value is None else value for name, value in given.items()}
    return keys.with_columns(pl.lit(value, dtype=pl.Float64).alias(name) for name, value in read.items())


def _thing(route: Route, request: Any) -> Mapping[str, Any] | None:
    found = getattr(request, route.given.name) if route.given else None
    return None if found is None else found.model_dump()


def _id(route: Route, request: Any, key: str) -> str | None:
    is_given = route.given is not None and key == route.subject[-1].key and _thing(route, request) is not None
    found: str | None = NEW if is_given else getattr(request, key)
    return found


def _check_stored(route: Route, subjects: Sequence[Any], published: Published | None) -> None:
    """What could have been given by its columns must be stored where it is not."""
    if route.given is None or published is None:
        return
    last = route.subject[-1]
    named = [name for each in subjects if (name := getattr(each, last.key)) is not None]
    unknown = [name for name in named if not published.knows(last, name)]
    if unknown:
        hint = f"Give an id that is stored, or the {last.name}'s columns as `{route.given.name}`."
        raise ProblemError(404, f"No such {last.name}: {unknown[0]}. {hint}")


def options(route: Route, request: Any) -> dict[str, Any]:
    """The route's own fields of a request."""
    return {option.name: getattr(request, option.name) for option in route.options}


def shown(request: Any, read: Read, scored: Scored) -> list[int]:
    """The rows to answer with, in the order of the answer."""
    asked, route = read.asked, read.asked.route
    if route.items is None:
        return list(range(asked.spine.height))
    items = asked.spine[route.items.key].to_list()
    chosen = options(route, request)
    rows = Rows(items, scored.outputs, read.features, scored.by_model, chosen, request.limit)
    return [int(row) for row in route.order(rows)]


def reply(
    product: Product,
    head: dict[str, Any],
    asked: Asked,
    scored: Scored,
    rows: Sequence[int],
    factors: Mapping[int, Any],
    extras: Mapping[str, Any],
) -> dict[str, Any]:
    """The whole answer, as serving.replies declares it. extras: of rows a list in the order of the answer."""
    route, chosen = asked.route, list(rows)
    keys = asked.spine[chosen].select(pl.col(route.keys).replace(NEW, None)).to_dicts()
    sources = np.where(scored.by_model[chosen], "model", "fallback").tolist()
    outputs = [_plain(values) for values in scored.outputs[chosen].iter_rows(named=True)]
    said = [
        {"source": source, **_said(product, route, values), "factors": factors.get(row)}
        for row, source, values in zip(chosen, sources, outputs, strict=True)
    ]
    for extra in route.extras:
        if extra.per_row:
            found = extras.get(extra.name) or [None] * len(chosen)
            said = [{**row, extra.name: value} for row, value in zip(said, found, strict=True)]
    whole = {extra.name: extras.get(extra.name) for extra in route.extras if not extra.per_row}
    if route.items is None:
        rows_said = [{**key, **row, "reasons": _reasons(product, row)} for key, row in zip(keys, said, strict=True)]
        return {**head, "estimates": rows_said, **whole}
    return _ranking(
        route, head, asked, [(key[route.items.key], row) for key, row in zip(keys, said, strict=True)], whole
    )


def _plain(values: dict[str, float]) -> dict[str, float | None]:
    return {name: value if math.isfinite(value) else None for name, value in values.items()}


def _said(product: Product, route: Route, outputs: Outputs) -> dict[str, Any]:
    """Scores as numbers, measures as intervals, and how sure the model is of a ranked item."""
    said: dict[str, Any] = {name: outputs[name] for name in scores(product)}
    said |= {name: _interval(product, name, outputs) for name in measures(product)}
    is_sure = route.items is not None or "confidence" in outputs
    return {**said, "confidence": _confidence(product, outputs)} if is_sure else said


def _confidence(product: Product, outputs: Outputs) -> float | None:
    """What the model says of it, or 1 - min(2 * variance of the members' scores, .5); None without two members.

    Source: REQUIREMENTS 3.
    """
    if "confidence" in outputs:
        return outputs["confidence"]
    most = product.greatest_score
    members = [value / most for name, value in outputs.items() if name.endswith("_score") and value is not None]
    return 1 - min(2 * statistics.pvariance(members), 0.5) if len(members) > 1 else None


def _interval(product: Product, name: str, outputs: Outputs) -> dict[str, Any] | None:
    if outputs[name] is None:
        return None
    unit = product.units.get(name, "")
    return {"expected": outputs[name], "low": outputs[name + LOW], "high": outputs[name + HIGH], "unit": unit}


def _reasons(product: Product, row: Mapping[str, Any]) -> dict[str, str]:
    return {name: NO_LABELS for name in measures(product) if row[name] is None}


def _ranking(
    route: Route, head: dict[str, Any], asked: Asked, rows: Sequence[tuple[str, dict[str, Any]]], whole: dict[str, Any]
) -> dict[str, Any]:
    assert route.items is not None
    items = [{route.items.key: item, "rank": rank, **row} for rank, (item, row) in enumerate(rows, start=1)]
    confidence = items[0]["confidence"] if items else None
    subject = {entity.key: asked.subject.get(entity.key) for entity in route.subject}
    subject = {key: None if name == NEW else name for key, name in subject.items()}
    return {**head, "confidence": confidence, **subject, route.named or route.items.name: items, **whole}


def without_factors(reply: Mapping[str, Any]) -> dict[str, Any]:
    """An answer without what can be computed again from the logged features."""
    return {
        name: [{key: value for key, value in row.items() if key != "factors"} for row in said]
        if isinstance(said, list) and said and isinstance(said[0], dict) and "factors" in said[0]
        else said
        for name, said in reply.items()
    }
