"""The outermost layer: request ids, who asks and how often, bounds, timings, and a last word on what nobody foresaw."""

import logging
import os
import re
import time
from collections.abc import Awaitable, Iterator, Mapping
from itertools import count

from fastapi import FastAPI
from starlette.types import Message, Receive, Scope, Send

from serving.access.auth import authorization
from serving.access.deadline import Deadline, Deadlines
from serving.access.shedding import Shedding
from serving.limits import LIMITS, Limits
from serving.routes import docs
from serving.schemas.problems import UNFORESEEN, ProblemError, unavailable
from serving.schemas.reading import first_values
from serving.telemetry import logs
from serving.telemetry.trace import Trace, begin, template

LOG = logging.getLogger("talentml.serving")
REQUEST_ID = re.compile(rb"[A-Za-z0-9._:-]{1,64}")
HEADER = b"x-request-id"
PUBLIC = frozenset({"/api/v1/health", docs.DOCUMENT, docs.PAGE})
"""Paths that anybody may ask, any number of times; only exactly these, and the assets of the page of the routes."""
ASSETS = f"{docs.ASSETS}/"
ALWAYS = frozenset({*PUBLIC, "/metrics"})
"""Paths that are answered even when too much is asked: who looks after the service must be able to see it."""
REPORTS, FEEDBACK = ("/api/v1/ml/", "/api/v1/models/"), "/feedback"
"""How the paths begin, or end, whose routes may wait for the platform's database."""


class Border:
    """An ASGI application around another one.

    In this order: a request id; 503 if too much is asked at once; 401 if it is not known who asks; 429 if the caller
    asks too often; 413 and 408 for a body too large or too slow. The application finds request_id, headers, started,
    running, caller and body in the request's state. A request id is taken from X-Request-ID if it is 1 to 64 of A-Z a-z
    0-9 . _ : - and is made otherwise.

    What waits for the platform's database has places of its own: one that hangs holds each for 5 to 10 s, and answers,
    which need none, would find them taken. Source: Nygard, Release It!, 2nd edition, chapter 5, "Bulkheads".
    """

    def __init__(self, app: FastAPI, limits: Limits = LIMITS) -> None:
        self.app, self._limits = app, limits
        self._answers, self._database, self._deadlines = Shedding(limits), Shedding(limits), Deadlines()
        self._ids = request_ids()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        answer = _Answer(scope, send, self._ids)
        trace = begin(answer.request_id)
        scope["state"] = {
            **scope.get("state", {}),
            "request_id": answer.request_id,
            "headers": answer.headers,
            "started": answer.started,
            "running": self.app.state.running,
        }
        try:
            await self._pass(scope, receive, answer)
        except ProblemError as error:
            scope["state"]["running"].refusals.note(scope, error)
            await answer.refuse(error, scope, receive)
        except Exception:
            LOG.exception("the request failed")
            await answer.refuse(ProblemError(500, UNFORESEEN), scope, receive)
        self._measure(scope, answer, trace)

    async def _pass(self, scope: Scope, receive: Receive, answer: "_Answer") -> None:
        # Assets take no place: 32 readers without a token, who asked for 8 MB and read none, kept all from an answer.
        path = scope["path"]
        if path in ALWAYS or path.startswith(ASSETS):
            await self._let_in(scope)
            await self.app(scope, receive, answer.send)
            return
        async with (places := self._database if waits_for_database(path) else self._answers):
            await self._let_in(scope)
            await self._in_time(scope, receive, answer, places)

    async def _let_in(self, scope: Scope) -> None:
        """Say in the request's state who asks, and count it; public paths are for anybody."""
        path, state = scope["path"], scope["state"]
        if path in PUBLIC or path.startswith(ASSETS):
            return
        running = state["running"]
        state["caller"] = caller = running.tokens.caller(authorization(scope["headers"]))
        await running.limiter.check(caller.subject)

    async def _in_time(self, scope: Scope, receive: Receive, answer: "_Answer", places: Shedding) -> None:
        """One deadline for the body and then for the answer."""
        body = None
        try:
            with Deadline(self._deadlines, self._limits.body_seconds) as deadline:
                with places.given_up:
                    body = await whole(answer.headers, receive, self._limits)
                    await places.check()  # others may have the place now
                deadline.move(self._limits.answer_seconds)
                scope["state"]["body"] = body
                await self.app(scope, _replayed(body, receive), answer.send)
        except TimeoutError:
            raise _late_answer(self._limits) if body is not None else _late_body(self._limits) from None

    def _measure(self, scope: Scope, answer: "_Answer", trace: Trace) -> None:
        metrics, seconds = scope["state"]["running"].metrics, time.perf_counter() - answer.started
        route, in_flight = template(scope), self._answers.in_flight + self._database.in_flight
        metrics.answered(route, answer.status, seconds)
        metrics.in_flight.set(in_flight)
        logs.request(scope, route, trace, answer.status, seconds, in_flight)


class _Answer:
    """What is sent back: gets the request id as a header, knows whether it has begun. headers: the request's, once."""

    __slots__ = ("_send", "headers", "request_id", "started", "status")

    def __init__(self, scope: Scope, send: Send, ids: Iterator[str]) -> None:
        self.headers = first_values(scope["headers"])
        given = self.headers.get(HEADER)
        self.request_id = given.decode() if given and REQUEST_ID.fullmatch(given) else next(ids)
        self.started = time.perf_counter()
        self.status = 0
        self._send = send

    def send(self, message: Message) -> Awaitable[None]:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            message["headers"] = [*message.get("headers", ()), (HEADER, self.request_id.encode())]
        return self._send(message)

    async def refuse(self, error: ProblemError, scope: Scope, receive: Receive) -> None:
        """Answer with a problem, unless something else was begun.

        uvicorn reads and drops the rest of the body, and the connection lives on. Not so where the caller waits for
        leave to send it, or never ends it: the next request on the connection would be taken for that body.
        """
        if self.status:
            return
        if error.status == 408 or b"expect" in self.headers:
            error.headers["Connection"] = "close"
        await error.answer(self.request_id)(scope, receive, self.send)


def waits_for_database(path: str) -> bool:
    """Whether the route of a path may wait for the platform's database, as all but the products' own do."""
    return path.endswith(FEEDBACK) or path.startswith(REPORTS)


def request_ids() -> Iterator[str]:
    """Ids for requests that bring none: a part of the worker's own, drawn once, and a number.

    They let nobody in, and a caller may choose its own: to draw each took a system call, 2 us between answers.
    """
    return map(f"{os.urandom(8).hex()}{{:016x}}".format, count())


async def whole(headers: Mapping[bytes, bytes], receive: Receive, limits: Limits) -> bytes:
    """The body of a request.

    Raises ProblemError 413 where it is larger than limits.body_bytes, 400 where its sender goes away.
    """
    length = headers.get(b"content-length", b"").lstrip(b"0")  # int takes 4,300 digits, and uvicorn any number of zeros
    if length.isdigit() and int(length) > limits.body_bytes:
        raise _too_large(limits)
    body = bytearray()
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ProblemError(400, "The connection ended within the body.")
        part: bytes = message.get("body", b"")
        if len(body) + len(part) > limits.body_bytes:
            raise _too_large(limits)
        if not message.get("more_body", False):
            return bytes(body + part) if body else part  # most come whole, and are not copied
        body += part


def _replayed(body: bytes, receive: Receive) -> Receive:
    """What the application receives: the whole body at once, then whatever comes."""
    given: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def replay() -> Message:
        return given.pop() if given else await receive()

    return replay


def _too_large(limits: Limits) -> ProblemError:
    return ProblemError(413, f"The body is larger than {limits.body_bytes} bytes.")


def _late_body(limits: Limits) -> ProblemError:
    return ProblemError(408, f"The body was not sent within {limits.body_seconds:g} s.")


def _late_answer(limits: Limits) -> ProblemError:
    return unavailable(f"No answer within {limits.answer_seconds:g} s; try again.", 1)
