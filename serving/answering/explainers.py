"""Threads for explanations, and others for extras: one that hangs takes its thread with it, never one that scores."""

import asyncio
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextvars import copy_context
from typing import Any, TypeVar

from feature_repo.errors import ServingError
from serving.limits import LIMITS

T = TypeVar("T")


class Explainers:
    """A few threads, and how many of them hang. Where all do, nothing waits for one: it is refused at once."""

    def __init__(self, threads: int = LIMITS.explanation_threads, seconds: float = LIMITS.explanation_seconds) -> None:
        self.threads, self.seconds, self.hanging = threads, seconds, 0
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="explainer")

    async def run(self, work: Callable[..., T], *given: Any) -> T:
        """The work's result.

        Raises TimeoutError after `seconds`, ServingError at once where every thread hangs, and what the work raises.
        """
        if self.hanging >= self.threads:
            raise ServingError(f"threads: {self.hanging} hang, allowed: fewer than {self.threads}")
        future = self._pool.submit(copy_context().run, work, *given)
        waited = asyncio.wrap_future(future)
        waited.add_done_callback(_retrieve)
        try:
            await asyncio.wait([waited], timeout=self.seconds)
        finally:  # whether it takes too long, or who asks is given up
            self._let_go(future)
        if future.cancelled() or not future.done():
            raise TimeoutError
        return future.result()

    def _let_go(self, future: Future[Any]) -> None:
        """Withdraw what waits; what has begun cannot be stopped, and hangs until it is done."""
        if not future.done() and not future.cancel():
            self.hanging += 1
            loop = asyncio.get_running_loop()
            future.add_done_callback(lambda _: loop.call_soon_threadsafe(self._back))

    def _back(self) -> None:
        self.hanging -= 1


def _retrieve(waited: asyncio.Future[Any]) -> None:
    """Take notice of an error: asyncio logs those that nobody took, with all that they say."""
    if not waited.cancelled():
        waited.exception()
