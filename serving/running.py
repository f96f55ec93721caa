"""What one worker holds while it runs, and the threads that keep it fresh."""

import subprocess
import sys
import time
from collections.abc import Mapping

from feature_repo.platform import database
from feature_repo.settings import Settings
from serving.access.auth import Tokens
from serving.access.rates import Limiter
from serving.answering.answers import Answers
from serving.answering.features import Features, Read, read_for
from serving.answering.journal import Journal
from serving.answering.published import Published
from serving.answering.rehearsal import rehearse, rows_of
from serving.answering.shadow import Shadow
from serving.launch import environment
from serving.limits import LIMITS
from serving.platform import Platform
from serving.routes.feedback import Judgements
from serving.routes.refusals import Refusals
from serving.telemetry.metrics import Metrics
from serving.versions.models import Models
from serving.watch import Watch
from training.product import Product

RESTART_SECONDS = 10.0


class Running:
    """Built by the service when a worker starts; closed when it stops."""

    def __init__(self, settings: Settings, products: Mapping[str, Product]) -> None:
        self.settings, self.started = settings, time.monotonic()
        self.tokens = Tokens.of(settings)  # without a key nothing starts
        self.limiter = Limiter.of(settings)
        self.metrics = Metrics()
        self.features = Features(settings.root, products.values(), self._rehearse)
        self.models = Models(settings.root, products, self.warm_up, self.metrics)
        self.journal = Journal(settings, self.metrics)
        self.platform = Platform(lambda: database(settings))
        self.refusals = Refusals(self.platform, products)
        self.judgements = Judgements(lambda: database(settings), products, self.metrics)
        self.shadow = Shadow(self.journal, self.metrics)
        self.answers = Answers(self.features, self.models, self.journal, self.metrics, self.shadow)
        self._warm_ups: tuple[Published | None, dict[str, Read]] = None, {}
        self._follower: subprocess.Popen[bytes] | None = None
        self._follower_started = -RESTART_SECONDS
        # Apart: a store on a slow disk must not hold up a rollback.
        self._stores, self._champions = Watch("features", self._catch_up), Watch("models", self._follow)
        self._following = Watch("follower", self._keep_following)
        self._sharing = Watch("metrics", self.metrics.share)

    def start(self) -> None:
        """Follow what is published and promoted, from now on; waits for both, and no longer than twice open_seconds.

        Never fails. Features come first: models warm up on what requests will read.
        """
        self.shadow.start()
        self._stores.start(LIMITS.open_seconds)
        self._champions.start(LIMITS.open_seconds)
        self.journal.start()  # late, as the follower: the imports of each take a second of a core
        self._following.start(0)
        self._sharing.start(0)

    def close(self) -> None:
        """Stop following, and write what is not logged yet."""
        for watch in (self._following, self._champions, self._stores, self._sharing):
            watch.close()
        self.shadow.close()
        self.journal.close()
        self.refusals.close()
        self.platform.close()
        self.metrics.share()
        self._end_follower()  # late: one that hangs must not cost what is to be written
        self.judgements.close()  # last: it waits for what was begun, and a database may hang

    def warm_up(self, product: Product) -> Read:
        """A few rows as a request would read them, the last about a given thing; nulls if nothing is published.

        Read once of a snapshot: it takes 8 ms, most of which requests would wait for at each promotion.
        """
        now, kept = self._kept_warm_ups()
        read = kept.get(product.name)
        if read is None:
            read = read_for(now, rows_of(product.route, now), product.asked_columns)
            if read.snapshot is not None:  # else the next time may go better
                kept[product.name] = read
        return read

    def _kept_warm_ups(self) -> tuple[Published | None, dict[str, Read]]:
        """Of the snapshot that is read now; those of another one are let go."""
        now = self.features.current
        if self._warm_ups[0] is not now:
            self._warm_ups = now, {}
        return self._warm_ups

    def refresh(self) -> None:
        """Catch up with what was published and promoted, here and now. Never fails; the next time may go better."""
        for watch in (self._stores, self._champions):
            watch.round()

    def _rehearse(self, published: Published) -> None:
        rehearse(self.answers, self.models.products, published)

    def _catch_up(self) -> None:
        self.features.refresh()
        now, _ = self._kept_warm_ups()
        as_of, at = (now.snapshot.as_of, now.published_at) if now else (None, 0.0)
        self.metrics.note_features(as_of, at, is_failing=self.features.error is not None)

    def _follow(self) -> None:
        self.models.refresh()
        registry = self.models.registry
        if registry.checked_at and registry.error is None:  # else it grows old, for the alarm
            self.metrics.checked_seconds.set(registry.checked_at.timestamp())

    def _keep_following(self) -> None:
        is_gone = self._follower is None or self._follower.poll() is not None
        if is_gone and time.monotonic() - self._follower_started >= RESTART_SECONDS:
            self._follower_started = time.monotonic()
            self._follower = subprocess.Popen(
                [sys.executable, "-m", "serving.versions.follower"],
                stdin=subprocess.PIPE,
                env=environment(self.settings),
            )

    def _end_follower(self) -> None:
        """It ends with its input; one that hangs is killed."""
        if self._follower is None:
            return
        try:
            self._follower.communicate(timeout=LIMITS.watch_close_seconds)
        except subprocess.TimeoutExpired:
            self._follower.kill()
            self._follower.wait()
