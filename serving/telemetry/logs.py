"""JSON lines on standard output for everything that a worker logs, third parties included.

No line holds an id of a person, a text that was sent, or a secret: a request's line is made of bounded facts only;
errors are put in safe words (redaction.py); of others' messages only the template is kept, not its arguments.
"""

import asyncio
import logging
import sys
import time
from collections import deque
from collections.abc import Iterable, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any, NamedTuple, TextIO

import orjson
import structlog
from pydantic_core import to_json
from starlette.types import Scope
from structlog.stdlib import ProcessorFormatter
from structlog.typing import EventDict, Processor

from serving.limits import LIMITS
from serving.telemetry.redaction import clean, described, traceback_of
from serving.telemetry.trace import CURRENT, Trace, milliseconds

OURS = "talentml"
METHODS = frozenset({"GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"})
REQUESTS = f"{OURS}.requests"
WARNINGS = "py.warnings"
AS_LINE = orjson.OPT_UTC_Z | orjson.OPT_APPEND_NEWLINE


def configure(secrets: Iterable[str] = (), stream: TextIO | None = None, hold_seconds: float = 0.0) -> None:
    """Send what this process logs to the stream (standard output) as JSON lines. secrets: what no line may hold.

    Replaces every handler that others installed; called once, when a worker starts. hold_seconds: see Lines.
    """
    shared: list[Processor] = [
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.ExceptionRenderer(_traceback),
        _with_request_id,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    handler = Lines(stream or sys.stdout, hold_seconds)
    handler.addFilter(Safe(frozenset(secrets)))
    handler.setFormatter(ProcessorFormatter(foreign_pre_chain=shared, processors=[_without_record, _rendered]))
    _take_over(handler)
    logging.captureWarnings(True)


def _take_over(handler: logging.Handler) -> None:
    """Let every logger, also those that exist already, end at one handler."""
    logging.root.handlers = [handler]
    logging.root.setLevel(logging.WARNING)
    for name in list(logging.root.manager.loggerDict):
        known = logging.getLogger(name)
        known.handlers, known.propagate, known.disabled = [], True, False
    logging.getLogger(OURS).setLevel(logging.INFO)
    access = logging.getLogger("uvicorn.access")  # it names raw paths, with the ids in them
    access.disabled, access.propagate = True, False  # with no handler in reach uvicorn does not make its lines either


class Lines(logging.StreamHandler[TextIO]):
    """Where all lines go.

    hold_seconds: so long requests may wait in the event loop that answers them, for their lines to be made and written
    together: one by one they took 10 us of each answer. Loggers' lines do not wait, and come behind those that do.
    """

    def __init__(self, stream: TextIO, hold_seconds: float) -> None:
        super().__init__(stream)
        self._hold_seconds = hold_seconds
        self._waiting: deque[Asked] = deque()

    def add(self, asked: "Asked") -> None:
        """A request, which is no record of a logger's: that would take three times as long."""
        self._waiting.append(asked)
        if not self._hold_seconds:
            self.flush()
        elif len(self._waiting) == 1:
            asyncio.get_running_loop().call_later(self._hold_seconds, self.flush)

    def emit(self, record: logging.LogRecord) -> None:
        """Write a logger's line, behind those that wait."""
        self._write_waiting()
        super().emit(record)

    def flush(self) -> None:
        """Write the lines that wait, and let all go out."""
        self._write_waiting()
        with suppress(OSError, ValueError):
            super().flush()

    def _write_waiting(self) -> None:
        """No answer depends on it: what cannot be written is left out."""
        self.acquire()
        try:
            waited = [self._waiting.popleft() for _ in range(len(self._waiting))]
            with suppress(OSError, ValueError, TypeError):
                self.stream.write("".join([_line(each.facts()) for each in waited]))
        finally:
            self.release()


class Safe(logging.Filter):
    """Puts a record into safe words: errors among its arguments by `described`, of others' messages the template."""

    def __init__(self, secrets: frozenset[str]) -> None:
        super().__init__()
        self.secrets = secrets

    def filter(self, record: logging.LogRecord) -> bool:
        """Always true; changes the record."""
        if isinstance(record.msg, BaseException):
            record.msg = described(record.msg)
        if record.name == WARNINGS:
            record.msg, record.args = _warning(record), None
        elif not record.name.startswith(OURS):
            record.args = None
        elif isinstance(record.args, tuple):
            record.args = tuple(described(each) if isinstance(each, BaseException) else each for each in record.args)
        record.msg, record.args = clean(record.getMessage(), self.secrets), None
        return True


def _warning(record: logging.LogRecord) -> str:
    """Where a warning was given and of what kind, `path:line: Kind`, without its words."""
    return ":".join(record.getMessage().split(":")[:3])


def _traceback(exc_info: Any) -> Any:
    return traceback_of(exc_info[1])


def _with_request_id(logger: Any, method: str, event: EventDict) -> EventDict:
    del logger, method
    trace = CURRENT.get()
    if trace is not None:
        event["request_id"] = trace.request_id
    return event


def _without_record(logger: Any, method: str, event: EventDict) -> EventDict:
    return ProcessorFormatter.remove_processors_meta(logger, method, event)


def _rendered(logger: Any, method: str, event: Mapping[str, Any]) -> str:
    del logger, method
    return to_json(event, inf_nan_mode="null", fallback=_kind).decode()


def _kind(value: object) -> str:
    return type(value).__name__


def _line(event: Mapping[str, Any]) -> str:
    return orjson.dumps(event, default=_kind, option=AS_LINE).decode()


class Asked(NamedTuple):
    """A request that was answered. at: when, in seconds since 1970; route: as declared; seconds: that it took.

    role: the caller's, and never the subject: a talent's is a person's id.
    """

    at: float
    method: str
    role: str | None
    route: str
    trace: Trace
    status: int
    seconds: float
    in_flight: int | None

    def facts(self) -> Mapping[str, Any]:
        """The line. One that took longer than slow_seconds is a warning."""
        line = {
            "event": "request",
            "level": "warning" if self.seconds > LIMITS.slow_seconds else "info",
            "logger": REQUESTS,
            "request_id": self.trace.request_id,
            "timestamp": datetime.fromtimestamp(self.at, UTC),
            "method": self.method if self.method in METHODS else "other",
            "route": self.route,
            "status": self.status,
            "role": self.role,
            **self.trace.facts,
            "milliseconds": milliseconds(self.seconds),
            "stages": self.trace.stages,
        }
        return line if self.in_flight is None else {**line, "in_flight": self.in_flight}


def request(scope: Scope, route: str, trace: Trace, status: int, seconds: float, in_flight: int | None = None) -> None:
    """Write the line of an answered request. route: as declared.

    It goes past the loggers, of which structlog's took 18 us.
    """
    caller = scope.get("state", {}).get("caller")
    role = caller.role if caller else None
    asked = Asked(time.time(), scope["method"], role, route, trace, status, seconds, in_flight)
    for handler in logging.root.handlers:
        if isinstance(handler, Lines):
            handler.add(asked)


def write_held() -> None:
    """Write the lines that wait: a worker that stops is not there when their time has come."""
    for handler in logging.root.handlers:
        handler.flush()
