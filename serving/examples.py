"""What a request and an answer look like, derived from their schemas: for the pages of the products."""

from collections.abc import Mapping
from typing import Any

from serving.replies import Factor, Head, reply_model
from serving.schemas import camel, given_models, request_model
from training.product import Product
from training.route import Route

Json = Any
Schema = Mapping[str, Any]
SHARED = {"source", "factors"}
WORDS = {"string": "text", "number": "number", "integer": "whole number", "boolean": "true or false"}


def request_example(product: Product, route: Route, ids: Mapping[str, str]) -> dict[str, Json]:
    """The smallest request that is answered, with an option or two; ids: of the subject's keys."""
    schema = request_model(camel(product.name), route, given_models([route])).model_json_schema()
    named = [entity for entity in route.subject if entity.key in ids or entity.key not in route.optional]
    example: dict[str, Json] = {entity.key: ids.get(entity.key, f"{entity.name}-1") for entity in named}
    example |= {option.name: _option(schema["properties"][option.name]) for option in route.options}
    return {**example, "limit": 3} if route.items else example


def _option(schema: Schema) -> Json:
    """A value in the option's range: its middle, whole where it must be."""
    ranged = next((each for each in schema.get("anyOf", [schema]) if each.get("type") != "null"), schema)
    middle = (ranged.get("minimum", 0) + ranged.get("maximum", 1)) / 2
    return int(middle) if ranged.get("type") == "integer" else middle


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
