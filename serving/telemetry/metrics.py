"""What Prometheus sees. Labels are bounded: products, routes, sources and reasons, never ids or paths."""

import os
import time
from collections import defaultdict
from collections.abc import Iterable, Sequence
from contextlib import suppress
from datetime import datetime
from functools import lru_cache
from http import HTTPStatus
from pathlib import Path
from threading import Lock
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Gauge, generate_latest, values
from prometheus_client.metrics_core import GaugeMetricFamily, Metric
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead
from prometheus_client.registry import Collector

from serving.telemetry.tallies import Count, Family, Level, Seconds, Spread
from serving.telemetry.trace import CURRENT, NO_ROUTE

SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.5, 5.0)
TURNED_AWAY = {503: "overloaded", 429: "rate", 401: "unauthenticated", 403: "forbidden", 413: "too_large"}
"""Why a request was turned away, by the status of the answer."""
UNAVAILABLE = "unavailable"
"""Why, where a route that was reached answers 503: something that it needs is away, or it took too long."""
UNSTORED = {
    403: "forbidden", 404: "unknown answer", 409: "somebody else's", 422: "unclear", 429: "too many", 503: "away",
}  # fmt: skip
"""Why feedback was not stored, by the status of the answer."""
STATUSES = frozenset(str(status.value) for status in HTTPStatus)
OTHER = "other"
MOST_WAITING = 2**16
"""Observations of one route; after as many somebody shares who has not to."""
KNOWN_ANSWERS = 4_096
"""Routes and statuses whose tallies are found in one look."""
AGES = {
    "talentml_features_as_of_seconds": ("talentml_features_staleness_seconds", "Since the features' as-of instant"),
    "talentml_features_published_seconds": ("talentml_features_age_seconds", "Since they were published"),
    "talentml_registry_checked_seconds": ("talentml_registry_age_seconds", "Since the registry last answered"),
}
"""By the gauge of an instant the age that is derived from it."""


class Metrics:
    """Counters, histograms and gauges of one worker; `text` is that of all workers.

    What changes with every answer is a tally: others see it once it is shared, which a running worker does every half
    second. One that is killed takes what it has not shared with it.
    """

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._sharing = Lock()
        self._busy: list[Family[Any] | Level] = []
        self.requests = self._counts("requests", "Requests answered", ["route", "status"])
        self.request_seconds = self._seconds("request_seconds", "Time to answer", ["route"])
        self.stage_seconds = self._seconds("stage_seconds", "Time per stage", ["product", "stage"])
        self.answers = self._counts("answers", "Answers", ["product", "source"])
        self.fallbacks = self._counts("fallbacks", "Answers by the rule", ["product", "reason"])
        self.cache = self._counts("cache", "Looks into the cache of answers", ["product", "result"])
        self.in_flight = Level(self._gauge("in_flight", "Requests that are being answered", "livesum"))
        self._busy.append(self.in_flight)
        self._of_requests = lru_cache(KNOWN_ANSWERS)(self._requests_of)
        self._add_refusals()
        self._add_models()
        self._add_clocks()
        self._add_log()
        self._add_words()

    def _counts(self, name: str, text: str, labels: Sequence[str]) -> Family[Count]:
        family = Counter(f"talentml_{name}", text, labels, registry=self.registry)
        self._busy.append(tallies := Family(lambda *values: Count(family.labels(*values))))
        return tallies

    def _seconds(self, name: str, text: str, labels: Sequence[str]) -> Family[Spread]:
        family = Seconds(f"talentml_{name}", text, labels, buckets=SECONDS, registry=self.registry)
        self._busy.append(tallies := Family(lambda *values: Spread(family.labels(*values), SECONDS)))
        return tallies

    def _add_refusals(self) -> None:
        self.refused = Counter("talentml_refused", "Requests turned away", ["reason"], registry=self.registry)
        for reason in (*TURNED_AWAY.values(), UNAVAILABLE):
            self.refused.labels(reason)

    def _add_models(self) -> None:
        failures = "Champions and challengers that could not be served"
        self.load_failures = Counter("model_load_failures", failures, ["product"], registry=self.registry)
        active = "The version that serves, 0 for the rule"
        self.active = self._gauge("active_model", active, "livemostrecent", ["product"])

    def _add_clocks(self) -> None:
        """Instants, of the worker that is furthest behind; 0 for never."""
        self.snapshot_seconds = self._gauge("features_as_of_seconds", "As-of instant of the online features", "livemin")
        self.published_seconds = self._gauge("features_published_seconds", "When they were published", "livemin")
        self.checked_seconds = self._gauge("registry_checked_seconds", "When the registry last answered", "livemin")
        self.features_failing = self._gauge("features_failing", "1 where the newest cannot be opened", "livemax")

    def _add_log(self) -> None:
        own = self.registry
        self.log_dropped = Counter("prediction_log_dropped", "Answers that were not logged", registry=own)
        self.log_written = Counter("prediction_log_written", "Answers that were logged", registry=own)
        self.log_waiting = self._gauge("prediction_log_waiting", "Answers that wait to be logged", "livesum")
        self.log_waiting_bytes = self._gauge("prediction_log_waiting_bytes", "Memory that they hold", "livesum")

    def _add_words(self) -> None:
        own = self.registry
        self.feedback = Counter("talentml_feedback", "Feedback that was stored", ["product", "result"], registry=own)
        self.unstored = Counter("talentml_feedback_refused", "Feedback that was not", ["reason"], registry=own)
        for reason in UNSTORED.values():
            self.unstored.labels(reason)
        left_out = "Answers that a challenger in the shadow was to score along and did not"
        self.shadow_left_out = Counter("talentml_shadow_left_out", left_out, ["product"], registry=own)

    def _gauge(self, name: str, text: str, across: str, labels: Iterable[str] = ()) -> Gauge:
        """across: how the values of several workers become one."""
        return Gauge(f"talentml_{name}", text, labels, registry=self.registry, multiprocess_mode=across)  # type: ignore[arg-type]

    def stage(self, product: str, name: str) -> "_Stage":
        """Time a stage of an answer, for the histogram and for the request's line in the log, in a `with` block."""
        return _Stage(self.stage_seconds.labels(product, name), name)

    def answered(self, route: str, status: int, seconds: float) -> None:
        """Count a request. route: as declared, never the path. A status that HTTP does not know is `other`."""
        requests, request_seconds, refused = self._of_requests(route, status)
        requests.inc()
        request_seconds.observe(seconds)
        if refused is not None:
            refused.inc()
        if len(request_seconds.waiting) > MOST_WAITING:
            self.share()

    def _requests_of(self, route: str, status: int) -> tuple[Count, Spread, Counter | None]:
        """What a request with this answer changes."""
        number = str(status) if str(status) in STATUSES else OTHER
        reason = UNAVAILABLE if status == 503 and route != NO_ROUTE else TURNED_AWAY.get(status)
        refused = self.refused.labels(reason) if reason else None
        return self.requests.labels(route, number), self.request_seconds.labels(route), refused

    def note_features(self, as_of: datetime | None, published: float, is_failing: bool) -> None:
        """What is read: its as-of instant, None without; when it was published (s since 1970); if a newer one fails."""
        self.snapshot_seconds.set(as_of.timestamp() if as_of else 0)
        self.published_seconds.set(published)
        self.features_failing.set(is_failing)

    def share(self) -> None:
        """Put what was counted since the last time where other workers see it."""
        with self._sharing:
            for each in self._busy:
                each.share()

    def text(self) -> bytes:
        """Prometheus' exposition format, over all workers where BentoML shares the metrics of several."""
        self.share()
        return exposition(self.registry)

    def given(self) -> dict[str, dict[str, float]]:
        """Product -> source -> answers that all workers gave since they started."""
        self.share()
        found: dict[str, dict[str, float]] = defaultdict(lambda: defaultdict(float))
        for sample in (sample for family in everyone(self.registry).collect() for sample in family.samples):
            if sample.name == "talentml_answers_total":
                found[sample.labels["product"]][sample.labels["source"]] += sample.value
        return found


class _Stage:
    """A block that is timed. A class: contextlib's takes 2 us more."""

    __slots__ = ("_begun", "_histogram", "_name")

    def __init__(self, histogram: Spread, name: str) -> None:
        self._histogram, self._name = histogram, name

    def __enter__(self) -> None:
        self._begun = time.perf_counter()

    def __exit__(self, kind: object, error: object, trace: object) -> None:
        seconds = time.perf_counter() - self._begun
        self._histogram.observe(seconds)
        if current := CURRENT.get():
            current.took(self._name, seconds)


def exposition(own: CollectorRegistry) -> bytes:
    """The metrics of everyone."""
    return generate_latest(everyone(own))


def everyone(own: CollectorRegistry) -> CollectorRegistry:
    """The metrics of this process; or of all that share PROMETHEUS_MULTIPROC_DIR, where it is set."""
    found = CollectorRegistry()
    if values.ValueClass._multiprocess:
        _forget_dead_workers(Path(os.environ["PROMETHEUS_MULTIPROC_DIR"]))
        MultiProcessCollector(own := CollectorRegistry())  # type: ignore[no-untyped-call]
    found.register(_WithAges(own))
    return found


class _WithAges(Collector):
    """What was collected, and how old it is now: an age that was set would stand still with its worker."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.registry = registry

    def describe(self) -> Iterable[Metric]:
        """Nothing: names are not checked twice."""
        return ()

    def collect(self) -> Iterable[Metric]:
        """Ages are infinite where there was never anything."""
        for metric in self.registry.collect():
            yield metric
            if metric.name in AGES and metric.samples:
                at = min(sample.value for sample in metric.samples)
                yield GaugeMetricFamily(*AGES[metric.name], value=time.time() - at if at else float("inf"))


def _forget_dead_workers(folder: Path) -> None:
    """A worker that was killed leaves its gauges behind: its requests in flight would be so for ever."""
    for pid in {int(file.stem.rpartition("_")[2]) for file in folder.glob("gauge_live*.db")}:
        with suppress(PermissionError):
            try:
                os.kill(pid, 0)
            except ProcessLookupError:
                mark_process_dead(pid)  # type: ignore[no-untyped-call]
