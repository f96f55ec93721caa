"""What the service refuses, and how it says so."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.serving.conftest import Service
from training.products import PRODUCTS

ROUTE = PRODUCTS["task_assignment"].route.path
JSON = {"content-type": "application/json"}


def sent(service: Service, body: str | bytes, **headers: str) -> Any:
    return service.http.post(ROUTE, content=body, headers=JSON | headers)


def fields(answer: Any) -> set[str]:
    return {error["field"] for error in answer.json()["errors"]}


def test_an_unknown_task_is_a_404_that_names_it(service: Service) -> None:
    answer = sent(service, '{"task_id": "T-none"}')
    assert (answer.status_code, answer.headers["content-type"]) == (404, "application/problem+json")
    assert "T-none" in answer.json()["detail"]


def test_a_task_known_only_after_the_snapshot_is_unknown(service: Service) -> None:
    assert sent(service, '{"task_id": "T69"}').status_code == 404


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ("{}", "body"),
        ('{"task_id": "T60", "task": {"priority": 1, "project_id": "J1", "estimate_hours": 1}}', "body"),
        ('{"task_id": "T60", "limit": 0}', "limit"),
        ('{"task_id": "T60", "limit": 101}', "limit"),
        ('{"task_id": "T60", "limit": "5"}', "limit"),
        ('{"task_id": "T60", "explain": 1}', "explain"),
        ('{"task_id": "T60", "candidates": []}', "candidates"),
        ('{"task_id": "T60", "candidates": ["P1", "P1"]}', "candidates"),
        ('{"task_id": "T60", "candidates": [null]}', "candidates.0"),
        ('{"task_id": "T60", "unheard_of": 1}', "unheard_of"),
        ('{"task_id": ""}', "task_id"),
        ('{"task_id": "T\\u0000"}', "task_id"),
        ('{"task_id": {"$gt": ""}}', "task_id"),
        ('{"task": {"priority": 11, "project_id": "J1", "estimate_hours": 1}}', "task.priority"),
        ('{"task": {"priority": 1, "project_id": "J1", "estimate_hours": NaN}}', "task.estimate_hours"),
        ('{"task": {"priority": 1, "project_id": "J1", "estimate_hours": Infinity}}', "task.estimate_hours"),
        ('{"task": {"priority": 1, "project_id": "J1", "estimate_hours": 1e999}}', "task.estimate_hours"),
        ('{"task": {"priority": 1, "project_id": "J1", "estimate_hours": 0}}', "task.estimate_hours"),
        ('{"task": {"priority": 1, "estimate_hours": 1}}', "task.project_id"),
        ("not json", "body"),
        ('"\\ud800"', "body"),
        ("[" * 10_000, "body"),
        ("[]", "body"),
    ],
)  # fmt: skip
def test_a_request_that_breaks_its_schema_is_a_422_that_names_the_field(
    service: Service, body: str, field: str
) -> None:
    answer = sent(service, body)
    assert answer.status_code == 422
    assert field in fields(answer)


def test_an_error_never_repeats_what_was_sent(service: Service) -> None:
    answer = sent(service, json.dumps({"task_id": "T60", "limit": "canary-7f3a"}))
    assert answer.status_code == 422
    assert "canary" not in answer.text


@pytest.mark.parametrize(
    ("body", "named"),
    [
        pytest.param({str(number): 1 for number in range(300)}, 100, id="more than are named"),
        pytest.param({str(number): 1 for number in range(80_000)}, 0, id="a megabyte of unknown fields"),
        pytest.param({"k" * 1_000_000: 1}, 1, id="an unknown field with a long name"),
    ],
)
def test_the_answer_to_nonsense_is_short(service: Service, body: dict[str, int], named: int) -> None:
    """A megabyte of unknown fields was answered with 5.6 MB that took half a second to make."""
    answer = sent(service, json.dumps(body))
    assert answer.status_code == 422
    assert len(answer.json().get("errors", [])) == named
    assert len(answer.content) < 20_000


@pytest.mark.parametrize("asked", ["go?horizon=3&horizon=2", "go?skill_id=python"])
def test_a_parameter_that_is_given_twice_is_a_422(service: Service, asked: str) -> None:
    """Nobody guesses which one counts, and one of the query does not go unread where the path has it."""
    answer = service.http.get(f"/api/v1/trends/forecast/{asked}")
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["message"] == "give it once"


def test_no_answer_sends_the_caller_to_the_host_that_it_named(service: Service) -> None:
    answer = service.http.post(f"{ROUTE}/", json={}, headers={"host": "evil.example"}, follow_redirects=False)
    assert (answer.status_code, answer.headers.get("location")) == (404, None)


@pytest.mark.parametrize(
    "body",
    [
        {"person_id": "P1"},
        {"task_id": "T60"},
        {"pairs": [{"person_id": "P1", "task_id": "T60"}], "person_id": "P1"},
        {"pairs": []},
        {"pairs": [{"person_id": "P1", "task_id": "T60"}] * 101},
        {"pairs": [{"person_id": "P1"}]},
    ],
)
def test_an_estimate_needs_either_pairs_or_one_person_and_one_task(service: Service, body: dict[str, Any]) -> None:
    assert service.http.post(PRODUCTS["task_performance"].route.path, json=body).status_code == 422


def test_a_body_over_a_megabyte_is_a_413(service: Service) -> None:
    answer = sent(service, b" " * 1_048_577)
    assert (answer.status_code, answer.json()["title"]) == (413, "Request Entity Too Large")


def test_a_body_over_a_megabyte_without_a_length_is_a_413(service: Service) -> None:
    chunks = (b" " * 100_000 for _ in range(11))
    assert service.http.post(ROUTE, content=chunks, headers=JSON).status_code == 413


@pytest.mark.parametrize(
    "headers",
    [
        {"content-type": "application/x-pickle"},
        {"content-type": "text/plain"},
        {"content-type": "application/json", "content-encoding": "gzip"},
    ],
)
def test_anything_but_plain_json_is_a_415(service: Service, headers: dict[str, str]) -> None:
    assert sent(service, b"\x80\x04.", **headers).status_code == 415


def test_an_unknown_path_and_a_wrong_method_are_problems_too(service: Service) -> None:
    for status, answer in ((404, service.http.get("/api/v1/none")), (405, service.http.get(ROUTE))):
        assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")


def test_a_request_id_is_echoed_in_the_header_and_in_problems(service: Service) -> None:
    answer = sent(service, "{}", **{"x-request-id": "order-17"})
    assert (answer.headers["x-request-id"], answer.json()["request_id"]) == ("order-17", "order-17")


@pytest.mark.parametrize("given", ["", "a b", "x" * 129, "ä", '"><script>'])
def test_a_request_id_that_could_do_harm_is_replaced(service: Service, given: str) -> None:
    answer = service.http.get("/api/v1/health", headers={"x-request-id": given.encode()})
    assert answer.headers["x-request-id"] != given
    assert len(answer.headers["x-request-id"]) == 32


def test_what_nobody_foresaw_is_a_500_without_details(home: Path, serve: Callable[[Path], Service]) -> None:
    broken = serve(home)
    object.__setattr__(broken.running.answers, "features", None)
    answer = sent(broken, '{"task_id": "T60"}')
    assert (answer.status_code, answer.json()["detail"]) == (500, "The service could not answer.")
    assert "Traceback" not in answer.text
