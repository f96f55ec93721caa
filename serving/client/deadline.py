"""A deadline for a whole call. httpx has one for each wait, which a peer that sends a byte a second always meets."""

import math
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from ssl import SSLContext
from typing import Any

import httpcore
import httpx

END: ContextVar[float] = ContextVar("deadline", default=math.inf)
MOST_CONNECTIONS = 100
IDLE_SECONDS = 5.0


@contextmanager
def within(seconds: float) -> Iterator[None]:
    """The block's calls through a Transport have so many seconds together."""
    earlier = END.set(time.monotonic() + seconds)
    try:
        yield
    finally:
        END.reset(earlier)


def left() -> float:
    """Seconds until the deadline."""
    return END.get() - time.monotonic()


def _wait(timeout: float | None, late: type[Exception]) -> float | None:
    remaining = left()
    if remaining <= 0:
        raise late("the call took too long")
    return timeout if remaining == math.inf else min(remaining, timeout or remaining)


class Transport(httpx.HTTPTransport):
    """httpx's own over sockets that know the deadline. No proxies, no redirects: the token goes to one place."""

    def __init__(self) -> None:
        # httpx hands no network backend on to httpcore, so the pool is made here; the base class only calls it.
        self._pool = httpcore.ConnectionPool(
            ssl_context=httpx.create_ssl_context(),
            max_connections=MOST_CONNECTIONS,
            keepalive_expiry=IDLE_SECONDS,
            network_backend=_Backend(),
        )


class _Backend(httpcore.NetworkBackend):
    def __init__(self) -> None:
        self._inner = httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        wait = _wait(timeout, httpcore.ConnectTimeout)
        return _Stream(self._inner.connect_tcp(host, port, wait, local_address, socket_options))


class _Stream(httpcore.NetworkStream):
    def __init__(self, inner: httpcore.NetworkStream) -> None:
        self._inner = inner

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._inner.read(max_bytes, _wait(timeout, httpcore.ReadTimeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._inner.write(buffer, _wait(timeout, httpcore.WriteTimeout))

    def close(self) -> None:
        self._inner.close()

    def start_tls(
        self, ssl_context: SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        wait = _wait(timeout, httpcore.ConnectTimeout)
        return _Stream(self._inner.start_tls(ssl_context, server_hostname, wait))

    def get_extra_info(self, info: str) -> Any:
        return self._inner.get_extra_info(info)
