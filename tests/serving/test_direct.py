"""Routes that are looked up instead of searched for: the same ones, with the same answers."""

from typing import Any

import pytest
from fastapi.testclient import TestClient
from starlette.routing import Match

from serving.access.border import Border
from serving.routes.api import application
from serving.routes.direct import Application
from tests.serving.conftest import Service, headers
from training.products import PRODUCTS

RANK = "/api/v1/recommendations/task-assignment"
GOOD = '{"task_id": "T60", "candidates": ["P1", "P2"], "explain": false}'


OWN = {"prediction_id", "processing_ms", "cached"}


def test_every_route_of_a_product_that_takes_a_body_at_a_fixed_path_is_looked_up() -> None:
    declared = {
        route.path
        for product in PRODUCTS.values()
        for route in product.routes
        if route.method == "POST" and "{" not in route.path
    }
    assert declared <= {path for _, path in application(PRODUCTS).direct}


def test_what_is_looked_up_is_what_would_have_been_found_first() -> None:
    app = application(PRODUCTS)
    for (method, path), route in app.direct.items():
        scope = {"type": "http", "method": method, "path": path}
        assert next(each for each in app.routes if each.matches(scope)[0] is Match.FULL) is route


@pytest.mark.parametrize(
    ("method", "path", "body", "media", "status"),
    [
        ("POST", RANK, GOOD, "application/json", 200),
        ("POST", f"{RANK}/batch", f'{{"requests": [{GOOD}]}}', "application/json", 200),
        ("POST", RANK, '{"task_id": 7}', "application/json", 422),
        ("POST", RANK, '{"task_id": "nowhere-1"}', "application/json", 404),
        ("POST", RANK, GOOD, "text/plain", 415),
        ("GET", RANK, "", "application/json", 405),
        ("POST", f"{RANK}/", GOOD, "application/json", 404),
        ("POST", RANK.upper(), GOOD, "application/json", 404),
    ],
)
def test_an_answer_is_the_same_as_by_fastapi_s_own_way(
    service: Service, method: str, path: str, body: str, media: str, status: int
) -> None:
    given = {"content-type": media, "x-request-id": "r-1"}
    fast, plain = asked(service), asked(service)
    plain.direct = {}
    found = [client(service, app).request(method, path, content=body, headers=given) for app in (fast, plain)]
    assert [each.status_code for each in found] == [status, status]
    assert found[0].headers.keys() == found[1].headers.keys()
    assert said(found[0].json()) == said(found[1].json())


def asked(service: Service) -> Application:
    """An application of one's own over what the service holds."""
    app = application(PRODUCTS)
    app.state.running = service.running
    return app


def client(service: Service, app: Application) -> TestClient:
    return TestClient(Border(app), headers=headers(service.running.settings))


def said(answer: Any) -> Any:
    """Without what no two answers have in common."""
    if isinstance(answer, list):
        return [said(each) for each in answer]
    if isinstance(answer, dict):
        return {name: said(each) for name, each in answer.items() if name not in OWN}
    return answer
