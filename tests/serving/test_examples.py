"""Examples on the products' pages: requests that the schema accepts, and answers in its own fields."""

import pytest

from serving.examples import answer_shape, head_shape, request_example
from serving.replies import Head
from serving.schemas import camel, given_models, request_model
from training.products import PRODUCTS

ROUTES = [(product, route) for product in PRODUCTS.values() for route in product.routes]


@pytest.mark.parametrize(("product", "route"), ROUTES, ids=[route.path for _, route in ROUTES])
def test_the_example_is_a_request_that_the_route_takes(product, route):
    schema = request_model(camel(product.name), route, given_models([route]))
    schema.model_validate(request_example(product, route, {}))


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
