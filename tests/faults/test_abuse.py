"""Requests that are meant to hurt: refused at once, at little cost, and nobody else notices (FAULTS 11, 12, 23, 24)."""

import gzip
import os
import pickle
import time
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any

import pytest

from serving.limits import Limits
from tests.faults.live import ESTIMATE, QUESTION, RANK, Line, Live, live, seconds_of
from tests.patience import LONG

pytestmark = pytest.mark.slow
DEEP = 10_000
MIB = 2**20


@pytest.fixture
def abused(unlimited: Live) -> Live:
    return unlimited


@pytest.fixture
def line(abused: Live) -> Iterator[Line]:
    with abused.line() as found:
        yield found


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e999", "-1e999", "1" + "0" * 5_000])
@pytest.mark.parametrize("field", ["priority", "estimate_hours"])
def test_a_number_that_is_none_is_refused_and_the_refusal_is_strict_json(abused: Live, number: str, field: str) -> None:
    task = f'{{"priority": 1, "project_id": "J1", "{field}": {number}}}'
    with abused.client() as client:
        answer = client.post(ESTIMATE, content=f'{{"person_id": "P1", "task": {task}}}')
    assert answer.status_code == 422
    assert answer.json()["errors"]


def _chunked(body: bytes) -> bytes:
    parts = [body[start : start + 65_536] for start in range(0, len(body), 65_536)]
    return b"".join(b"%x\r\n%b\r\n" % (len(part), part) for part in parts) + b"0\r\n\r\n"


LARGE = b" " * (2 * MIB)
NESTED = {
    "lists": b"[" * DEEP + b"]" * DEEP,
    "objects": b'{"a":' * DEEP + b"1" + b"}" * DEEP,
    "lists that never close": b"[" * DEEP,
    "lists where a string belongs": b'{"task_id":' + b"[" * DEEP + b"]" * DEEP + b"}",
    "lists in a field nobody knows": b'{"x":' + b"[" * 500_000 + b"]" * 500_000 + b"}",
    "objects where columns belong": b'{"task":' + b'{"a":' * DEEP + b"1" + b"}" * DEEP + b"}",
}
BOMB = gzip.compress(b" " * (200 * MIB), 9)

REFUSED: dict[str, tuple[int, tuple[str, ...], bytes]] = {
    "2 MB": (413, (f"Content-Length: {len(LARGE)}",), LARGE),
    "2 MB in chunks, of no stated length": (413, ("Transfer-Encoding: chunked",), _chunked(LARGE)),
    "200 MB, compressed": (415, ("Content-Encoding: gzip", f"Content-Length: {len(BOMB)}"), BOMB),
    "200 MB, compressed twice": (415, ("Content-Encoding: br, gzip", "Transfer-Encoding: chunked"), _chunked(BOMB)),
    **{name: (422, (f"Content-Length: {len(body)}",), body) for name, body in NESTED.items()},
}  # fmt: skip


@pytest.mark.alone
@pytest.mark.parametrize("name", REFUSED)
def test_a_body_too_large_or_too_deep_is_refused_within_100_ms_and_the_connection_lives_on(
    line: Line, name: str
) -> None:
    status, head, body = REFUSED[name]
    found: list[int] = []
    assert seconds_of(lambda: found.append(line.ask(line.head(*head), body))) < 0.1
    assert set(found) == {status}
    assert line.question() == 200


def test_abuse_leaves_no_memory_behind(abused: Live) -> None:
    def once() -> None:
        for status, head, body in REFUSED.values():
            with abused.line() as found:
                assert found.ask(found.head(*head), body) == status

    once()
    before = abused.memory
    for _ in range(20):
        once()
    assert abused.memory - before < 50 * MIB


def test_refusals_before_the_body_was_read_do_not_disturb_the_next_request(line: Line) -> None:
    bodies = (QUESTION, b"x" * 100_000, LARGE)
    for body in bodies:
        assert line.ask(line.head(f"Content-Length: {len(body)}", token="Bearer no"), body) == 401
        assert line.question() == 200


def test_whoever_waits_for_leave_to_send_is_refused_and_sent_away(line: Line) -> None:
    head = line.head("Expect: 100-continue", "Content-Length: 100", token="Bearer no")
    assert (line.ask(head), line.socket.recv(1)) == (401, b"")


@pytest.mark.parametrize("length", ["-1", "1e3", "0x10", "12, 13", "99999999999999999999999", "ten"])
def test_a_length_that_is_none_is_refused(line: Line, length: str) -> None:
    assert line.ask(line.head(f"Content-Length: {length}"), QUESTION) in {400, 413}


def test_two_lengths_or_a_length_and_chunks_are_refused(line: Line, abused: Live) -> None:
    assert line.ask(line.head("Content-Length: 5", "Content-Length: 36"), QUESTION) == 400
    with abused.line() as other:
        assert other.ask(other.head("Content-Length: 5", "Transfer-Encoding: chunked"), _chunked(QUESTION)) == 400


def test_a_body_longer_than_it_says_costs_its_sender_the_connection(line: Line) -> None:
    assert line.ask(line.head("Content-Length: 5"), QUESTION) in {400, 422}
    assert line.status() in {0, 400}  # the rest of the body is no request
    assert line.socket.recv(1) == b""


def test_a_hundred_callers_that_never_finish_keep_nobody_from_being_answered(abused: Live) -> None:
    with ExitStack() as slow, abused.client() as client:
        for number in range(100):
            other = slow.enter_context(abused.line())
            begun = other.head("Content-Length: 1000") if number % 2 else other.head()[:40]
            other.socket.sendall(begun)
        assert {client.post(RANK, content=QUESTION).status_code for _ in range(20)} == {200}


def test_callers_without_a_token_that_read_no_answer_keep_nobody_from_one(abused: Live) -> None:
    """Each asks for 8 MB, of which the kernel keeps 4 at most: the rest waits in the service."""
    with ExitStack() as slow, abused.client() as client:
        for _ in range(Limits().in_flight + 4):
            other = slow.enter_context(abused.line(receives=4_096))
            other.socket.sendall(6 * b"GET /docs-assets/swagger-ui-bundle.js HTTP/1.1\r\nHost: x\r\n\r\n")
            assert other.socket.recv(8) == b"HTTP/1.1"
        time.sleep(1)  # as much is sent as goes
        assert {client.post(RANK, content=QUESTION).status_code for _ in range(20)} == {200}


def test_a_body_that_does_not_come_is_waited_for_ten_seconds_at_most(line: Line) -> None:
    line.socket.settimeout(LONG)
    assert line.ask(line.head("Content-Length: 1000"), b"{") == 408
    assert line.socket.recv(1) == b""


class Bomb:
    """Unpickled, it makes a folder."""

    def __init__(self, marker: Path) -> None:
        self.marker = marker

    def __reduce__(self) -> Any:
        return os.mkdir, (str(self.marker),)


PICKLES = [
    "application/vnd.bentoml+pickle", "application/x-pickle", "application/octet-stream", "multipart/form-data",
    "application/jsonp", "application/x-www-form-urlencoded", "application/json, application/vnd.bentoml+pickle", "",
]  # fmt: skip


@pytest.mark.parametrize("media", PICKLES)
@pytest.mark.parametrize("path", [RANK, f"{ESTIMATE}/batch"])
def test_a_pickle_is_refused_by_its_type_and_never_opened(abused: Live, tmp_path: Path, media: str, path: str) -> None:
    body = pickle.dumps(Bomb(tmp_path / "marker"))
    with abused.client() as client:
        headers = {"Content-Type": media, "Payload-Container": "NdarrayContainer", "Bentoml-Version": "1.4.39"}
        assert client.post(path, content=body, headers=headers).status_code == 415
        assert client.post(path, content=body).status_code == 422
    assert not (tmp_path / "marker").exists()


TRICKS: list[tuple[str, tuple[str, ...]]] = [
    (RANK, ("X-Forwarded-For: 10.0.0.{n}",)),
    (RANK, ("Forwarded: for=10.0.0.{n}", "X-Real-IP: 10.0.0.{n}", "X-Request-ID: r{n}")),
    (RANK.upper(), ()),
    (f"{RANK}/", ()),
    (f"/{RANK}", ()),
    (f"/api/v1/health/..{RANK}", ()),
    (RANK.replace("task", "%74ask"), ()),
    (RANK + "?n={n}", ()),
    ("http://elsewhere" + RANK, ()),
]


@pytest.mark.parametrize("workers", [1, 2])
def test_a_subject_gets_its_hundred_whatever_it_says_beside(tmp_path: Path, workers: int) -> None:
    running = live(tmp_path / "home", workers=workers, rate_limit="100/hour")
    with running as limited, limited.client("somebody-else") as other:
        found = []
        for number in range(130):
            path, lines = TRICKS[number % len(TRICKS)]
            with limited.line() as line:  # a connection each: either worker may get it
                head = [text.format(n=number) for text in (*lines, f"Content-Length: {len(QUESTION)}")]
                found.append(line.ask(line.head(*head, path=path.format(n=number)), QUESTION))
        assert abs(len([status for status in found if status != 429]) - 100) <= 1
        with limited.client() as client:
            answer = client.post(RANK, content=QUESTION)
        assert (answer.status_code, 1 <= int(answer.headers["retry-after"]) <= 3_700) == (429, True)
        assert other.post(RANK, content=QUESTION).status_code == 200


def test_a_head_that_never_ends_is_cut_or_forgotten(abused: Live) -> None:
    before = abused.memory
    with abused.line() as found, abused.client() as client:
        found.socket.settimeout(5)
        with suppress(TimeoutError, ConnectionError):
            found.socket.sendall(found.head()[:-2] + b"X-Long: " + b"a" * (8 * MIB))
        assert client.post(RANK, content=QUESTION).status_code == 200
    assert abused.memory - before < 50 * MIB
