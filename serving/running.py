"""What one worker holds while it runs, and the thread that keeps it fresh."""

import logging
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from typing import Any

import polars as pl

from feature_repo.entities import Entity
from feature_repo.platform import database
from feature_repo.settings import Settings
from serving.answers import Answers
from serving.auth import Tokens
from serving.fallback import columns_of
from serving.features import Asked, Features, Published, Read, read_for, stored_columns
from serving.feedback import Judgements
from serving.journal import Journal
from serving.launch import environment
from serving.limits import LIMITS
from serving.metrics import Metrics
from serving.models import Models
from serving.platform import Platform
from serving.rates import Limiter
from serving.shadow import Shadow
from training.product import Product

LOG = logging.getLogger("talentml.serving")
WARM_UP_ROWS = 8
NOBODY = "nobody"
RESTART_SECONDS = 10.0


class Running:
    """Built by the service when a worker starts; closed when it stops."""

    def __init__(self, settings: Settings, products: Mapping[str, Product]) -> None:
        self.settings, self.started = settings, time.monotonic()
        self.tokens = Tokens.of(settings)  # without a key nothing starts
        self.limiter = Limiter.of(settings)
        self.metrics = Metrics()
        self.features = Features(settings.root, products.values())
        self.models = Models(settings.root, products, self.warm_up, self.metrics)
        self.journal = Journal(lambda: database(settings), self.metrics)
        self.platform = Platform(lambda: database(settings))
        self.judgements = Judgements(lambda: database(settings), products)
        self.shadow = Shadow(self.journal)
        self.answers = Answers(self.features, self.models, self.journal, self.metrics, self.shadow)
        self._follower: subprocess.Popen[bytes] | None = None
        self._follower_started = -RESTART_SECONDS
        self._closing = threading.Event()
        self._watch = threading.Thread(target=self._watch_all, name="watch", daemon=True)

    def start(self) -> None:
        """Open what is published and load what was served last; follow changes from then on. Never fails."""
        self.refresh()
        self.journal.start()
        self.shadow.start()
        self._watch.start()

    def close(self) -> None:
        """Stop following, and write what is not logged yet."""
        self._closing.set()
        self._watch.join()
        self.judgements.close()
        self.platform.close()
        self.shadow.close()
        self.journal.close()
        if self._follower and self._follower.stdin:
            self._follower.stdin.close()
            self._follower.wait(LIMITS.log_flush_seconds)

    def warm_up(self, product: Product) -> Read:
        """A few rows as a request would read them, the last about a given thing; nulls if nothing is published."""
        return read_for(self.features.current, warm_up_rows(self.features.current, product), columns_of(product))

    def refresh(self) -> None:
        """Catch up with what was published and promoted. Never fails; the next round may go better."""
        self._refresh_features()
        self._refresh_models()

    def _refresh_features(self) -> None:
        try:
            self.features.refresh()
            now = self.features.current
            as_of, at = (now.snapshot.as_of, now.published_at) if now else (None, 0.0)
            self.metrics.note_features(as_of, at, is_failing=self.features.error is not None)
        except Exception:
            LOG.exception("cannot catch up with what was published")

    def _refresh_models(self) -> None:
        try:
            self.models.refresh()
            asked_at = self.models.registry.checked_at
            self.metrics.checked_seconds.set(asked_at.timestamp() if asked_at else 0)
        except Exception:
            LOG.exception("cannot catch up with what was promoted")

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


def warm_up_rows(published: Published | None, product: Product) -> Asked:
    """Some rows of the product's own route, about the first things that are known."""
    route = product.route
    subject = {entity.key: _anybody(published, entity) for entity in route.subject}
    rows: list[dict[str, str]] = [subject]
    if route.items:
        named = list(published.candidates(route.path, subject) if published else ())[:WARM_UP_ROWS]
        rows = [{route.items.key: item, **subject} for item in named or [_anybody(published, route.items)]]
    given: list[Any] = [None] * len(rows)
    if published and route.given and published.knows(route.subject[-1], subject[route.subject[-1].key]):
        last = route.subject[-1].key
        given[-1] = stored_columns(published, route.given, {last: subject[last]})
    spine = pl.DataFrame(rows, schema=dict.fromkeys(route.keys, pl.String))
    return Asked(route, spine.with_columns(**{name: pl.lit(x) for name, x in route.inputs.items()}), given, subject)


def _anybody(published: Published | None, entity: Entity) -> str:
    return max(published.known.get(entity, ()), default=NOBODY) if published else NOBODY
