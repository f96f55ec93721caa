"""Answers kept by the client: given again for an hour, and for a day where the service cannot be reached."""

import threading
import time
from collections.abc import Callable
from typing import NamedTuple

from cachetools import TTLCache

Key = tuple[str, str, bytes]
"""Method, route and the canonical body: its names sorted."""


class Kept(NamedTuple):
    """An answer's bytes, so that what a caller does to an answer does not change the next one. age: seconds."""

    body: bytes
    age: float
    is_fresh: bool


class Cache:
    """At most `most` answers, the least recently used leave first. Safe to share between threads.

    A product's answer of 10 items with factors is 10 to 30 KB, so a full cache holds about 20 MB.
    """

    def __init__(
        self,
        most: int = 1_000,
        seconds: float = 3_600.0,
        stale_seconds: float = 86_400.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._seconds, self._clock = seconds, clock
        self._held: TTLCache[Key, tuple[bytes, float]] = TTLCache(most, max(seconds, stale_seconds), clock)
        self._lock = threading.Lock()

    def get(self, key: Key) -> Kept | None:
        """What is kept, however old."""
        with self._lock:
            found = self._held.get(key)
        if found is None:
            return None
        body, at = found
        age = self._clock() - at
        return Kept(body, age, age < self._seconds)

    def put(self, key: Key, body: bytes) -> None:
        """Keep an answer."""
        with self._lock:
            self._held[key] = body, self._clock()
