"""How requests come and answers leave: in one write each, where uvicorn makes two, and the client gets up for both.

Source: RFC 9112, section 2.1; uvicorn's documentation of `http`, a protocol of one's own.
"""

import asyncio
from collections.abc import Callable, Sequence
from typing import Any, Self, cast

from uvicorn.config import HTTP_PROTOCOLS
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol


class Idle:
    """The loop as uvicorn's protocol sees it: with one timer for a connection that waits for its next request.

    uvicorn begins one after each answer and cancels it with the next request, which took 5 us of an answer's 800. Here
    it stays: where it comes too soon it is put off until it is due.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop, self.create_task = loop, loop.create_task
        self._due: float | None = None
        self._timer: asyncio.TimerHandle | None = None

    def call_later(self, seconds: float, then: Callable[[], None]) -> Self:
        """Begin to wait: `then` is called in so many seconds, unless it is cancelled."""
        self._due = self._loop.time() + seconds
        if self._timer is None:
            self._timer = self._loop.call_at(self._due, self._look, then)
        return self

    def cancel(self) -> None:
        """Wait no more."""
        self._due = None

    def end(self) -> None:
        """Let go of what is to be called."""
        if self._timer is not None:
            self._timer.cancel()

    def _look(self, then: Callable[[], None]) -> None:
        self._timer = None
        if self._due is None:
            return
        if self._due <= self._loop.time() + 0.001:  # uvloop counts milliseconds
            then()
        else:
            self._timer = self._loop.call_at(self._due, self._look, then)


class Wire(HttpToolsProtocol):
    """uvicorn's HTTP/1.1 over a transport that lets the head of an answer wait for its body.

    uvloop asks the kernel at each write: to send a head of 160 bytes by itself took 25 us of an answer's 900. What
    proxies say of the client (X-Forwarded-For and -Proto) is not looked for, which took 4: nothing here depends on it.
    """

    transport: "HeadWaits"  # type: ignore[assignment]

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        self._idle = Idle(self.loop)
        self.loop = cast(asyncio.AbstractEventLoop, self._idle)  # it is asked for a task and for a timer only
        if isinstance(self.app, ProxyHeadersMiddleware):
            self.app = self.app.app

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn's
        """Begin a connection."""
        super().connection_made(HeadWaits(transport))  # type: ignore[arg-type]

    def connection_lost(self, exc: Exception | None) -> None:
        """Nothing is waited for."""
        super().connection_lost(exc)
        self._idle.end()

    def on_response_complete(self) -> None:
        """The answer has ended, some without a body: to HEAD."""
        self.transport.flush()
        super().on_response_complete()


class HeadWaits:
    """A transport that keeps the head of an answer until more is written, or until it is flushed or closed.

    Others' heads are not waited with: an interim one (1xx) is all that is sent then. What is meant for a client that
    has left is dropped: uvloop's own transport raises an error for it, and uvicorn knows of it a moment later.
    """

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport, self._head = transport, b""
        self.is_closing = transport.is_closing  # what uvicorn asks for at each request, found without __getattr__
        self.pause_reading, self.resume_reading = transport.pause_reading, transport.resume_reading

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)

    def write(self, data: bytes) -> None:
        """Send, behind the head that waits; a head itself waits."""
        if self.is_closing():
            self._head = b""
        elif self._head:
            head, self._head = self._head, b""
            self._transport.writelines((head, data))
        elif bytes(data[:9]) == b"HTTP/1.1 " and data[9:10] != b"1":
            self._head = data
        else:
            self._transport.write(data)

    def writelines(self, parts: Sequence[bytes]) -> None:
        """Send all of them."""
        self.flush()
        if not self.is_closing():
            self._transport.writelines(parts)

    def flush(self) -> None:
        """Send the head that waits, if one does."""
        head, self._head = self._head, b""
        if head and not self.is_closing():
            self._transport.write(head)

    def close(self) -> None:
        """End the connection, once everything is sent."""
        self.flush()
        self._transport.close()


def install() -> None:
    """Let every uvicorn of this process that is not told otherwise speak through it: BentoML's cannot be told."""
    HTTP_PROTOCOLS["auto"] = f"{__name__}:{Wire.__name__}"
