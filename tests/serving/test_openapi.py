"""The OpenAPI document says all of it: every path, its request, its answer, its parameters."""

from typing import Any

import jsonschema
import pytest

from serving.routes.api import schema_name
from tests.serving.conftest import Service
from tests.serving.questions import ASKED, Asking

every_route = pytest.mark.parametrize("asked", ASKED, ids=str)


@pytest.fixture(scope="module")
def document(service: Service) -> dict[str, Any]:
    """The document as it is served."""
    found: dict[str, Any] = service.http.get("/openapi.json").json()
    return found


def refs(node: Any) -> set[str]:
    """Every schema that is referred to."""
    if isinstance(node, list):
        return set().union(*map(refs, node))
    if isinstance(node, dict):
        own = {node["$ref"]} if isinstance(node.get("$ref"), str) else set()
        return own.union(*map(refs, node.values()))
    return set()


def test_every_schema_that_is_referred_to_is_there(document: dict[str, Any]) -> None:
    named = {f"#/components/schemas/{name}" for name in document["components"]["schemas"]}
    assert refs(document) <= named


def test_every_operation_has_an_id_of_its_own(document: dict[str, Any]) -> None:
    ids = [operation["operationId"] for path in document["paths"].values() for operation in path.values()]
    assert len(ids) == len(set(ids))


@every_route
def test_a_route_has_its_request_its_answer_and_its_problems(document: dict[str, Any], asked: Asking) -> None:
    operation = document["paths"][asked.route.path][asked.route.method.lower()]
    name = schema_name(asked.product, asked.route)
    assert {"200", "404", "413", "415", "422"} <= set(operation["responses"])
    assert refs(operation["responses"]["200"]) == {f"#/components/schemas/{name}Answer"}
    assert refs(operation["responses"]["422"]) == {"#/components/schemas/ProblemAnswer"}
    if asked.route.method == "POST":
        assert operation["requestBody"]["required"]
        assert refs(operation["requestBody"]) == {f"#/components/schemas/{name}Request"}


@every_route
def test_a_route_that_is_posted_to_has_a_batch_form(document: dict[str, Any], asked: Asking) -> None:
    batch = document["paths"].get(asked.route.batch_path)
    assert (batch is not None) == (asked.route.method == "POST")


@every_route
def test_options_and_extras_are_described(document: dict[str, Any], asked: Asking) -> None:
    schemas, name = document["components"]["schemas"], schema_name(asked.product, asked.route)
    answer = schemas[f"{name}Answer"]["properties"]
    row = schemas[f"{name}{'Item' if asked.route.items else 'Estimate'}"]["properties"]
    for extra in asked.route.extras:
        assert (row if extra.per_row else answer)[extra.name]["description"] == extra.description
    if asked.route.method == "POST":
        request = schemas[f"{name}Request"]["properties"]
        assert all(option.description in request[option.name]["description"] for option in asked.route.options)


def test_the_parameters_of_a_query_have_their_ranges(document: dict[str, Any]) -> None:
    operation = document["paths"]["/api/v1/trends/forecast/{skill_id}"]["get"]
    found = {parameter["name"]: parameter for parameter in operation["parameters"]}
    assert {name: (each["in"], each["required"]) for name, each in found.items()} == {
        "skill_id": ("path", True),
        "horizon": ("query", False),
        "explain": ("query", False),
    }
    [whole, null] = found["horizon"]["schema"]["anyOf"]
    assert (whole["minimum"], whole["maximum"], null) == (1, 12, {"type": "null"})


def test_columns_that_may_be_given_have_ranges_and_units(document: dict[str, Any]) -> None:
    task = document["components"]["schemas"]["Task"]["properties"]
    assert (task["priority"]["minimum"], task["priority"]["maximum"]) == (1, 10)
    assert "Unit: h." in task["estimate_hours"]["description"]


ASSIGNMENT, PERFORMANCE = "recommendations/task-assignment", "recommendations/task-performance"
TASK = {"priority": 1, "project_id": "J1", "estimate_hours": 1.0}
PAIR = {"person_id": "P1", "task_id": "T60"}


@pytest.mark.parametrize(
    ("path", "body", "is_allowed"),
    [
        (ASSIGNMENT, {"task_id": "T60"}, True),
        (ASSIGNMENT, {"task": TASK}, True),
        (ASSIGNMENT, {"task_id": "T60", "task": None}, True),
        (ASSIGNMENT, {"task_id": "T60", "task": TASK}, False),
        (ASSIGNMENT, {"task_id": None}, False),
        (ASSIGNMENT, {}, False),
        (ASSIGNMENT, {"task_id": "T60", "candidates": ["P1", "P2"]}, True),
        (ASSIGNMENT, {"task_id": "T60", "candidates": ["P1", "P1"]}, False),
        (f"{ASSIGNMENT}/batch", {"requests": [{}]}, False),
        (PERFORMANCE, PAIR, True),
        (PERFORMANCE, {"person_id": "P1", "task": TASK}, True),
        (PERFORMANCE, {"pairs": [PAIR]}, True),
        (PERFORMANCE, {"pairs": [PAIR, PAIR]}, True),
        (PERFORMANCE, {"person_id": "P1"}, False),
        (PERFORMANCE, {"person_id": "P1", "pairs": [PAIR]}, False),
        (PERFORMANCE, {**PAIR, "task": TASK}, False),
        (PERFORMANCE, {"pairs": [{"person_id": "P1"}]}, False),
    ],
)
def test_a_body_is_taken_where_the_document_allows_it_and_only_there(
    service: Service, document: dict[str, Any], path: str, body: dict[str, Any], is_allowed: bool
) -> None:
    asked = document["paths"][f"/api/v1/{path}"]["post"]["requestBody"]["content"]["application/json"]["schema"]
    says = jsonschema.Draft202012Validator({**asked, "components": document["components"]})
    assert says.is_valid(body) == is_allowed
    assert service.http.post(f"/api/v1/{path}", json=body).status_code == (200 if is_allowed else 422)
