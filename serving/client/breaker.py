"""A circuit breaker: after failures in a row nobody asks for a while; then one asks, and the others wait for its fate.

Ours, as the libraries fall short of one thing each: pybreaker 1.4 holds its lock while the guarded call runs, so that
threads ask one after the other (danielfm/pybreaker#55); circuitbreaker takes no lock (fabfuel/circuitbreaker#61);
purgatory 3.0 lets everybody through when it is half open.
Source: Nygard, Release It!, 2nd edition, chapter 5.
"""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Literal

from serving.client.errors import CircuitOpenError, RefusedError, UnreachableError

State = Literal["closed", "open", "half open"]


class Breaker:
    """Closed until `failures` calls in a row fail, then open for `seconds`, then half open: one call is let through.

    clock: seconds that only grow. Safe to share between threads; calls run side by side.
    """

    def __init__(self, failures: int = 5, seconds: float = 10.0, clock: Callable[[], float] = time.monotonic) -> None:
        self._failures, self._seconds, self._clock = failures, seconds, clock
        self._lock = threading.Lock()
        self._in_a_row = 0
        self._opened_at = -seconds
        self._is_probed = False

    @property
    def state(self) -> State:
        """Where it stands."""
        if self._in_a_row < self._failures:
            return "closed"
        return "open" if self._clock() - self._opened_at < self._seconds else "half open"

    @contextmanager
    def guard(self, call: object = "the call") -> Iterator[None]:
        """Run the block. UnreachableError is a failure; a block that ends well, or with RefusedError, was answered.

        Raises CircuitOpenError at once where the circuit is open, or half open and another call is being tried.
        """
        is_probe = self._admit(call)
        has_failed = None  # interrupted, or stopped by an error of the caller's: nothing is learnt
        try:
            yield
            has_failed = False
        except UnreachableError:
            has_failed = True
            raise
        except RefusedError:
            has_failed = False
            raise
        finally:
            self._end(is_probe, has_failed)

    def _admit(self, call: object) -> bool:
        """Whether the call is the one that is let through half open."""
        with self._lock:
            state = self.state
            if state == "open" or (state == "half open" and self._is_probed):
                raise CircuitOpenError(f"{call}: not sent, the circuit is {state} after {self._in_a_row} failures")
            self._is_probed = state == "half open"
            return self._is_probed

    def _end(self, is_probe: bool, has_failed: bool | None) -> None:
        with self._lock:
            if is_probe:
                self._is_probed = False
            elif self._in_a_row >= self._failures:
                return  # begun before the circuit opened: old news
            if has_failed:
                self._in_a_row, self._opened_at = self._in_a_row + 1, self._clock()
            elif has_failed is False:
                self._in_a_row = 0
