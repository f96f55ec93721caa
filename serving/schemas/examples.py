"""What requests, answers and problems look like, derived from their schemas: for the OpenAPI document and the pages."""

import math
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from pydantic import BaseModel

from serving.schemas.replies import Factor, Head, reply_model
from serving.schemas.requests import camel, given_models, request_model
from training.product import Product
from training.route import Route

Json = Any
Schema = Mapping[str, Any]
SHARED = {"source", "factors"}
INSTANT = "2026-01-05T02:00:00Z"
KNOWN: Mapping[str, Json] = {
    "prediction_id": "0b7f3f0e-9c1e-4c57-b7a5-6a1a2f6f3f1c",
    "request_id": "5d0f6c0e8a9b4f6d9a3e2b1c7f8e9d0a",
    "column": "task.estimate_hours",
    "sentence": "This raises the score.",
    "unit": "h",
    "cached": False,
    "low": 2.0,
    "expected": 6.5,
    "high": 14.0,
}
"""Values of fields that mean the same wherever they stand."""
WORDS = {"string": "text", "number": "number", "integer": "whole number", "boolean": "true or false"}


def request_example(product: Product, route: Route, ids: Mapping[str, str]) -> dict[str, Json]:
    """The smallest request that is answered, with an option or two; ids: of the subject's keys."""
    schema = request_model(camel(product.name), route, given_models([route])).model_json_schema()
    named = [entity for entity in route.subject if entity.key in ids or entity.key not in route.optional]
    example: dict[str, Json] = {entity.key: ids.get(entity.key, f"{entity.name}-1") for entity in named}
    example |= {option.name: _option(schema["properties"][option.name]) for option in route.options}
    return {**example, "limit": 3} if route.items else example


def request_examples(product: Product, route: Route) -> dict[str, dict[str, Json]]:
    """Requests that the route takes, by name, as an OpenAPI document holds them: the smallest, and what else may be."""
    smallest = request_example(product, route, {})
    found = {"stored": _named("About what is stored", smallest)}
    if route.named and route.items:
        items = [f"{route.items.name}-{number}" for number in (1, 2)]
        found["named"] = _named(f"Only these {route.named}", {**smallest, route.named: items})
    if route.given:
        last, thing = route.subject[-1].key, route.given.name
        given = example_of(given_models([route])[thing])
        rest = {name: value for name, value in smallest.items() if name != last}
        found["given"] = _named(f"About a {thing} that is not stored yet", {**rest, thing: given})
    if route.items is None and len(route.subject) > 1:
        keys = {entity.key: smallest[entity.key] for entity in route.subject}
        found["pairs"] = _named("Many at once", {"pairs": [keys]})
    return found


def _named(summary: str, value: Json) -> dict[str, Json]:
    return {"summary": summary, "value": value}


def answer_example(product: Product, route: Route) -> dict[str, Json]:
    """An answer of the route's model, with one row."""
    said = example_of(reply_model(camel(product.name), product, route))
    return {**said, "product": product.name, "model": {"name": product.name, "version": 3}, "reason": None}


def problem_example(status: int, detail: str) -> dict[str, Json]:
    """A problem answer."""
    errors = {"errors": [{"field": "limit", "message": "Input should be less than or equal to 100"}]}
    said = {"type": "about:blank", "title": HTTPStatus(status).phrase, "status": status, "detail": detail}
    return {**said, "request_id": KNOWN["request_id"], **(errors if status == HTTPStatus.UNPROCESSABLE_ENTITY else {})}


def example_of(model: type[BaseModel]) -> Json:
    """A value of every field of a model, within its range; of what may be null too."""
    schema = model.model_json_schema()
    return _example("", schema, schema.get("$defs", {}))


def _example(name: str, schema: Schema, known: Mapping[str, Schema]) -> Json:
    if "$ref" in schema:
        return _example(name, known[schema["$ref"].rsplit("/", 1)[-1]], known)
    if "anyOf" in schema:
        return _example(name, next(each for each in schema["anyOf"] if each.get("type") != "null"), known)
    if "enum" in schema or "const" in schema:
        return schema.get("enum", [schema.get("const")])[0]
    if schema.get("type") == "object":
        return {key: _example(key, each, known) for key, each in schema.get("properties", {}).items()}
    if schema.get("type") == "array":
        return [_example(name.removesuffix("s"), schema.get("items", {}), known)]
    return KNOWN.get(name, _plain_example(name, schema))


def _plain_example(name: str, schema: Schema) -> Json:
    kind = schema.get("type")
    if kind == "boolean":
        return True
    if kind in ("number", "integer"):
        return _middle(schema)
    if schema.get("format") == "date-time":
        return INSTANT
    return f"{name.removesuffix('_id')}-1" if name.endswith("_id") else name.replace("_", " ")


def _option(schema: Schema) -> Json:
    """A value in the option's range: its middle, whole where it must be."""
    return _middle(next((each for each in schema.get("anyOf", [schema]) if each.get("type") != "null"), schema))


def _middle(ranged: Schema) -> Json:
    least = ranged.get("minimum", 0)
    middle = (least + ranged.get("maximum", least + 1)) / 2
    return math.ceil(middle) if ranged.get("type") == "integer" else middle


def answer_shape(product: Product, route: Route) -> dict[str, Json]:
    """The answer's own fields, each with its kind in words; those that every answer and row has are left out."""
    schema = reply_model(camel(product.name), product, route).model_json_schema()
    whole = _shape(schema, schema.get("$defs", {}))
    rows = route.named or (route.items.name if route.items else "estimates")
    own = {name: shape for name, shape in whole.items() if name not in Head.model_fields}
    return {**own, rows: [{name: shape for name, shape in own[rows][0].items() if name not in SHARED}]}


def head_shape() -> dict[str, Json]:
    """The fields that every answer begins with, and a factor of a row."""
    schema = Head.model_json_schema()
    factor = Factor.model_json_schema()
    return {**_shape(schema, schema.get("$defs", {})), "... factors": [_shape(factor, {})]}


def _shape(schema: Schema, known: Mapping[str, Schema]) -> Json:
    if "$ref" in schema:
        return _shape(known[schema["$ref"].rsplit("/", 1)[-1]], known)
    if "anyOf" in schema:
        kinds = [_shape(each, known) for each in schema["anyOf"] if each.get("type") != "null"]
        is_text = len(kinds) == 1 and isinstance(kinds[0], str) and len(kinds) < len(schema["anyOf"])
        return f"{kinds[0]} or null" if is_text else kinds[0]
    if "enum" in schema:
        return " | ".join(map(str, schema["enum"]))
    if schema.get("type") == "object" and "properties" in schema:
        return {name: _shape(each, known) for name, each in schema["properties"].items()}
    if schema.get("type") == "array":
        return [_shape(schema.get("items", {}), known)]
    return _word(schema)


def _word(schema: Schema) -> str:
    kind: str = schema.get("type", "any value")
    word = WORDS.get(kind, kind)
    if {"minimum", "maximum"} <= set(schema):
        return f"{word}, {schema['minimum']:g} to {schema['maximum']:g}"
    return "instant" if schema.get("format") == "date-time" else word
