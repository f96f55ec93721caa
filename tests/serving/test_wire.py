"""In how many pieces an answer leaves, by uvicorn itself; each request is what a client sends."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route
from uvicorn.config import Config
from uvicorn.server import ServerState

from serving.access.wire import Idle, Wire


class Written(asyncio.Transport):
    """A transport that keeps what is written to it, piece by piece; nothing is none."""

    def __init__(self) -> None:
        super().__init__()
        self.pieces: list[bytes] = []
        self.is_closed = False

    def write(self, data: Any) -> None:
        if data:
            self.pieces.append(bytes(data))

    def writelines(self, list_of_data: Any) -> None:
        self.pieces.append(b"".join(list_of_data))

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
            await asyncio.sleep(0.02)
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


async def waited(*waits: float | None) -> float:
    """Seconds from the last of these waits to the call that ends it. None: it is cancelled, as by a request."""
    idle, ends = Idle(asyncio.get_running_loop()), asyncio.Event()
    for each in waits:
        await asyncio.sleep(0.01)
        if each is None:
            idle.cancel()
        else:
            begun = time.monotonic()
            idle.call_later(each, ends.set)
    await ends.wait()
    return time.monotonic() - begun


@pytest.mark.parametrize(
    ("waits", "least"),
    [
        ([0.05], 0.05),
        ([0.05, None, 0.2], 0.2),  # the timer of the first wait ends within the second
        ([0.03, None, 0.05, None, 0.05], 0.05),
    ],
)
def test_a_connection_waits_from_its_last_answer_on(waits: list[float | None], least: float) -> None:
    assert asyncio.run(waited(*waits)) >= least - 0.005


def test_a_request_that_has_come_is_waited_for_no_more() -> None:
    async def story() -> None:
        await asyncio.wait_for(waited(0.02, None), 0.2)

    with pytest.raises(TimeoutError):
        asyncio.run(story())


def test_a_connection_that_has_ended_leaves_no_timer() -> None:
    async def story() -> list[str]:
        called: list[str] = []
        idle = Idle(asyncio.get_running_loop())
        idle.call_later(0.01, lambda: called.append("closed"))
        idle.end()
        await asyncio.sleep(0.1)
        return called

    assert asyncio.run(story()) == []
