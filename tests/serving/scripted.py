"""A server on loopback that answers as a script says: slowly, in pieces, not at all, or with something else."""

import json
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from serving.client import Client
from tests.patience import LONG
from tests.ports import dead_port

Step = Callable[[BaseHTTPRequestHandler], None]
ANSWER: dict[str, Any] = {
    "prediction_id": "one",
    "product": "career",
    "model": {"name": "career", "version": 3},
    "source": "model",
    "reason": None,
    "confidence": 0.9,
    "occupations": [],
}
LATE_SECONDS = 600.0
DRIP_SECONDS = 0.1


def says(status: int, said: Any, media: str = "application/json", **headers: str) -> Step:
    """An answer; said: bytes, or what becomes JSON."""
    body = said if isinstance(said, bytes) else json.dumps(said).encode()

    def step(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(status)
        for name, value in {"content-type": media, "content-length": str(len(body)), **headers}.items():
            handler.send_header(name.replace("_", "-"), value)
        handler.end_headers()
        handler.wfile.write(body)

    return step


def problem(status: int, detail: str, **headers: str) -> Step:
    """A problem answer."""
    return says(status, {"status": status, "detail": detail}, "application/problem+json", **headers)


def reset(handler: BaseHTTPRequestHandler) -> None:
    """The connection is reset."""
    handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    handler.connection.close()
    handler.close_connection = True


def late(handler: BaseHTTPRequestHandler) -> None:
    """An answer that nobody waits for."""
    wait(handler, LATE_SECONDS)
    OK(handler)


def drips(whole: bytes) -> Step:
    """A byte at a time: no single wait is long."""

    def step(handler: BaseHTTPRequestHandler) -> None:
        for byte in whole:
            handler.wfile.write(bytes([byte]))
            wait(handler, DRIP_SECONDS)

    return step


def wait(handler: BaseHTTPRequestHandler, seconds: float) -> None:
    """Sleep, until the server is closed at most."""
    handler.server.closing.wait(seconds)  # type: ignore[attr-defined]


OK = says(200, ANSWER)
BODY = b" " * 6_000
HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n" % len(BODY)
LONG_HEAD = HEAD.replace(b"\r\n\r\n", b"\r\nx-more: " + BODY + b"\r\n\r\n")
"""Drop by drop it takes ten minutes, as BODY does."""


@dataclass
class Scripted:
    """A running server. script: a step for each request to come, the last one again and again."""

    url: str
    script: list[Step]
    got: list["Got"] = field(default_factory=list)


@dataclass(frozen=True)
class Got:
    """A request that arrived. at: time.monotonic()."""

    method: str
    path: str
    authorization: str | None
    body: bytes
    at: float


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def __init__(self, steps: Sequence[Step]) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.closing = threading.Event()
        self.scripted = Scripted(f"http://127.0.0.1:{self.server_address[1]}", list(steps))

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that has gone is what the tests are about."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # else head and body wait 40 ms for each other
    server: _Server

    def _answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        scripted = self.server.scripted
        scripted.got.append(Got(self.command, self.path, self.headers.get("authorization"), body, time.monotonic()))
        script = scripted.script
        step = script.pop(0) if len(script) > 1 else script[0]
        step(self)

    do_GET = do_POST = _answer  # noqa: N815

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing is printed."""


@contextmanager
def scripted(*steps: Step) -> Iterator[Scripted]:
    """A server that answers so."""
    server = _Server(steps)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield server.scripted
    finally:
        server.closing.set()
        server.shutdown()
        thread.join()
        server.server_close()


def patient(url: str, *given: Any, **options: Any) -> Client:
    """A client that does not give up because the machine is busy."""
    return Client(url, *given, **{"timeout": LONG, **options})


def dead_url() -> str:
    """Where nobody listens."""
    return f"http://127.0.0.1:{dead_port()}"
