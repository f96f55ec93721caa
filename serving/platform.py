"""The platform's database as requests use it: connected to when it is first asked, in threads of its own.

Not in asyncio's threads: models are scored there, and a database that hangs would hold all of them.
"""

import asyncio
import logging
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from feature_repo.errors import SettingsError, SourceError
from serving.limits import LIMITS
from serving.schemas.problems import ProblemError, unavailable

LOG = logging.getLogger("talentml.serving")
AWAY: tuple[type[Exception], ...] = (SourceError, SettingsError, SQLAlchemyError, TimeoutError)
"""What asking a database that is away, hardly there or too slow may raise, also where its address is none."""
T = TypeVar("T")


class Platform:
    """The engine of one worker, made once, and threads for what is asked of it.

    connect: gives the engine, or raises SourceError.
    """

    def __init__(
        self, connect: Callable[[], Engine], threads: int = LIMITS.platform_threads, name: str = "platform"
    ) -> None:
        self._connect, self._lock = connect, threading.Lock()
        self._engine: Engine | None = None
        self._threads = ThreadPoolExecutor(threads, name)

    def engine(self) -> Engine:
        """The engine. Raises SourceError when there is no database yet."""
        with self._lock:
            self._engine = self._engine or self._connect()
            return self._engine

    async def read(self, question: Callable[[Engine], T]) -> T:
        """What the database answers. Raises ProblemError 503 when it is away, or slower than database_seconds."""
        try:
            async with asyncio.timeout(LIMITS.database_seconds):
                return await asyncio.wrap_future(self.submit(lambda: question(self.engine())))
        except AWAY as error:
            LOG.warning("the platform's database cannot be asked: %s", str(error) or "too slow")
            raise away() from None

    def submit(self, work: Callable[[], T]) -> "Future[T]":
        """Begin work in a thread; it goes on whoever stops waiting for it."""
        return self._threads.submit(work)

    def close(self, wait: bool = False) -> None:
        """Begin nothing else, and let the connections go. wait: for what was begun."""
        self._threads.shutdown(wait, cancel_futures=True)
        if self._engine is not None:
            self._engine.dispose()


def away(consequence: str = "") -> ProblemError:
    """The answer when the database is away. consequence: what was not done therefore, as a sentence."""
    return unavailable(f"The platform's database does not answer. {consequence}".strip())
