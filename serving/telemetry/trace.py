"""What one request did, and how long each part of it took: for its line in the log."""

from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any

from starlette.types import Scope

MIXED = "mixed"
NO_ROUTE = "none"


@dataclass(slots=True)
class Trace:
    """Seconds by stage; and what answered. Of a batch the stages add up, and what differs is `mixed`."""

    request_id: str
    seconds: dict[str, float] = field(default_factory=dict)
    facts: dict[str, Any] = field(default_factory=dict)

    def took(self, stage: str, seconds: float) -> None:
        """Add to a stage."""
        self.seconds[stage] = self.seconds.get(stage, 0.0) + seconds

    @property
    def stages(self) -> dict[str, float]:
        """Milliseconds by stage."""
        return {stage: milliseconds(seconds) for stage, seconds in self.seconds.items()}

    def answered(self, **facts: Any) -> None:
        """Note what answered: product, source, version and the like; nothing about whom."""
        if not self.facts:  # as of all but batches
            self.facts = facts
            return
        for name, value in facts.items():
            self.facts[name] = value if self.facts.get(name, value) == value else MIXED


CURRENT: ContextVar[Trace | None] = ContextVar("trace", default=None)
"""The request that is being answered, also in the threads that work for it."""


def begin(request_id: str) -> Trace:
    """The trace of a new request; whatever is logged from now on in its context carries its id."""
    trace = Trace(request_id)
    CURRENT.set(trace)
    return trace


def milliseconds(seconds: float) -> float:
    """To a microsecond; round takes three times as long."""
    return int(1e6 * seconds + 0.5) / 1e3


def template(scope: Scope) -> str:
    """The route as it was declared, NO_ROUTE where none was reached. Never the path: anybody may make up paths."""
    return getattr(scope.get("route"), "path_format", NO_ROUTE)
