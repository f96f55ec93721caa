"""What one worker holds while it runs, and the thread that keeps it fresh."""

import logging
import subprocess
import sys
import threading
import time
from collections.abc import Mapping

import polars as pl

from feature_repo.platform import database
from feature_repo.settings import Settings
from serving.answers import Answers
from serving.fallback import columns_of
from serving.features import Asked, Features, Read, read_for, stored_task
from serving.journal import Journal
from serving.launch import environment
from serving.limits import LIMITS
from serving.metrics import Metrics
from serving.models import Models
from training.product import Product

LOG = logging.getLogger("talentml.serving")
WARM_UP_ROWS = 8
RESTART_SECONDS = 10.0


class Running:
    """Built by the service when a worker starts; closed when it stops."""

    def __init__(self, settings: Settings, products: Mapping[str, Product]) -> None:
        self.settings, self.started = settings, time.monotonic()
        self.metrics = Metrics()
        self.features = Features(settings.root)
        self.models = Models(settings.root, products, self.warm_up, self.metrics)
        self.journal = Journal(lambda: database(settings), self.metrics)
        self.answers = Answers(self.features, self.models, self.journal, self.metrics)
        self._follower: subprocess.Popen[bytes] | None = None
        self._follower_started = -RESTART_SECONDS
        self._closing = threading.Event()
        self._watch = threading.Thread(target=self._watch_all, name="watch", daemon=True)

    def start(self) -> None:
        """Open what is published and load what was served last; follow changes from then on. Never fails."""
        self.refresh()
        self.journal.start()
        self._watch.start()

    def close(self) -> None:
        """Stop following, and write what is not logged yet."""
        self._closing.set()
        self._watch.join()
        self.journal.close()
        if self._follower and self._follower.stdin:
            self._follower.stdin.close()
            self._follower.wait(LIMITS.log_flush_seconds)

    def warm_up(self, product: Product) -> Read:
        """A few rows as a request would read them, the last about a given task; of nulls where nothing is published."""
        published = self.features.current
        columns = columns_of(product)
        if published is None or not published.tasks or not published.people:
            nobody = Asked(pl.DataFrame({"person_id": ["nobody"], "task_id": ["nothing"]}), [None])
            return read_for(None, nobody, columns)
        people = sorted(published.candidates or published.people)[:WARM_UP_ROWS]
        tasks = [max(published.tasks)] * len(people)
        given = [*[None] * (len(people) - 1), stored_task(published, tasks[-1])]
        return read_for(published, Asked(pl.DataFrame({"person_id": people, "task_id": tasks}), given), columns)

    def refresh(self) -> None:
        """Catch up with what was published and promoted. Never fails; the next round may go better."""
        try:
            self.features.refresh()
            if self.features.current:
                self.metrics.snapshot_seconds.set(self.features.current.snapshot.as_of.timestamp())
            self.models.refresh()
        except Exception:
            LOG.exception("cannot catch up with what was published and promoted")

    def _watch_all(self) -> None:
        while not self._closing.wait(LIMITS.watch_seconds):
            self._keep_following()
            self.refresh()

    def _keep_following(self) -> None:
        is_gone = self._follower is None or self._follower.poll() is not None
        if is_gone and time.monotonic() - self._follower_started >= RESTART_SECONDS:
            self._follower_started = time.monotonic()
            self._follower = subprocess.Popen(
                [sys.executable, "-m", "serving.follower"], stdin=subprocess.PIPE, env=environment(self.settings)
            )
