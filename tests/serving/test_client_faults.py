"""What the client does when the service is slow, away, busy or broken: a server on loopback fails as each test says."""

import logging
import threading
from typing import Any

import pytest

from feature_repo.errors import SettingsError
from serving.client import Answer, Breaker, Client, RefusedError, UnreachableError
from tests.serving import scripted as server
from tests.serving.scripted import OK, Step, dead_url, patient, problem, reset, says, scripted

AWAY, BUSY = problem(503, "away"), problem(429, "busy", retry_after="0")


def careers(client: Client, **options: Any) -> Answer:
    return client.careers("P0", ["analyst"], **options)


@pytest.mark.parametrize(
    ("first", "requests", "answered_by"),
    [
        pytest.param(reset, 2, "service", id="a reset"),
        pytest.param(problem(502, "bad gateway"), 2, "service", id="502"),
        pytest.param(AWAY, 2, "service", id="503"),
        pytest.param(problem(504, "gateway timeout"), 2, "service", id="504"),
        pytest.param(BUSY, 2, "service", id="429"),
        pytest.param(problem(500, "failed"), 1, "client", id="500"),
        pytest.param(says(200, b'{"source": "mo'), 1, "client", id="half an answer"),
        pytest.param(says(200, b'{"confidence": NaN}'), 1, "client", id="NaN"),
        pytest.param(says(200, b"[" * 100_000), 1, "client", id="deep nesting"),
        pytest.param(says(200, ["no", "object"]), 1, "client", id="a list"),
        pytest.param(says(200, {"hello": "world"}), 1, "client", id="another service's answer"),
        pytest.param(says(200, server.ANSWER, "text/html"), 1, "client", id="a page"),
        pytest.param(says(302, {}, location="http://127.0.0.1:1/"), 1, "client", id="a redirect"),
    ],
)
def test_what_may_pass_is_tried_again_and_what_is_broken_is_not(first: Step, requests: int, answered_by: str) -> None:
    with scripted(first, OK) as found, patient(found.url) as client:
        assert careers(client).answered_by == answered_by
        assert len(found.got) == requests


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 413, 415, 422])
def test_a_refusal_is_never_masked(status: int) -> None:
    with scripted(problem(status, "We would rather not."), OK) as found, patient(found.url) as client:
        with pytest.raises(
            RefusedError, match=f"POST /api/v1/careers/recommend: {status}, We would rather not"
        ) as error:
            careers(client)
        assert (error.value.status, error.value.detail) == (status, "We would rather not.")
        assert len(found.got) == 1


def test_who_stays_busy_is_told_of_as_a_refusal(caplog: pytest.LogCaptureFixture) -> None:
    with scripted(BUSY) as found, patient(found.url) as client:
        with pytest.raises(RefusedError, match="429, busy"):
            careers(client)
        assert len(found.got) == 4


def test_a_wait_that_the_service_asks_for_is_kept() -> None:
    with scripted(problem(503, "loading", retry_after="1"), OK) as found, patient(found.url) as client:
        assert careers(client).answered_by == "service"
        first, second = found.got
        assert second.at - first.at >= 1.0


@pytest.mark.parametrize("asked", ["86400", "Fri, 31 Dec 9999 23:59:59 GMT"])
def test_a_wait_beyond_the_deadline_is_not_begun(asked: str) -> None:
    """This test would not end before it."""
    with scripted(problem(429, "busy", retry_after=asked)) as found, patient(found.url) as client:
        with pytest.raises(RefusedError) as error:
            careers(client)
        assert len(found.got) == 1
    assert error.value.retry_after is not None
    assert error.value.retry_after >= 86_400


@pytest.mark.parametrize(
    "step",
    [
        pytest.param(server.late, id="no answer"),
        pytest.param(server.drips(server.LONG_HEAD), id="a head in pieces"),
        pytest.param(server.drips(server.HEAD + server.BODY), id="a body in pieces"),
    ],
)
def test_a_call_with_all_its_tries_ends_at_its_deadline(step: Step) -> None:
    """What it waits for takes ten minutes, more than a test may."""
    with scripted(step) as found, pytest.raises(UnreachableError, match="no answer from"):
        careers(Client(found.url, timeout=0.5, fallback=False))


def test_a_slow_body_ends_at_the_deadline_though_its_head_was_quick() -> None:
    def step(handler: Any) -> None:
        handler.wfile.write(server.HEAD)
        server.drips(server.BODY)(handler)

    with scripted(step) as found, pytest.raises(UnreachableError, match="no answer from"):
        careers(Client(found.url, timeout=0.5, fallback=False))


@pytest.mark.parametrize(
    ("first", "requests"), [(reset, 1), (AWAY, 1), (BUSY, 2)], ids=["a reset", "503", "429: it was not let in"]
)
def test_what_would_be_done_twice_is_sent_once(first: Step, requests: int) -> None:
    for act in (
        lambda client: client.retrain("career", "skill_gap", reason="new data"),
        lambda client: client.rollback("career", "it is off"),
    ):
        with scripted(first, says(200, {"run": "one"})) as found, patient(found.url) as client:
            if requests == 1:
                with pytest.raises(UnreachableError):
                    act(client)
            else:
                assert act(client) == {"run": "one"}
            assert len(found.got) == requests


def test_feedback_may_be_said_twice() -> None:
    with scripted(reset, says(200, {"kept": True})) as found, patient(found.url) as client:
        assert client.feedback("a/b", "analyst", accepted=True, rating=5) == {"kept": True}
        assert [(each.path, each.body) for each in found.got] == 2 * [
            ("/api/v1/recommendations/a%2Fb/feedback", b'{"accepted": true, "item": "analyst", "rating": 5}')
        ]


def test_what_no_rule_can_say_is_an_error_where_the_service_is_away() -> None:
    for ask in (Client.health, Client.models, Client.metrics, Client.training_history):
        with (
            patient(dead_url()) as client,
            pytest.raises(UnreachableError, match="no answer from http://127"),
        ):
            ask(client)


def test_a_call_that_never_arrived_is_sent_again_whatever_it_does() -> None:
    with patient(dead_url()) as client:
        with pytest.raises(UnreachableError, match="no answer from"):
            client.retrain("career", reason="new data")
        with pytest.raises(UnreachableError, match="not sent, the circuit is open after 5 failures"):
            client.retrain("career", reason="new data")


def test_a_rollback_from_a_version_that_is_named_moves_one_step_however_often_it_is_sent() -> None:
    with scripted(AWAY, says(200, {"to_version": 3})) as found, patient(found.url) as client:
        assert client.rollback("career", "it is off", version=4) == {"to_version": 3}
        assert found.got[1].body == b'{"reason": "it is off", "version": 4}'


def test_a_report_is_asked_for_by_what_narrows_it() -> None:
    with scripted(says(200, {})) as found, patient(found.url) as client:
        client.metrics()
        client.training_history()
        client.training_history("career", limit=2)
        assert [each.path.removeprefix("/api/v1/ml/") for each in found.got] == [
            "metrics", "training-history", "training-history?product=career&limit=2",
        ]  # fmt: skip


def test_feedback_that_cannot_be_stored_keeps_nobody_from_an_answer() -> None:
    with scripted(AWAY) as found, patient(found.url) as client:
        for _ in range(2):
            with pytest.raises(UnreachableError):
                client.feedback("one", accepted=True)
        found.script[:] = [OK]
        assert careers(client).answered_by == "service"


def test_after_five_failures_nobody_is_asked_until_one_is_tried() -> None:
    now = [0.0]
    breaker = Breaker(clock=lambda: now[0])
    with scripted(*[problem(500, "failed")] * 5, OK) as found, patient(found.url, breaker=breaker) as client:
        assert [careers(client).answered_by for _ in range(8)] == ["client"] * 8
        assert len(found.got) == 5
        now[0] = 10.0
        assert careers(client).answered_by == "service"


def test_threads_share_a_client() -> None:
    answers: list[Answer] = []
    with scripted(OK) as found, patient(found.url) as client:
        threads = [
            threading.Thread(target=lambda number=number: answers.append(careers(client, limit=number)))
            for number in range(1, 17)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert [answer.answered_by for answer in answers] == ["service"] * 16


@pytest.mark.parametrize("url", ["localhost:8700", "ftp://host", "http://", "http://user:hidden@host"])
def test_a_url_that_is_none_of_a_service_is_an_error_at_once(url: str) -> None:
    with pytest.raises(SettingsError, match="allowed: http://host:port") as error:
        Client(url)
    assert "hidden" not in str(error.value)


def test_what_stands_in_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING, "talentml.client"), patient(dead_url()) as client:
        careers(client)
    assert "POST /api/v1/careers/recommend: no answer from" in caplog.text
    assert "the product's rule answers instead" in caplog.text


def test_while_nobody_is_asked_each_answer_of_the_rule_is_no_warning(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING, "talentml.client"), patient(dead_url()) as client:
        for number in range(20):
            client.careers(f"P{number}")
    warned = [record for record in caplog.records if record.name == "talentml.client"]
    assert len(warned) == 1, "the first question's tries; the second one's next try met the open circuit"
