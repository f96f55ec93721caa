"""Writes answered requests to the prediction log in the background: it never blocks or fails a request."""

import logging
import queue
import threading
from collections.abc import Callable
from contextlib import suppress

from pydantic_core import to_json
from sqlalchemy import Engine
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError, ProgrammingError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from feature_repo.errors import TalentError
from feature_repo.table import size
from monitoring.prediction_log import Record, append
from serving.limits import LIMITS
from serving.telemetry.metrics import Metrics

LOG = logging.getLogger("talentml.serving")
RETRY_SECONDS = 1.0
ROW_BYTES = 1_000
"""Memory of an answered row without factors: 970 bytes measured."""
REFUSED = (IntegrityError, DataError, ProgrammingError)
"""What a database says of records that it will never take; with any other error it is away, and asked again."""


class Journal:
    """A bounded queue and the thread that empties it. What finds no room, or no database at the end, is counted.

    Bounded in records and in the bytes that they hold, those of the batch being written included.
    """

    def __init__(self, connect: Callable[[], Engine], metrics: Metrics) -> None:
        self._connect, self._metrics = connect, metrics
        self._waiting: queue.Queue[Record | None] = queue.Queue(LIMITS.log_waiting)
        self._bytes, self._lock = 0, threading.Lock()
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._write_all, name="journal", daemon=True)
        self._engine: Engine | None = None
        self._held: list[Record] = []
        """The batch that is being written."""

    def start(self) -> None:
        """Begin to write."""
        self._thread.start()

    def add(self, record: Record) -> None:
        """Put a record in the queue, or count it as dropped. Never waits."""
        size = size_of(record)
        if not self._has_room(size):
            self._metrics.log_dropped.inc()
            return
        try:
            self._waiting.put_nowait(record)
        except queue.Full:
            self._metrics.log_dropped.inc()
            self._release(size)

    def _has_room(self, size: int) -> bool:
        """Whether so many bytes more may wait; if so they are counted."""
        with self._lock:
            fits = self._bytes + size <= LIMITS.log_waiting_bytes
            self._bytes += size if fits else 0
            return fits

    def _release(self, size: int) -> None:
        with self._lock:
            self._bytes -= size

    def close(self) -> None:
        """Write what waits, for at most log_flush_seconds."""
        self._closing.set()
        with suppress(queue.Full):
            self._waiting.put_nowait(None)  # wakes the writer
        self._thread.join(LIMITS.log_flush_seconds)
        hung = len(self._held) if self._thread.is_alive() else 0
        self._metrics.log_dropped.inc(self._waiting.qsize() + hung)

    def _write_all(self) -> None:
        while self._held or not (self._closing.is_set() and self._waiting.empty()):
            self._held = self._held or self._batch()
            self._measure()
            if not self._written(self._held):
                if not self._closing.wait(RETRY_SECONDS):
                    continue  # the database is away: hold on to these, the queue takes the next ones
                self._metrics.log_dropped.inc(len(self._held))
            self._release(sum(map(size_of, self._held)))
            self._held = []
            self._measure()

    def _measure(self) -> None:
        self._metrics.log_waiting.set(self._waiting.qsize())
        self._metrics.log_waiting_bytes.set(self._bytes)

    def _batch(self) -> list[Record]:
        """The next records, as many as wait; empty after a moment without any."""
        batch: list[Record | None] = []
        with suppress(queue.Empty):
            batch.append(self._waiting.get(timeout=LIMITS.watch_seconds))
            while len(batch) < LIMITS.log_batch:
                batch.append(self._waiting.get_nowait())
        return [record for record in batch if record]

    def _written(self, batch: list[Record]) -> bool:
        """Whether the batch needs no second try: it is written, or no database would take it."""
        try:
            self._engine = self._engine or self._connect()
            append(self._engine, batch)
        except Exception as error:
            if _is_away(error):
                LOG.warning(
                    "the prediction log cannot be written, %s more answers wait: %s", self._waiting.qsize(), error
                )
                return False
            LOG.exception("%s answers cannot be logged", len(batch))
            self._metrics.log_dropped.inc(len(batch))
            return True
        self._metrics.log_written.inc(len(batch))
        return True


def _is_away(error: Exception) -> bool:
    return isinstance(error, (DBAPIError, PoolTimeoutError, TalentError)) and not isinstance(error, REFUSED)


def size_of(record: Record) -> int:
    """About how many bytes of memory a record holds. Texts of a request may be long, those of an answer are not."""
    frame = record.features
    rows = 0 if frame is None else size(frame) + ROW_BYTES * min(frame.height, LIMITS.answers)
    return rows + len(to_json(record.request)) + ROW_BYTES
