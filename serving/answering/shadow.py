"""Lets a challenger score along once an answer is given: in one thread, bounded, out of the answer's way."""

import logging
import queue
import threading
import time
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from pydantic_core import to_json

from monitoring.arm import Arm
from monitoring.prediction_log import Record
from serving.answering.features import Read
from serving.answering.heads import new_id
from serving.answering.journal import Journal
from serving.answering.scoring import Scored, score
from serving.limits import LIMITS
from serving.telemetry.metrics import Metrics
from serving.versions.loading import Champion

LOG = logging.getLogger("talentml.serving")


@dataclass(frozen=True)
class Beside:
    """An answer that was given, and who is to score its rows too. scored: the answer's own, before choosing."""

    challenger: Champion
    read: Read
    scored: Scored
    answered: Record


class Shadow:
    """A bounded queue and the thread that empties it. What finds no room is left out, and counted."""

    def __init__(self, journal: Journal, metrics: Metrics) -> None:
        self._journal, self._metrics = journal, metrics
        self._waiting: queue.Queue[Beside] = queue.Queue(LIMITS.shadow_waiting)
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._score_all, name="shadow", daemon=True)

    def start(self) -> None:
        """Begin to score."""
        self._thread.start()

    def add(self, beside: Beside) -> None:
        """Score it some time soon. Never waits, never fails."""
        try:
            self._waiting.put_nowait(beside)
        except queue.Full:
            self._leave_out(beside)

    def _leave_out(self, beside: Beside) -> None:
        self._metrics.shadow_left_out.labels(beside.answered.product).inc()

    @property
    def waits(self) -> int:
        """How many answers wait to be scored along."""
        return self._waiting.unfinished_tasks

    def close(self) -> None:
        """End after the one that is being scored. To be closed before the journal is."""
        self._closing.set()
        if self._thread.is_alive():
            self._thread.join(LIMITS.log_flush_seconds)

    def _score_all(self) -> None:
        while not self._closing.is_set():
            try:
                beside = self._waiting.get(timeout=LIMITS.watch_seconds)
            except queue.Empty:
                continue
            try:
                self._journal.add(record(beside))
            except Exception:
                LOG.exception("%s: the shadow failed", beside.answered.product)
                self._leave_out(beside)
            finally:
                self._waiting.task_done()


def record(beside: Beside) -> Record:
    """The challenger's scores of all rows, as a record of its own that names the answer that it stands beside.

    milliseconds: of the scoring alone; the answer's include reading, choosing and explaining.
    """
    challenger, begun = beside.challenger, time.perf_counter()
    scored = score(challenger.product, challenger, beside.read)
    spent = 1000 * (time.perf_counter() - begun)
    outputs = {name: values.tolist() for name, values in scored.outputs.items()}
    said = {"beside": beside.answered.prediction_id, **compared(beside.scored, scored), "outputs": outputs}
    return replace(
        beside.answered,
        prediction_id=new_id(),
        model_version=scored.champion.version.number if scored.champion else None,
        source="model" if scored.champion else "fallback",
        features=None,
        answer=to_json(said, inf_nan_mode="null"),
        milliseconds=round(spent, 3),
        arm=Arm.SHADOW,
    )


def compared(answered: Scored, shadow: Scored) -> dict[str, Any]:
    """same_first: whether the highest first output is in the same row; distance: the mean absolute difference.

    Of the rows that the models scored: by a rule both would say the same. Null where those are not the same, or none.
    """
    rows = answered.by_model
    if not rows.any() or (rows != shadow.by_model).any():
        return {"same_first": None, "distance": None}
    ours, theirs = (next(iter(scored.outputs.values()))[rows] for scored in (answered, shadow))
    return {"same_first": bool(ours.argmax() == theirs.argmax()), "distance": float(np.abs(ours - theirs).mean())}
