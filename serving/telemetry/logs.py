"""JSON lines on standard output for everything that a worker logs, third parties included.

No line holds an id of a person, a text that was sent, or a secret: a request's line is made of bounded facts only;
errors are put in safe words (redaction.py); of others' messages only the template is kept, not its arguments.
"""

import logging
import sys
from collections.abc import Iterable, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any, TextIO

import structlog
from pydantic_core import to_json
from starlette.types import Scope
from structlog.stdlib import ProcessorFormatter
from structlog.typing import EventDict, Processor

from serving.limits import LIMITS
from serving.telemetry.redaction import clean, described, traceback_of
from serving.telemetry.trace import CURRENT, Trace, template

OURS = "talentml"
METHODS = frozenset({"GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"})
WARNINGS = "py.warnings"


def configure(secrets: Iterable[str] = (), stream: TextIO | None = None) -> None:
    """Send what this process logs to the stream (standard output) as JSON lines. secrets: what no line may hold.

    Replaces every handler that others installed; called once, when a worker starts.
    """
    shared: list[Processor] = [
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.ExceptionRenderer(_traceback),
        _with_request_id,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    handler = Lines(stream or sys.stdout)
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
    """Where all lines go, each out at once: a worker that is killed has said what it did. That takes 2 us."""

    def write(self, line: Mapping[str, Any]) -> None:
        """A line that is no record of a logger's, which would take three times as long."""
        text = _rendered(None, "", line) + "\n"
        self.acquire()
        try:
            with suppress(OSError, ValueError):  # as for a logger's line: no answer depends on it
                self.stream.write(text)
                self.stream.flush()
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


def request(scope: Scope, trace: Trace, status: int, seconds: float, in_flight: int | None = None) -> None:
    """Write the line of an answered request; one that took longer than slow_seconds is a warning.

    It goes past the loggers: 6 us, where structlog's took 18.
    """
    caller = scope.get("state", {}).get("caller")
    line = {
        "event": "request",
        "level": "warning" if seconds > LIMITS.slow_seconds else "info",
        "logger": f"{OURS}.requests",
        "request_id": trace.request_id,
        "timestamp": datetime.now(UTC),
        "method": scope["method"] if scope["method"] in METHODS else "other",
        "route": template(scope),
        "status": status,
        "role": str(caller.role) if caller else None,  # never the subject: a talent's is a person's id
        **trace.facts,
        "milliseconds": round(1000 * seconds, 3),
        "stages": trace.stages,
    }
    if in_flight is not None:
        line["in_flight"] = in_flight
    for handler in logging.root.handlers:
        if isinstance(handler, Lines):
            handler.write(line)
