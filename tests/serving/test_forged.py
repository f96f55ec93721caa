"""Forged tokens at the service's own door: 401, a problem answer, and no model is asked. FAULTS.md row 19."""

from collections.abc import Iterator
from copy import copy

import pytest
from fastapi.testclient import TestClient

from serving.access.border import Border
from serving.routes.api import application
from tests.serving.conftest import Service
from tests.serving.forged import FORGERIES, Forgery, by_secret, signed
from tests.serving.questions import asking
from training.products import PRODUCTS

QUESTION = asking("/api/v1/recommendations/task-assignment")


@pytest.fixture(scope="module")
def door(service: Service) -> Iterator[TestClient]:
    """The application behind the border, over what the session's service holds."""
    app = application(PRODUCTS)
    app.state.running = copy(service.running)
    app.state.running.tokens = by_secret()
    with TestClient(Border(app)) as http:
        yield http


def answered(service: Service) -> float:
    """How many answers the champions and the rules have given."""
    found = service.running.metrics.given()
    return sum(count for by_source in found.values() for count in by_source.values())


def sent(door: TestClient, header: str | None, body: object = QUESTION.body) -> tuple[int, str, str]:
    """Status, text and challenge of the response."""
    headers = {} if header is None else {"Authorization": header.encode("latin-1")}
    found = door.post(QUESTION.route.path, json=body, headers=headers)  # type: ignore[arg-type]
    return found.status_code, found.text, found.headers.get("www-authenticate", "")


def test_a_good_token_is_answered_and_counted(service: Service, door: TestClient) -> None:
    before = answered(service)
    assert sent(door, f"Bearer {signed()}")[0] == 200
    assert answered(service) == before + 1


@pytest.mark.parametrize("forgery", FORGERIES, ids=str)
def test_a_forged_token_gets_a_401_and_nothing_is_computed(
    service: Service, door: TestClient, forgery: Forgery
) -> None:
    before = answered(service)
    status, text, challenge = sent(door, forgery.header())
    assert status == 401
    assert forgery.said in text
    assert '"title":"Unauthorized"' in text
    assert challenge.startswith('Bearer realm="talentml"')
    assert answered(service) == before


def test_who_is_unknown_learns_nothing_about_routes_or_requests(door: TestClient) -> None:
    missing = sent(door, None)
    assert missing[0] == 401
    assert sent(door, None, {"no": "such field"})[0] == 401
    for path in ("/api/v1/models/status", "/metrics", "/no/such/path", "/api/v1/health/../models/status", "//api"):
        assert door.get(path).status_code == 401, path
    assert door.get("/api/v1/health").status_code == 200
