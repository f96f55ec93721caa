"""The outermost layer: request ids, the body limit, timings, and a last word on what nobody foresaw."""

import logging
import re
import time
import uuid

from fastapi import FastAPI
from starlette.types import Message, Receive, Scope, Send

from serving.limits import LIMITS
from serving.problems import UNFORESEEN, ProblemError, problem

LOG = logging.getLogger("talentml.serving")
REQUEST_ID = re.compile(rb"[A-Za-z0-9._:-]{1,128}")
HEADER = b"x-request-id"


class Border:
    """An ASGI application around another one.

    A request id is taken from X-Request-ID if it is 1 to 128 of A-Z a-z 0-9 . _ : - and is made otherwise.
    """

    def __init__(self, app: FastAPI, body_bytes: int = LIMITS.body_bytes) -> None:
        self.app = app
        self.body_bytes = body_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        answer = _Answer(scope, send)
        scope["state"] = {**scope.get("state", {}), "request_id": answer.request_id, "started": answer.started}
        try:
            await self.app(scope, _bounded(scope, receive, self.body_bytes), answer.send)
        except Exception:
            LOG.exception("request %s failed", answer.request_id)
            await answer.fail(scope, receive)
        self._measure(scope, answer)

    def _measure(self, scope: Scope, answer: "_Answer") -> None:
        route = getattr(scope.get("route"), "path_format", "none")  # never the path itself: anybody may make up paths
        metrics = self.app.state.running.metrics
        metrics.requests.labels(route, answer.status).inc()
        metrics.request_seconds.labels(route).observe(time.perf_counter() - answer.started)


class _Answer:
    """What is sent back: gets the request id as a header, knows whether it has begun."""

    def __init__(self, scope: Scope, send: Send) -> None:
        given = dict(scope["headers"]).get(HEADER, b"")
        self.request_id = given.decode() if REQUEST_ID.fullmatch(given) else uuid.uuid4().hex
        self.started = time.perf_counter()
        self.status = 0
        self._send = send

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            message["headers"] = [*message.get("headers", ()), (HEADER, self.request_id.encode())]
        await self._send(message)

    async def fail(self, scope: Scope, receive: Receive) -> None:
        if not self.status:
            await problem(500, UNFORESEEN, self.request_id)(scope, receive, self.send)


def _bounded(scope: Scope, receive: Receive, limit: int) -> Receive:
    length = dict(scope["headers"]).get(b"content-length", b"0")
    seen = int(length) if length.isdigit() else 0
    counted = 0

    async def limited() -> Message:
        nonlocal counted
        if seen > limit:
            raise _too_large(limit)
        message = await receive()
        counted += len(message.get("body", b""))
        if counted > limit:
            raise _too_large(limit)
        return message

    return limited


def _too_large(limit: int) -> ProblemError:
    return ProblemError(413, f"The body is larger than {limit} bytes.")
