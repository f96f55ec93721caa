"""In how many pieces an answer leaves, by uvicorn itself; each request is what a client sends."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Any, cast

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route
from uvicorn.config import Config
from uvicorn.server import ServerState

from serving.access.wire import Idle, Wire


class Written(asyncio.Transport):
    """A transport that keeps what is written to it, piece by piece; nothing is none. Once closed it takes no more."""

    def __init__(self) -> None:
        super().__init__()
        self.pieces: list[bytes] = []
        self.is_closed = False

    def write(self, data: Any) -> None:
        if self.is_closed:
            raise RuntimeError("unable to perform operation; the handler is closed")  # as uvloop's
        if data:
            self.pieces.append(bytes(data))

    def writelines(self, list_of_data: Any) -> None:
        self.write(b"".join(list_of_data))

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        return ("127.0.0.1", 5000) if name == "peername" else default

    def close(self) -> None:
        self.is_closed = True

    def is_closing(self) -> bool:
        return self.is_closed

    def pause_reading(self) -> None:
        """Nothing comes but what a test feeds."""

    def resume_reading(self) -> None:
        """As above."""


async def _text(request: Request) -> Response:
    await request.body()
    return PlainTextResponse("hello")


async def _client(request: Request) -> Response:
    return PlainTextResponse(f"{request.client} by {request.url.scheme}")


async def _nothing(_: Request) -> Response:
    return Response(status_code=204)


async def _parts(_: Request) -> Response:
    async def parts() -> Any:
        yield b"one"
        await asyncio.sleep(0)
        yield memoryview(b"two")

    return StreamingResponse(parts(), headers={"content-length": "6"})


async def _begun(_: Request) -> Callable[..., Awaitable[None]]:
    async def answer(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"9")]})
        raise RuntimeError

    return answer


def app() -> Starlette:
    methods = ["GET", "HEAD", "POST"]
    paths = {"/text": _text, "/client": _client, "/nothing": _nothing, "/parts": _parts, "/begun": _begun}
    return Starlette(routes=[Route(path, each, methods=methods) for path, each in paths.items()])


def pieces(*sent: bytes) -> Written:
    """What leaves while these arrive, one after the other."""

    async def story() -> Written:
        config = Config(app(), lifespan="off", log_config=None)
        config.load()
        protocol = Wire(config, ServerState(), {})
        protocol.connection_made(written := Written())
        for each in sent:
            protocol.data_received(each)
            for _ in range(100):  # turns of the loop: no answer needs ten
                await asyncio.sleep(0)
        protocol.connection_lost(None)
        return written

    return asyncio.run(story())


def asked(request: str, *headers: str) -> bytes:
    return "\r\n".join((f"{request} HTTP/1.1", "Host: x", *headers, "", "")).encode()


@pytest.mark.parametrize(
    ("request_line", "ends"),
    [
        ("GET /text", [b"hello"]),
        ("HEAD /text", [b"\r\n\r\n"]),
        ("GET /nothing", [b"\r\n\r\n"]),
        ("GET /parts", [b"one", b"two"]),  # what comes later is not waited for
        ("GET /begun", [b"\r\n\r\n"]),  # it fails after its head
    ],
)
def test_the_head_of_an_answer_leaves_with_what_follows_or_at_its_end(request_line: str, ends: list[bytes]) -> None:
    found = pieces(asked(request_line)).pieces
    assert found[0].startswith(b"HTTP/1.1 20")
    assert [piece[-len(end) :] for piece, end in zip(found, ends, strict=True)] == ends


def test_every_answer_of_a_connection_is_one_piece() -> None:
    found = pieces(*[asked("GET /text")] * 3).pieces
    assert [piece.count(b"HTTP/1.1 200 OK") for piece in found] == [1, 1, 1]


def test_what_a_proxy_says_of_the_client_is_not_believed() -> None:
    found = pieces(asked("GET /client", "X-Forwarded-For: 1.2.3.4", "X-Forwarded-Proto: https")).pieces
    assert found[0].endswith(b"Address(host='127.0.0.1', port=5000) by http")


def test_leave_to_send_the_body_is_given_at_once() -> None:
    head = asked("POST /text", "Content-Length: 2", "Expect: 100-continue")
    assert pieces(head).pieces == [b"HTTP/1.1 100 Continue\r\n\r\n"]
    assert [piece[:12] for piece in pieces(head, b"{}").pieces] == [b"HTTP/1.1 100", b"HTTP/1.1 200"]


def test_an_answer_that_ends_its_connection_is_sent_before_that() -> None:
    written = pieces(asked("HEAD /text", "Connection: close"))
    assert [piece[:12] for piece in written.pieces] == [b"HTTP/1.1 200"]
    assert written.is_closed


def test_a_connection_is_closed_where_no_next_request_comes() -> None:
    async def story() -> bool:
        config = Config(app(), lifespan="off", log_config=None, timeout_keep_alive=0)
        config.load()
        protocol = Wire(config, ServerState(), {})
        protocol.connection_made(written := Written())
        protocol.data_received(asked("GET /text"))
        while not written.is_closed:
            await asyncio.sleep(0.001)
        return b"hello" in written.pieces[0]

    assert asyncio.run(story())


def test_what_is_meant_for_a_client_that_has_left_is_dropped(caplog: pytest.LogCaptureFixture) -> None:
    async def story() -> Written:
        config = Config(app(), lifespan="off", log_config=None)
        config.load()
        protocol = Wire(config, ServerState(), {})
        protocol.connection_made(written := Written())
        protocol.data_received(asked("GET /text") + asked("GET /parts") + asked("HEAD /text"))
        written.close()  # which uvicorn is told in a later turn of the loop
        for _ in range(100):
            await asyncio.sleep(0)
        protocol.connection_lost(None)
        return written

    with caplog.at_level(logging.ERROR):
        assert asyncio.run(story()).pieces == []
    assert caplog.records == []


class Clock:
    """A loop that has the time a test says, and notes when what it was asked to call is called."""

    def __init__(self) -> None:
        self.now = 0.0
        self.called: list[float] = []
        self.timers: list[asyncio.TimerHandle] = []
        self.create_task = None

    def time(self) -> float:
        return self.now

    def get_debug(self) -> bool:
        return False

    def call_at(self, when: float, then: Any, *given: Any) -> asyncio.TimerHandle:
        self.timers.append(asyncio.TimerHandle(when, then, given, cast(Any, self)))
        return self.timers[-1]

    def _timer_handle_cancelled(self, timer: asyncio.TimerHandle) -> None:
        self.timers.remove(timer)

    def until(self, now: float) -> None:
        while due := [each for each in self.timers if each.when() <= now]:
            first = min(due, key=asyncio.TimerHandle.when)
            self.timers.remove(first)
            self.now = first.when()
            first._run()
        self.now = now

    def call(self) -> None:
        self.called.append(self.now)


@pytest.mark.parametrize(
    ("waits", "called"),
    [
        # (at, for so long; None: it is cancelled, as by a request)
        ([(0, 5)], [5]),
        ([(0, 5), (1, None)], []),
        ([(0, 5), (4, None), (4.5, 5)], [9.5]),  # the timer of the first wait ends within the second
        ([(0, 5), (1, None), (2, 5), (3, None), (4, 5)], [9]),
        ([(0, 5), (7, 5)], [5, 12]),
    ],
)
def test_a_connection_waits_from_its_last_answer_on(
    waits: list[tuple[float, float | None]], called: list[float]
) -> None:
    idle = Idle(cast(Any, clock := Clock()))
    for at, seconds in waits:
        clock.until(at)
        if seconds is None:
            idle.cancel()
        else:
            idle.call_later(seconds, clock.call)
    clock.until(100)
    assert clock.called == called


def test_a_connection_that_has_ended_leaves_no_timer() -> None:
    idle = Idle(cast(Any, clock := Clock()))
    idle.call_later(5, clock.call)
    idle.end()
    clock.until(100)
    assert clock.called == []
