"""Calls of admin routes, each in the audit log: the intent before anything is done, the outcome after it.

What cannot be written down is not done. A refusal is told to the caller whether or not it can be written down, and is
logged either way.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import TypeVar

from fastapi import Request

from monitoring import audit
from monitoring.audit import Entry
from serving.access.caller import Caller, Role
from serving.access.permissions import check_role
from serving.platform import AWAY, Platform, away
from serving.schemas.problems import ProblemError

LOG = logging.getLogger("talentml.serving")
ADMINS = frozenset({Role.ADMIN})
UNWRITTEN = "Nothing was done, as it could not be written to the audit log; try again."
RETRAIN, ROLLBACK = "/api/v1/models/retrain", "/api/v1/models/{name}/rollback"
"""The admin routes."""
UNKNOWN = "unknown product"
"""The target in the log and the table: a name of none may be anything. The detail of an admin's refusal names it."""
T = TypeVar("T")


@dataclass(frozen=True)
class Call:
    """One call of an admin route. entry: what is known of it so far."""

    platform: Platform
    caller: Caller
    entry: Entry

    @classmethod
    def of(cls, platform: Platform, request: Request, action: str, target: str = "") -> "Call":
        """The call that a request makes."""
        state = request.state
        entry = Entry(state.caller.subject, state.caller.role, action, target, request_id=state.request_id)
        return cls(platform, state.caller, entry)

    def about(self, target: str, reason: str) -> "Call":
        """The call once its body is read."""
        return replace(self, entry=replace(self.entry, target=target, detail=f"asked: {reason}"))

    def check(self) -> None:
        """Raises ProblemError 403 for anybody but an admin."""
        check_role(self.caller, ADMINS)

    async def refused(self, refusal: ProblemError) -> None:
        """Log and write down that the call was refused before anything was done."""
        entry = replace(self.entry, outcome="refused", detail=f"{self.entry.detail} {refusal.detail}".strip())
        LOG.warning("%s", line(entry))
        try:
            await self.platform.read(lambda engine: audit.record(engine, entry))
        except ProblemError:
            LOG.exception("the audit log cannot be written, this line is all there is: %s", line(entry))

    def carried_out(self, act: Callable[[], T], said: Callable[[T], str]) -> T:
        """What act gives, with its intent and outcome written down. said: the outcome in words.

        For a thread of the platform. Raises ProblemError 503 when the intent cannot be written, and what act raises.
        """
        number = self._begun()
        try:
            found = act()
        except ProblemError as error:
            self._ended(number, "refused" if error.status < 500 else "failed", error.detail)
            raise
        except Exception as error:
            self._ended(number, "failed", type(error).__name__)
            raise
        self._ended(number, "done", said(found))
        return found

    def _begun(self) -> int:
        try:
            return audit.record(self.platform.engine(), self.entry)
        except AWAY as error:
            LOG.exception("%s: not done, the audit log cannot be written", line(self.entry))
            raise away(UNWRITTEN) from error

    def _ended(self, number: int, outcome: audit.Outcome, said: str) -> None:
        entry = replace(self.entry, outcome=outcome, detail=f"{self.entry.detail}; {said}")
        LOG.info("%s", line(entry))
        try:
            audit.conclude(self.platform.engine(), number, outcome, entry.detail)
        except AWAY:
            LOG.exception("entry %s of the audit log stays `asked`: %s", number, line(entry))


def line(entry: Entry) -> str:
    """An entry for the log. A subject may be a person, so the log has the start of its SHA-256."""
    who = sha256(entry.subject.encode()).hexdigest()[:12] if entry.subject else "unknown"
    role = entry.role or "unknown"
    return f"{entry.action} {entry.target} {entry.outcome}, role {role}, subject {who}, {entry.request_id}"
