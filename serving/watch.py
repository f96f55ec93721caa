"""Threads for what may hang, such as a slow disk or a foreign model: what one waits for holds up no other."""

import logging
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import TypeVar

from serving.limits import LIMITS

LOG = logging.getLogger("talentml.serving")
T = TypeVar("T")


def begun(work: Callable[[], T], name: str) -> Future[T]:
    """Work in a thread of its own. Where it hangs, nothing waits for the thread, as it would for one of a pool."""
    found: Future[T] = Future()

    def do() -> None:
        try:
            found.set_result(work())
        except Exception as failure:  # noqa: BLE001  raised where it is waited for
            found.set_exception(failure)

    threading.Thread(target=do, name=name, daemon=True).start()
    return found


class Watch:
    """Rounds of work in a thread, with a pause after each. A round that fails is logged; the next may go better."""

    def __init__(self, name: str, turn: Callable[[], None], pause: float = LIMITS.watch_seconds) -> None:
        self._turn, self._pause = turn, pause
        self._begun, self._closing = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._turn_all, name=name, daemon=True)

    def start(self, seconds: float) -> bool:
        """Begin; whether the first round ended within so many seconds."""
        self._thread.start()
        return self._begun.wait(seconds)

    def close(self) -> None:
        """End after the round under way; one that hangs is left behind."""
        self._closing.set()
        if self._thread.is_alive():
            self._thread.join(LIMITS.watch_close_seconds)

    def _turn_all(self) -> None:
        self.round()
        self._begun.set()
        while not self._closing.wait(self._pause):
            self.round()

    def round(self) -> None:
        """One round, in the caller's thread. Never fails."""
        try:
            self._turn()
        except Exception:
            LOG.exception("%s: the round failed", self._thread.name)
