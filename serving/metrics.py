"""What Prometheus sees. Labels are bounded: products, routes, sources and reasons, never ids or paths."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest, values
from prometheus_client.multiprocess import MultiProcessCollector

SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.5, 5.0)


class Metrics:
    """Counters, histograms and gauges of one worker; `text` is that of all workers."""

    def __init__(self) -> None:
        self.registry = own = CollectorRegistry()
        self.requests = Counter("talentml_requests", "Requests answered", ["route", "status"], registry=own)
        self.request_seconds = Histogram(
            "talentml_request_seconds", "Time to answer", ["route"], buckets=SECONDS, registry=own
        )
        self.stage_seconds = Histogram(
            "talentml_stage_seconds", "Time per stage", ["product", "stage"], buckets=SECONDS, registry=own
        )
        self.answers = Counter("talentml_answers", "Answers", ["product", "source"], registry=own)
        self.fallbacks = Counter("talentml_fallbacks", "Answers by the rule", ["product", "reason"], registry=own)
        self.load_failures = Counter(
            "model_load_failures", "Promoted versions that could not be served", ["product"], registry=own
        )
        self.active = self._latest("active_model", "The version that serves, 0 for the rule", ["product"])
        self.snapshot_seconds = self._latest("features_as_of_seconds", "As-of instant of the online features", [])
        self.log_dropped = Counter("prediction_log_dropped", "Answers that were not logged", registry=own)
        self.log_written = Counter("prediction_log_written", "Answers that were logged", registry=own)

    def _latest(self, name: str, text: str, labels: list[str]) -> Gauge:
        return Gauge(f"talentml_{name}", text, labels, registry=self.registry, multiprocess_mode="livemostrecent")

    def text(self) -> bytes:
        """Prometheus' exposition format, over all workers where BentoML shares the metrics of several."""
        if not values.ValueClass._multiprocess:
            return generate_latest(self.registry)
        everyone = CollectorRegistry()
        MultiProcessCollector(everyone)  # type: ignore[no-untyped-call]
        return generate_latest(everyone)
