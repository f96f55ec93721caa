"""Says no when there is more to do than can be done, so that what is taken on stays fast.

Source: Hanmer 2007, Patterns for Fault Tolerant Software, "Shed Load"; AWS Builders' Library, "Using load shedding to
avoid overload".
"""

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

from serving.limits import LIMITS, Limits
from serving.schemas.problems import ProblemError


class Shedding:
    """Counts the requests that one worker has taken on, and begins them in the order of their arrival."""

    def __init__(self, limits: Limits = LIMITS) -> None:
        self._limits = limits
        self._turn = asyncio.Lock()
        self._refused = 0
        self.in_flight = 0

    @asynccontextmanager
    async def place(self) -> AsyncIterator[None]:
        """Take a place for as long as a request is worked on; wait for one's turn to begin.

        Raises ProblemError 503 where all places are taken, or where the turn takes longer than limits.wait_seconds.
        """
        if self.in_flight >= self._limits.in_flight:
            await self._refuse()
        self.in_flight += 1
        try:
            await self._wait()
            yield
        finally:
            self.in_flight -= 1

    @contextmanager
    def given_up(self) -> Iterator[None]:
        """Leave the place while the caller is slow to send: it costs nothing to wait, and many may."""
        self.in_flight -= 1
        try:
            yield
        finally:
            self.in_flight += 1

    async def _wait(self) -> None:
        """Begin one request per round of the event loop.

        Short answers never leave the loop. Begun at once, all that arrived together would be answered before the loop
        looks up: meanwhile it accepts nobody, and the queue is where it cannot be counted.
        """
        arrived = time.perf_counter()
        async with self._turn:
            await asyncio.sleep(0)
        if time.perf_counter() - arrived > self._limits.wait_seconds:
            await self._refuse()

    async def _refuse(self) -> None:
        """Say no, the later the more are told so at the moment, but within a second.

        Callers that try again at once, as load generators do, would else keep a worker busy with refusals: .2 to .7 ms
        each in BentoML's layers. Of 80 connections' goodput a fifth was lost with steps of 5 ms, nothing with 20.
        """
        self._refused += 1
        try:
            await asyncio.sleep(min(1.0, self._refused * self._limits.refusal_seconds))
        finally:
            self._refused -= 1
        raise ProblemError(503, "Too many requests at once; try again.", headers={"Retry-After": "1"})
