"""Calls of admin routes that the border refuses, before any route is reached: they are in the audit log too.

Anybody may make such calls, as many as they like. So of each minute the first few are written down, one by one, and
then how many more there were.
"""

import logging
import threading
from collections import Counter
from collections.abc import Collection
from concurrent.futures import Future, wait

from starlette.routing import compile_path
from starlette.types import Scope

from monitoring import audit
from monitoring.audit import Entry
from serving.limits import LIMITS
from serving.platform import AWAY, Platform
from serving.routes.audited import RETRAIN, ROLLBACK, UNKNOWN, line
from serving.schemas.problems import ProblemError

LOG = logging.getLogger("talentml.serving")
CALLS = {action: compile_path(path)[0] for action, path in (("retrain", RETRAIN), ("rollback", ROLLBACK))}
MINUTE = 60.0


class Refusals:
    """Those of one worker. Callers that are known and others are counted apart: a flood without tokens hides nobody.

    most: entries of a minute, of either kind. seconds: how long a minute takes.
    """

    def __init__(
        self,
        platform: Platform,
        products: Collection[str],
        most: int = LIMITS.audited_refusals,
        seconds: float = MINUTE,
    ) -> None:
        self._platform, self._products, self._most, self._seconds = platform, products, most, seconds
        self._lock, self._counts = threading.Lock(), Counter[bool]()
        self._end = threading.Timer(0, self._sum_up)
        self._written: set[Future[None]] = set()

    def note(self, scope: Scope, refusal: ProblemError) -> None:
        """Write down the refusal of a request, if it calls an admin route and did not get there. Does not wait."""
        entry = refused(scope, refusal, self._products)
        if entry is None:
            return
        with self._lock:
            if not self._counts:
                self._begin()
            self._counts[is_known := bool(entry.subject)] += 1
            has_room = self._counts[is_known] <= self._most
        if has_room:
            self._write(entry)

    def close(self) -> None:
        """End the minute, and wait for what is being written. To be closed before the platform's database is."""
        self._end.cancel()
        self._sum_up()
        wait(self._written, LIMITS.database_seconds)

    def _begin(self) -> None:
        self._end = threading.Timer(self._seconds, self._sum_up)
        self._end.daemon = True
        self._end.start()

    def _sum_up(self) -> None:
        with self._lock:
            counts, self._counts = self._counts, Counter()
        for is_known, count in counts.items():
            if count > self._most:
                who = "callers with a token" if is_known else "callers that are not known"
                said = f"{count - self._most} more calls by {who}, in the minute after the first one, are not listed"
                self._write(Entry("", "", "several", outcome="refused", detail=said))

    def _write(self, entry: Entry) -> None:
        LOG.warning("%s", line(entry))
        try:
            written = self._platform.submit(lambda: self._record(entry))
        except RuntimeError:  # the worker ends
            return
        self._written.add(written)
        written.add_done_callback(self._written.discard)

    def _record(self, entry: Entry) -> None:
        try:
            audit.record(self._platform.engine(), entry)
        except AWAY:
            LOG.exception("the audit log cannot be written, this line is all there is: %s", line(entry))


def refused(scope: Scope, refusal: ProblemError, products: Collection[str]) -> Entry | None:
    """The entry of a request that was refused; None where it calls no admin route, or reached it and is audited there.

    Without a caller, whose token was none or was not looked at, subject and role are empty. Of the path only a
    product's name is kept.
    """
    called = ((action, path.match(scope["path"])) for action, path in CALLS.items())
    action, found = next(((action, found) for action, found in called if found), ("", None))
    if found is None or scope["method"] != "POST" or "route" in scope:
        return None
    named = found.groupdict().get("name", "")
    caller = scope["state"].get("caller")
    return Entry(
        subject=caller.subject if caller else "",
        role=caller.role if caller else "",
        action=action,
        target=named if named in products or not named else UNKNOWN,
        outcome="refused",
        detail=f"{refusal.status} {refusal.detail}",
        request_id=scope["state"]["request_id"],
    )
