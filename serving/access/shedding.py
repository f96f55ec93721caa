"""Says no when there is more to do than can be done, so that what is taken on stays fast.

Source: Hanmer 2007, Patterns for Fault Tolerant Software, "Shed Load"; AWS Builders' Library, "Using load shedding to
avoid overload".
"""

import asyncio
import time
from collections import deque
from types import TracebackType

from serving.limits import LIMITS, Limits
from serving.schemas.problems import unavailable


class Shedding:
    """Counts the requests that one worker has taken on, and begins them in the order of their arrival.

    A request takes its place for as long as it is worked on, and waits for its turn to begin:

        async with shedding: ...

    Raises ProblemError 503 where all places are taken, or where the turn takes longer than limits.wait_seconds.
    given_up: a block in which the place is left, while the caller is slow to send: to wait costs nothing, and many may.
    """

    def __init__(self, limits: Limits = LIMITS) -> None:
        self._limits = limits
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._has_begun_one = False
        self._refused = 0
        self.in_flight = 0
        self.given_up = _GivenUp(self)

    async def __aenter__(self) -> None:
        await self.check()
        self.in_flight += 1
        if self._has_begun_one:
            try:
                await self._turn()
            except BaseException:
                self.in_flight -= 1
                raise
        else:
            self._has_begun_one = True
            asyncio.get_running_loop().call_soon(self._next)

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.in_flight -= 1

    async def check(self) -> None:
        """Raises ProblemError 503 where all places are taken: to be asked before one is taken, or taken again."""
        if self.in_flight >= self._limits.in_flight:
            await self._refuse()

    async def _turn(self) -> None:
        arrived = time.perf_counter()
        self._waiting.append(turn := asyncio.get_running_loop().create_future())
        await turn
        if time.perf_counter() - arrived > self._limits.wait_seconds:
            with self.given_up:
                await self._refuse()

    def _next(self) -> None:
        """Begin one request per round of the event loop.

        Short answers never leave the loop. Begun at once, all that arrived together would be answered before the loop
        looks up: meanwhile it accepts nobody, and the queue is where it cannot be counted.
        """
        while self._waiting:
            turn = self._waiting.popleft()
            if not turn.done():  # it is where the request was cancelled
                turn.set_result(None)
                turn.get_loop().call_soon(self._next)
                return
        self._has_begun_one = False

    async def _refuse(self) -> None:
        """Say no, the later the more are told so at the moment, but within a second.

        Callers that try again at once, as load generators do, would else keep a worker busy with refusals. Of 80
        connections' goodput a fifth was lost with steps of 5 ms, nothing with 20.
        """
        self._refused += 1
        try:
            await asyncio.sleep(min(1.0, self._refused * self._limits.refusal_seconds))
        finally:
            self._refused -= 1
        raise unavailable("Too many requests at once; try again.", 1)


class _GivenUp:
    """A block without a place."""

    def __init__(self, shedding: Shedding) -> None:
        self._shedding = shedding

    def __enter__(self) -> None:
        self._shedding.in_flight -= 1

    def __exit__(self, *_: object) -> None:
        self._shedding.in_flight += 1
