"""The OpenAPI document holds what a caller needs: valid examples, who may ask, and every answer there may be."""

from copy import deepcopy
from inspect import iscoroutinefunction
from typing import Any

import jsonschema
import pytest
from fastapi.routing import APIRoute

from serving.access.border import ALWAYS, PUBLIC
from serving.routes import docs
from serving.routes.api import application
from serving.routes.document import finished
from training.products import PRODUCTS

Json = dict[str, Any]
PRODUCT_PATHS = [
    path
    for product in PRODUCTS.values()
    for route in product.routes
    for path in (route.path, *([route.batch_path] if route.method == "POST" else []))
]


@pytest.fixture(scope="module")
def document() -> Json:
    return finished(application(PRODUCTS).openapi(), PRODUCTS)


def operations(document: Json) -> list[tuple[str, Json]]:
    return [(path, operation) for path, methods in document["paths"].items() for operation in methods.values()]


def examples(media: Json) -> list[Any]:
    """All that a media type object shows."""
    return [
        *([media["example"]] if "example" in media else []),
        *(e["value"] for e in media.get("examples", {}).values()),
    ]


def check(document: Json, media: Json) -> int:
    """How many examples there are; each keeps to the schema."""
    schema = {**media["schema"], "components": document["components"]}
    for example in examples(media):
        jsonschema.Draft202012Validator(schema, format_checker=jsonschema.FormatChecker()).validate(example)
    return len(examples(media))


def test_every_example_keeps_to_its_schema(document: Json) -> None:
    for _, operation in operations(document):
        contents = [operation.get("requestBody", {}), *operation["responses"].values()]
        for media in (media for each in contents for media in each.get("content", {}).values()):
            if "schema" in media:
                check(document, media)


@pytest.mark.parametrize("path", PRODUCT_PATHS)
def test_a_product_s_routes_show_a_request_an_answer_and_each_problem(document: Json, path: str) -> None:
    for method, operation in document["paths"][path].items():
        if method == "post":
            assert check(document, operation["requestBody"]["content"]["application/json"]) >= 1
        else:
            assert "example" in next(each for each in operation["parameters"] if each["required"])
        assert check(document, operation["responses"]["200"]["content"]["application/json"]) == 1
        refused = {status: each for status, each in operation["responses"].items() if int(status) >= 400}
        assert {"401", "403", "404", "408", "413", "415", "422", "429", "503"} <= set(refused)
        for each in refused.values():
            assert list(each["content"]) == ["application/problem+json"]
            assert check(document, each["content"]["application/problem+json"]) == 1


def test_a_task_may_be_given_by_its_columns_and_pairs_all_at_once(document: Json) -> None:
    path = document["paths"]["/api/v1/recommendations/task-performance"]["post"]
    shown = path["requestBody"]["content"]["application/json"]["examples"]
    assert set(shown) == {"stored", "given", "pairs"}
    assert shown["stored"]["value"] == {"person_id": "person-1", "task_id": "task-1"}
    assert shown["pairs"]["value"] == {"pairs": [{"person_id": "person-1", "task_id": "task-1"}]}
    assert {"person_id", "task"} == set(shown["given"]["value"])


def test_a_token_is_needed_everywhere_but_where_it_is_public(document: Json) -> None:
    assert document["security"] == [{"token": []}]
    scheme = document["components"]["securitySchemes"]["token"]
    assert (scheme["type"], scheme["scheme"], scheme["bearerFormat"]) == ("http", "bearer", "JWT")
    for path, operation in operations(document):
        assert operation.get("security") == ([] if path in PUBLIC else None)
        assert ("401" in operation["responses"]) == (path not in PUBLIC)
        assert ("503" in operation["responses"]) == (path not in ALWAYS)


def test_every_operation_has_a_short_name_and_is_in_one_group_that_says_what_it_is_for(document: Json) -> None:
    groups = {group["name"]: group["description"] for group in document["tags"]}
    assert groups["Learning"] == "What to learn next, and in which order. Asked by the person who learns."
    named = {path: (operation["operationId"], operation["tags"]) for path, operation in operations(document)}
    assert all(name.isidentifier() and len(tags) == 1 and tags[0] in groups for name, tags in named.values())
    assert named["/api/v1/skill-gaps/predict/batch"] == ("SkillGapsPredictBatch", ["Skill gaps"])
    assert named["/api/v1/models/retrain"] == ("retrain_models", ["Models"])


def test_every_answer_has_a_request_id_and_says_when_to_ask_again_where_that_helps(document: Json) -> None:
    for _, operation in operations(document):
        for status, answer in operation["responses"].items():
            asked_again = {"Retry-After"} if status in ("429", "503") else set()
            assert set(answer["headers"]) == {"X-Request-ID", *asked_again}


def test_every_success_says_what_it_holds(document: Json) -> None:
    for _, operation in operations(document):
        assert all(answer["content"] for status, answer in operation["responses"].items() if int(status) < 400)


def test_the_document_is_made_in_a_thread_as_anybody_may_ask_for_it() -> None:
    (route,) = [each for each in application(PRODUCTS).routes if getattr(each, "path", "") == docs.DOCUMENT]
    assert isinstance(route, APIRoute)
    assert not iscoroutinefunction(route.endpoint)


def test_the_document_that_was_derived_is_left_as_it_was() -> None:
    derived = application(PRODUCTS).openapi()
    before = deepcopy(derived)
    finished(derived, PRODUCTS)
    assert derived == before
