"""Examples for the pages and the OpenAPI document: requests that are taken, answers that keep to the schema."""

import pytest
from pydantic_core import to_json

from serving.schemas.examples import (
    answer_example,
    answer_shape,
    example_of,
    head_shape,
    request_example,
    request_examples,
)
from serving.schemas.replies import Head, Health, Status, reply_model
from serving.schemas.requests import camel, given_models, request_model
from training.products import PRODUCTS

ROUTES = [(product, route) for product in PRODUCTS.values() for route in product.routes]


@pytest.mark.parametrize(("product", "route"), ROUTES, ids=[route.path for _, route in ROUTES])
def test_the_example_is_a_request_that_the_route_takes(product, route):
    schema = request_model(camel(product.name), route, given_models([route]))
    schema.model_validate(request_example(product, route, {}))


@pytest.mark.parametrize(("product", "route"), ROUTES, ids=[route.path for _, route in ROUTES])
def test_each_way_to_ask_is_a_request_that_the_route_takes(product, route):
    schema = request_model(camel(product.name), route, given_models([route]))
    shown = request_examples(product, route)
    assert {"stored", *(["named"] if route.named else []), *(["given"] if route.given else [])} <= set(shown)
    for each in shown.values():
        schema.model_validate_json(to_json(each["value"]))


@pytest.mark.parametrize(("product", "route"), ROUTES, ids=[route.path for _, route in ROUTES])
def test_the_answer_is_one_that_the_route_gives(product, route):
    answer = answer_example(product, route)
    reply_model(product.name, product, route).model_validate_json(to_json(answer))
    assert (answer["source"], answer["product"], answer["model"]["name"]) == ("model", product.name, product.name)


@pytest.mark.parametrize("model", [Health, Status])
def test_what_the_service_says_of_itself_has_an_example(model):
    model.model_validate_json(to_json(example_of(model)))


@pytest.mark.parametrize(("product", "route"), ROUTES, ids=[route.path for _, route in ROUTES])
def test_the_answer_names_every_output_and_extra_and_nothing_that_all_answers_have(product, route):
    shape = answer_shape(product, route)
    (row,) = shape[route.named or (route.items.name if route.items else "estimates")]
    outputs = {name for name in product.outputs if not name.endswith(("_low", "_high")) and name != "confidence"}
    assert outputs | {extra.name for extra in route.extras if extra.per_row} <= set(row)
    assert {extra.name for extra in route.extras if not extra.per_row} <= set(shape)
    assert not set(shape) & set(Head.model_fields)


def test_ranges_and_nulls_are_said_in_words():
    shape = answer_shape(PRODUCTS["talent_job_match"], PRODUCTS["talent_job_match"].route)
    assert shape["jobs"][0]["score"] == "number, 0 to 100 or null"


def test_what_every_answer_begins_with_is_the_head_of_the_replies():
    assert set(Head.model_fields) <= set(head_shape())
    assert head_shape()["source"] == "model | fallback"
