"""Hands answered requests to a scribe, which writes them to the prediction log: never blocks or fails a request."""

import logging
import threading
import time

from feature_repo.settings import Settings
from feature_repo.table import Frame
from monitoring.prediction_log import Record
from serving.answering.dictation import Dictation, Report
from serving.answering.messages import Encoder, Rows
from serving.answering.spool import Spool
from serving.limits import LIMITS
from serving.telemetry.metrics import Metrics

LOG = logging.getLogger("talentml.serving")
ROUND_SECONDS = 0.1
"""How often what was written is noted, which takes the interpreter from the event loop for 0.2 ms."""
RESTART_SECONDS = 2.0
END_SECONDS = 1.0  # that a scribe's end may take on a busy machine


class Journal:
    """What waits for a scribe, and the thread that looks after both. What finds no room, or no database at the end, is
    counted.

    A record waits until the scribe reports on it: where it is killed the next one finds all others. They are bounded in
    number and in bytes.
    """

    def __init__(self, settings: Settings, metrics: Metrics) -> None:
        self._settings, self._metrics = settings, metrics
        self._encoder = Encoder()
        self._spool = Spool(LIMITS.log_waiting, LIMITS.log_waiting_bytes)
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._run, name="journal", daemon=True)
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
        try:
            return self._encoder.rows(features)
        except Exception:  # noqa: BLE001  to suppress them takes 1 us
            return None

    def add(self, record: Record, rows: Rows | None = None) -> None:
        """Put a record in the queue, or count it as dropped. Never waits, never fails.

        rows: its features, where they are held already; the record may be without them then.
        """
        try:
            is_added = not self._spool.is_full and self._spool.add(self._encoder.message(record, rows))
        except Exception:
            LOG.exception("an answer cannot be logged")
            is_added = False
        if not is_added:
            self._metrics.log_dropped.inc()

    def close(self) -> None:
        """Write what waits, for at most log_flush_seconds."""
        if self._closing.is_set():
            return
        self._closing.set()
        if self._thread.is_alive():
            self._thread.join(LIMITS.log_flush_seconds + END_SECONDS)
        self._metrics.log_dropped.inc(self._spool.count)
        if not self._thread.is_alive():
            self._spool.close()

    def _run(self) -> None:
        while not self._closing.is_set():
            self._try_round()
        end = time.monotonic() + LIMITS.log_flush_seconds
        while self._spool.count and not self._is_away and time.monotonic() < end:
            self._try_round()
        if self._scribe:
            self._finish(self._scribe, end)

    def _try_round(self) -> None:
        try:
            self._round()
        except Exception:  # without this thread nothing would be logged until the worker is begun again
            LOG.exception("a round of the prediction log failed")
            time.sleep(ROUND_SECONDS)

    def _finish(self, scribe: Dictation, end: float) -> None:
        """Let a scribe come to its end, until an instant."""
        scribe.finish()
        while not scribe.is_over and time.monotonic() < end:
            time.sleep(ROUND_SECONDS)
            self._note(scribe.reports())
        scribe.end()

    def _round(self) -> None:
        """Note what was written, and see that there is a scribe."""
        scribe = self._scribe or self._begun()
        time.sleep(ROUND_SECONDS)
        self._note(scribe.reports() if scribe else [])
        if scribe and scribe.is_over:
            LOG.warning("the scribe of the prediction log has ended, %s answers wait for another", self._spool.count)
            scribe.end()
            self._scribe = None

    def _begun(self) -> Dictation | None:
        """A new scribe; none if the last one was begun just now, or the system has no process left."""
        if time.monotonic() < self._started + RESTART_SECONDS:
            return None
        self._started = time.monotonic()
        try:
            self._scribe = Dictation(self._settings, self._spool)
        except OSError as error:
            LOG.warning("no scribe for the prediction log: %s", error)
        return self._scribe

    def _note(self, reports: list[Report]) -> None:
        """Count what was written or dropped, and make room."""
        for report in reports:
            self._spool.free(report.written + report.dropped)
            self._metrics.log_written.inc(report.written)
            self._metrics.log_dropped.inc(report.dropped)
            self._is_away = report.away is not None
            if report.away:
                waiting = self._spool.count
                LOG.warning("the prediction log cannot be written, %s more answers wait: %s", waiting, report.away)
            if report.error:
                LOG.error("an answer cannot be logged: %s", report.error)
        self._spool.give_back()
        self._metrics.log_waiting.set(self._spool.count)
        self._metrics.log_waiting_bytes.set(self._spool.bytes)
