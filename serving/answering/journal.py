"""Hands answered requests to a scribe, which writes them to the prediction log: never blocks or fails a request."""

import logging
import threading
import time
from collections import deque
from contextlib import suppress

from feature_repo.settings import Settings
from feature_repo.table import Frame
from monitoring.prediction_log import Record
from serving.answering.dictation import Dictation, Report
from serving.answering.messages import Encoder, Message, Rows
from serving.limits import LIMITS
from serving.telemetry.metrics import Metrics

LOG = logging.getLogger("talentml.serving")
ROUND_SECONDS = 0.05
"""What comes meanwhile goes together: to wake a thread for each record takes the interpreter from the event loop.

Rounds of 10 ms gave 8 connections a p99 of 23 to 37 ms, these 11 to 14.
"""
RESTART_SECONDS = 2.0
END_SECONDS = 1.0  # that a scribe's end may take on a busy machine


class Journal:
    """What waits for a scribe, and the thread that speaks to it. What finds no room, or no database at the end, is
    counted.

    A message waits until the scribe reports on it: where it is killed the next one gets all others again. They are
    bounded in number and in bytes.
    """

    def __init__(self, settings: Settings, metrics: Metrics) -> None:
        self._settings, self._metrics = settings, metrics
        self._encoder = Encoder()
        self._unsent: deque[Message] = deque()
        self._count = self._bytes = 0
        self._lock = threading.Lock()
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._speak, name="journal", daemon=True)
        self._scribe: Dictation | None = None
        self._started = -RESTART_SECONDS
        self._is_away = False

    def start(self) -> None:
        """Begin to write."""
        self._thread.start()

    @property
    def scribe(self) -> int | None:
        """The process that writes, if there is one just now."""
        return self._scribe.pid if self._scribe else None

    def rows(self, features: Frame) -> Rows | None:
        """Features as messages hold them, None where they cannot be: `add` says why. Never fails."""
        with suppress(Exception):
            return self._encoder.rows(features)
        return None

    def add(self, record: Record, rows: Rows | None = None) -> None:
        """Put a record in the queue, or count it as dropped. Never waits, never fails.

        rows: its features, where they are held already; the record may be without them then.
        """
        try:
            message = self._encoder.message(record, rows) if self._count < LIMITS.log_waiting else None
        except Exception:
            LOG.exception("an answer cannot be logged")
            message = None
        if message and self._has_room(message.size):
            self._unsent.append(message)
        else:
            self._metrics.log_dropped.inc()

    def _has_room(self, size: int) -> bool:
        """Whether a message of so many bytes may wait; if so it is counted."""
        with self._lock:
            fits = self._count < LIMITS.log_waiting and self._bytes + size <= LIMITS.log_waiting_bytes
            self._count += fits
            self._bytes += size if fits else 0
            return fits

    def close(self) -> None:
        """Write what waits, for at most log_flush_seconds."""
        if self._closing.is_set():
            return
        self._closing.set()
        if self._thread.is_alive():
            self._thread.join(LIMITS.log_flush_seconds + END_SECONDS)
        self._metrics.log_dropped.inc(self._count)

    def _speak(self) -> None:
        while not self._closing.is_set():
            self._round()
        end = time.monotonic() + LIMITS.log_flush_seconds
        while self._count and not self._is_away and time.monotonic() < end:
            self._round()
        if self._scribe:
            self._finish(self._scribe, end)

    def _finish(self, scribe: Dictation, end: float) -> None:
        """Let a scribe come to its end, until an instant."""
        scribe.finish()
        while not scribe.is_over and time.monotonic() < end:
            self._note(scribe, scribe.exchange(ROUND_SECONDS))
        scribe.end()

    def _round(self) -> None:
        """Send what came, and note what was written."""
        scribe = self._scribe or self._begun()
        if scribe is None:
            self._measure()
            time.sleep(ROUND_SECONDS)
            return
        while self._unsent:
            scribe.give(self._unsent.popleft())
        self._note(scribe, scribe.exchange(ROUND_SECONDS))
        if scribe.is_over:
            LOG.warning("the scribe of the prediction log has ended, %s answers wait for another", self._count)
            scribe.end()
            self._unsent.extendleft(reversed(scribe.sent))
            self._scribe = None

    def _begun(self) -> Dictation | None:
        """A new scribe; none if the last one was begun just now, or the system has no process left."""
        if time.monotonic() < self._started + RESTART_SECONDS:
            return None
        self._started = time.monotonic()
        try:
            self._scribe = Dictation(self._settings)
        except OSError as error:
            LOG.warning("no scribe for the prediction log: %s", error)
        return self._scribe

    def _note(self, scribe: Dictation, reports: list[Report]) -> None:
        """Count what was written or dropped, and make room."""
        for report in reports:
            settled = [scribe.sent.popleft() for _ in range(report.written + report.dropped)]
            with self._lock:
                self._count -= len(settled)
                self._bytes -= sum(message.size for message in settled)
            self._metrics.log_written.inc(report.written)
            self._metrics.log_dropped.inc(report.dropped)
            self._is_away = report.away is not None
            if report.away:
                LOG.warning("the prediction log cannot be written, %s more answers wait: %s", self._count, report.away)
            if report.error:
                LOG.error("an answer cannot be logged: %s", report.error)
        self._measure()

    def _measure(self) -> None:
        self._metrics.log_waiting.set(self._count)
        self._metrics.log_waiting_bytes.set(self._bytes)
