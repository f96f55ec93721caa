"""A time by which a block must have ended, which may be moved."""

import asyncio
import math
from types import TracebackType
from typing import Self


class Deadlines:
    """Looks for the blocks that are late, by one timer of the event loop: to set one for each took 4 us of an answer.

    They are those of one event loop at a time: with another loop, whatever ran in the one before has ended.
    """

    def __init__(self) -> None:
        self.loop: asyncio.AbstractEventLoop | None = None
        self.looks_at = math.inf
        self.running: set[Deadline] = set()
        self._timer: asyncio.TimerHandle | None = None

    def begin(self, loop: asyncio.AbstractEventLoop) -> None:
        """Look after the blocks of a loop."""
        self.loop, self.looks_at, self.running = loop, math.inf, set()
        self._timer = None  # of another loop

    def look_at(self, end: float) -> None:
        """Look then, and see to the next look."""
        assert self.loop
        self.looks_at = end
        if self._timer:
            self._timer.cancel()
        self._timer = self.loop.call_at(end, self._look, self.loop)

    def _look(self, loop: asyncio.AbstractEventLoop) -> None:
        if loop is not self.loop:
            return
        now = loop.time()
        for late in [each for each in self.running if each.end <= now]:
            self.running.discard(late)
            late.give_up()
        self.looks_at = math.inf
        if self.running:
            self.look_at(min(each.end for each in self.running))


class Deadline:
    """asyncio.timeout as far as it is needed here, where it takes 4.7 us with its end moved once.

        with Deadline(deadlines, 10.0) as deadline: ...

    Raises TimeoutError where the block has not ended so many seconds after it began, or after `move` was last called.
    """

    __slots__ = ("_all", "_cancelled", "_is_over", "_loop", "_seconds", "_task", "end")

    def __init__(self, deadlines: Deadlines, seconds: float) -> None:
        self._all, self._seconds, self._is_over = deadlines, seconds, False

    def __enter__(self) -> Self:
        self._loop = loop = asyncio.get_running_loop()
        task = asyncio.current_task(loop)
        assert task
        self._task, self._cancelled = task, task.cancelling()
        if loop is not self._all.loop:
            self._all.begin(loop)
        self._all.running.add(self)
        self.move(self._seconds)
        return self

    def move(self, seconds: float) -> None:
        """End in so many seconds from now."""
        self.end = end = self._loop.time() + seconds
        if end < self._all.looks_at:  # else it is looked before, and then again in time
            self._all.look_at(end)

    def give_up(self) -> None:
        """End now."""
        self._is_over = True
        self._task.cancel()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._all.running.discard(self)
        if self._is_over and self._task.uncancel() <= self._cancelled and kind is asyncio.CancelledError:
            raise TimeoutError from error
