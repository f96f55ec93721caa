"""Who gets through the border, in which order it looks, and that nothing slips past it."""

import asyncio
import json
from collections.abc import Callable
from copy import copy
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI, Request
from fastapi.testclient import TestClient

from serving.access.auth import Role, Tokens, issue
from serving.access.border import PUBLIC, Border
from serving.access.rates import Limiter
from serving.limits import LIMITS, Limits
from serving.routes.api import application
from tests.serving.conftest import Service
from tests.serving.forged import SECRET, settings
from training.products import PRODUCTS

PERFORMANCE = "/api/v1/recommendations/task-performance"
BODY = {"person_id": "P1", "task_id": "T60"}

Guarded = Callable[..., "Ours"]


class Ours:
    """The application behind a border of its own, with a few more routes."""

    def __init__(self, service: Service, home: Path, rate: str = "100/hour", limits: Limits = LIMITS) -> None:
        self.settings = settings(home, jwt_secret=SECRET, rate_limit=rate)
        self.app = application(PRODUCTS)
        self.app.state.running = copy(service.running)
        self.app.state.running.tokens = Tokens.of(self.settings)
        self.app.state.running.limiter = Limiter.of(self.settings)
        _add_routes(self.app)
        self.border = Border(self.app, limits)
        self.http = TestClient(self.border)

    def token(self, subject: str = "billing") -> dict[str, str]:
        """The headers of a subject."""
        token = issue(self.settings, subject, Role.SERVICE, timedelta(minutes=5))
        return {"Authorization": f"Bearer {token}"}

    def ask(self, subject: str = "billing", path: str = PERFORMANCE, **headers: str) -> Any:
        return self.http.post(path, json=BODY, headers={**self.token(subject), **headers})


def _add_routes(app: FastAPI) -> None:
    async def slow() -> None:
        await asyncio.sleep(60)

    async def who(request: Request) -> dict[str, str]:
        return {"subject": request.state.caller.subject, "role": request.state.caller.role}

    app.add_api_route("/slow", slow)
    app.add_api_route("/who", who)


@pytest.fixture
def guarded(service: Service, tmp_path: Path) -> Guarded:
    """Builds a border of one's own before the service."""

    def build(**given: Any) -> Ours:
        return Ours(service, tmp_path, **given)

    return build


def test_nothing_but_what_is_public_is_answered_without_a_token(guarded: Guarded) -> None:
    ours = guarded()
    paths = [path.replace("{", "").replace("}", "") for path in ours.app.openapi()["paths"]]
    found = {path: {ours.http.get(path).status_code, ours.http.post(path, json={}).status_code} for path in paths}
    assert {path for path, statuses in found.items() if statuses != {401}} == {"/api/v1/health"}
    assert {path: ours.http.get(path).status_code for path in PUBLIC} == dict.fromkeys(PUBLIC, 200)


@pytest.mark.parametrize(
    "path",
    ["/API/v1/health", "/api/v1/health/", "/api/v1/health/../models/status", "/docs/", "/openapi.jsonx",
     "/api/v1/models/status;/api/v1/health", "/x/livez", "/docs-assets", "/api/v1/models/status%2f..%2fhealth"],
)  # fmt: skip
def test_what_only_looks_like_a_public_path_needs_a_token(guarded: Guarded, path: str) -> None:
    assert guarded().http.get(path, follow_redirects=False).status_code == 401


def test_of_a_request_id_that_is_given_twice_the_first_counts(guarded: Guarded) -> None:
    answer = guarded().http.get("/api/v1/health", headers=[("X-Request-ID", "a"), ("X-Request-ID", "b")])
    assert answer.headers["X-Request-ID"] == "a"


def test_a_refusal_is_a_problem_with_the_request_id_and_the_way_in(guarded: Guarded) -> None:
    answer = guarded().http.get("/api/v1/models/status", headers={"X-Request-ID": "abc-1"})
    assert (answer.status_code, answer.headers["content-type"]) == (401, "application/problem+json")
    assert answer.headers["x-request-id"] == answer.json()["request_id"] == "abc-1"
    assert answer.headers["www-authenticate"].startswith("Bearer")


def test_the_application_is_told_who_asks(guarded: Guarded) -> None:
    ours = guarded()
    assert ours.http.get("/who", headers=ours.token("anna")).json() == {"subject": "anna", "role": "service"}


def test_refusals_are_measured_under_no_route(guarded: Guarded, service: Service) -> None:
    line = 'talentml_requests_total{route="none",status="401"}'
    before = service.metric(line)
    guarded().http.get("/api/v1/made-up")
    assert service.metric(line) == before + 1


def test_one_more_than_the_limit_is_refused_and_public_paths_never_are(guarded: Guarded) -> None:
    ours = guarded(rate="3/hour")
    assert [ours.ask().status_code for _ in range(5)] == [200, 200, 200, 429, 429]
    assert int(ours.ask().headers["retry-after"]) >= 1
    assert {ours.http.get(path).status_code for path in [*PUBLIC] * 3} == {200}
    assert ours.ask("somebody-else").status_code == 200


@pytest.mark.parametrize(
    ("path", "headers"),
    [
        (PERFORMANCE, {"X-Forwarded-For": "1.2.3.4"}),
        (PERFORMANCE, {"Forwarded": "for=1.2.3.4", "X-Real-IP": "1.2.3.4"}),
        (PERFORMANCE, {"X-Request-ID": "another"}),
        (PERFORMANCE, {"authorization-": "Bearer x", "X-Original-URL": "/api/v1/health"}),
        (f"{PERFORMANCE}/", {}),
        (f"/{PERFORMANCE}", {}),
        (f"{PERFORMANCE}?again=1", {}),
        (PERFORMANCE.upper(), {}),
        (PERFORMANCE.replace("task", "%74ask"), {}),
        ("/api/v1/health/../models/status", {}),
        ("/metrics", {}),
    ],
)
def test_the_limit_knows_the_subject_whatever_else_the_request_says(
    guarded: Guarded, path: str, headers: dict[str, str]
) -> None:
    ours = guarded(rate="2/hour")
    assert [ours.ask().status_code for _ in range(2)] == [200, 200]
    assert ours.ask(path=path, **headers).status_code == 429


def test_another_token_of_the_same_subject_is_no_other_subject(guarded: Guarded) -> None:
    ours = guarded(rate="2/hour")
    tokens = [issue(ours.settings, "anna", Role.SERVICE, timedelta(minutes=minutes)) for minutes in (1, 2, 3)]
    found = [ours.http.get("/who", headers={"Authorization": f"Bearer {token}"}).status_code for token in tokens]
    assert found == [200, 200, 429]


def test_a_batch_counts_as_its_requests_and_is_refused_before_any_of_them_is_answered(
    guarded: Guarded, service: Service
) -> None:
    ours = guarded(rate="20/hour")
    line = 'talentml_answers_total{product="task_performance",source="model"}'
    before = service.metric(line)
    found = [
        ours.http.post(f"{PERFORMANCE}/batch", json={"requests": [BODY] * size}, headers=ours.token())
        for size in (12, 9, 7)
    ]
    assert [answer.status_code for answer in found] == [200, 429, 200]
    assert int(found[1].headers["retry-after"]) >= 3_000
    assert service.metric(line) - before == 12 + 7
    assert ours.ask().status_code == 429


def test_a_full_service_says_so_before_it_looks_at_tokens_and_still_shows_its_health(guarded: Guarded) -> None:
    ours = guarded(limits=replace(LIMITS, in_flight=0))
    for answer in (ours.ask(), ours.http.post(PERFORMANCE, json=BODY)):
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")
    assert ours.http.get("/api/v1/health").status_code == 200
    assert ours.http.get("/metrics", headers=ours.token()).status_code == 200
    assert ours.http.get("/docs-assets/swagger-ui.css").status_code == 200


def test_the_size_of_a_body_is_looked_at_after_the_token(guarded: Guarded) -> None:
    ours = guarded()
    large = b" " * (LIMITS.body_bytes + 1)
    assert ours.http.post(PERFORMANCE, content=large).status_code == 401
    assert ours.http.post(PERFORMANCE, content=large, headers=ours.token()).status_code == 413
    assert ours.http.post(PERFORMANCE, content=iter([large[:-1], b"  "]), headers=ours.token()).status_code == 413


def test_an_answer_that_takes_too_long_is_given_up(guarded: Guarded) -> None:
    ours = guarded(limits=replace(LIMITS, answer_seconds=0.05))
    answer = ours.http.get("/slow", headers=ours.token())
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")
    assert "0.05 s" in answer.json()["detail"]


def scope(ours: Ours, **headers: str) -> dict[str, Any]:
    """A request as a server passes it on."""
    given = {"content-type": "application/json", **ours.token(), **headers}
    raw = [(name.lower().encode(), value.encode()) for name, value in given.items()]
    return {"type": "http", "method": "POST", "path": PERFORMANCE, "headers": raw, "query_string": b""}


async def said(ours: Ours, receive: Callable[[], Any], **asked: Any) -> list[Any]:
    """The messages of the answer to a body that comes in its own way. asked: of the request, what is not as usual."""
    messages: list[Any] = []

    async def send(message: Any) -> None:
        messages.append(message)

    await ours.border({**scope(ours), **asked}, receive, send)
    return messages


def sent(ours: Ours, receive: Callable[[], Any], **headers: str) -> dict[str, Any]:
    """The start of the answer."""
    found: dict[str, Any] = asyncio.run(said(ours, receive, **scope(ours, **headers)))[0]
    return found


def test_a_body_that_never_ends_is_given_up_with_its_connection(guarded: Guarded) -> None:
    async def drip() -> dict[str, Any]:
        await asyncio.sleep(0.01)
        return {"type": "http.request", "body": b" ", "more_body": True}

    answer = sent(guarded(limits=replace(LIMITS, body_seconds=0.1)), drip)
    assert answer["status"] == 408
    assert (b"connection", b"close") in answer["headers"]


def test_of_many_bodies_that_end_at_once_no_more_are_worked_on_than_there_are_places(guarded: Guarded) -> None:
    """Else who sends all but the end of a hundred bodies, and then the ends, has a hundred worked on."""
    ours = guarded(limits=replace(LIMITS, in_flight=1, answer_seconds=0.05))

    async def story() -> list[str]:
        waiting, ends = [], asyncio.Event()

        async def receive() -> dict[str, Any]:
            waiting.append(1)
            await ends.wait()
            return {"type": "http.request", "body": b"", "more_body": False}

        asking = []
        for number in range(3):
            asking.append(asyncio.create_task(said(ours, receive, method="GET", path="/slow")))
            while len(waiting) <= number:
                await asyncio.sleep(0)
        ends.set()
        return [json.loads(body["body"])["detail"] for _, body in await asyncio.gather(*asking)]

    late, *refused = asyncio.run(story())
    assert (late[:16], refused) == ("No answer within", ["Too many requests at once; try again."] * 2)


def test_whoever_waits_for_leave_to_send_and_is_refused_is_sent_away(guarded: Guarded) -> None:
    async def nothing() -> dict[str, Any]:
        raise AssertionError("the body must not be asked for")

    answer = sent(guarded(), nothing, expect="100-continue", authorization="Bearer no")
    assert answer["status"] == 401
    assert (b"connection", b"close") in answer["headers"]


def test_a_length_with_many_zeros_before_it_is_that_length(guarded: Guarded) -> None:
    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b'{"person_id": "P1", "task_id": "T60"}', "more_body": False}

    lengths = {"0" * 5_000 + "37": 200, "0" * 5_000 + str(LIMITS.body_bytes + 1): 413}
    found = {length: sent(guarded(), receive, **{"content-length": length})["status"] for length in lengths}
    assert found == lengths


def test_a_sender_that_goes_away_within_the_body_leaves_no_half_request(guarded: Guarded) -> None:
    parts = [
        {"type": "http.disconnect"},
        {"type": "http.request", "body": b'{"person_id": "P1", "task_id": "T60"}', "more_body": True},
    ]

    async def receive() -> dict[str, Any]:
        return parts.pop()

    assert sent(guarded(), receive)["status"] == 400
