"""What Prometheus sees: every label bounded, every age computed when it asks."""

import os
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from serving.telemetry.metrics import Metrics
from serving.telemetry.trace import begin
from tests.serving.conftest import Service
from tests.serving.process import ROOT

WORKER = """
import sys
from serving.telemetry.metrics import Metrics
metrics = Metrics()
metrics.answered("/x", 200, 0.01)
metrics.in_flight.set(int(sys.argv[1]))
metrics.snapshot_seconds.set(float(sys.argv[2]))
metrics.share()
print("set", flush=True)
sys.stdin.read()
"""
SCRAPE = """
from prometheus_client import CollectorRegistry
from serving.telemetry.metrics import exposition
print(exposition(CollectorRegistry()).decode())
"""


def value(metrics: Metrics, name: str, **labels: str) -> float:
    return next(
        sample.value
        for family in text_string_to_metric_families(metrics.text().decode())
        for sample in family.samples
        if sample.name == name and sample.labels == labels
    )


def series(service: Service) -> int:
    lines = service.http.get("/metrics").text.splitlines()
    return sum(not line.startswith("#") for line in lines)


def test_a_thousand_made_up_paths_ids_methods_and_statuses_add_a_handful_of_series(service: Service) -> None:
    ask = service.http
    ask.get("/nowhere"), ask.get("/api/v1/trends/forecast/x"), service.rank(task_id="T60", candidates=["x"])
    before = series(service)
    for number in range(1_000):
        ask.get(f"/api/v1/made-up-{number}?x={number}")
        if number % 20 == 0:
            ask.get(f"/api/v1/trends/forecast/skill-{number}")
            ask.request(f"M{number}", "/api/v1/health")
            service.rank(task_id="T60", candidates=[f"nobody-{number}"], explain=False)
        service.running.metrics.answered("none", 1_000 + number, 0.001)
    text = ask.get("/metrics").text
    assert "made-up" not in text
    assert "nobody-" not in text
    assert series(service) - before < 100  # one histogram of a route is 15


@pytest.mark.parametrize(
    ("route", "status", "reason"),
    [
        ("none", 503, "overloaded"), ("/x", 503, "unavailable"), ("none", 429, "rate"), ("/x", 429, "rate"),
        ("none", 401, "unauthenticated"), ("/x", 403, "forbidden"), ("none", 413, "too_large"),
    ],
)  # fmt: skip
def test_a_request_that_is_turned_away_is_counted_with_the_reason(route: str, status: int, reason: str) -> None:
    metrics = Metrics()
    assert value(metrics, "talentml_refused_total", reason=reason) == 0
    metrics.answered(route, status, 0.001)
    assert value(metrics, "talentml_refused_total", reason=reason) == 1


def test_a_stage_is_in_the_histogram_and_in_the_request_s_trace() -> None:
    metrics = Metrics()
    trace = begin("r")
    with metrics.stage("task_assignment", "features"):
        pass
    labels = {"product": "task_assignment", "stage": "features"}
    assert value(metrics, "talentml_stage_seconds_count", **labels) == 1
    assert set(trace.stages) == {"features"}


@pytest.mark.parametrize(
    ("bound", "count"), [("0.001", 2), ("0.0025", 3), ("0.005", 3), ("2.5", 3), ("5.0", 4), ("+Inf", 5)]
)
def test_an_observation_is_in_every_bucket_whose_bound_is_no_less(bound: str, count: int) -> None:
    metrics = Metrics()
    for seconds in (6.0, 0.001, 0.0011, 0.0, 5.0):
        metrics.answered("/x", 200, seconds)
    assert value(metrics, "talentml_request_seconds_bucket", route="/x", le=bound) == count
    assert value(metrics, "talentml_request_seconds_sum", route="/x") == pytest.approx(11.0021)


def test_what_nobody_shares_is_shared_by_whoever_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("serving.telemetry.metrics.MOST_WAITING", 10)
    metrics = Metrics()
    for _ in range(25):
        metrics.answered("/x", 200, 0.001)
        assert len(metrics.request_seconds.labels("/x").waiting) <= 10
    assert value(metrics, "talentml_requests_total", route="/x", status="200") == 25


def test_staleness_is_the_age_of_the_as_of_instant_when_it_is_asked_for() -> None:
    metrics, published_at, as_of = Metrics(), time.time() - 60, 1_325_376_000
    metrics.note_features(datetime(2012, 1, 1, tzinfo=UTC), published_at, is_failing=False)
    for name, then in (("staleness", as_of), ("age", published_at)):
        before = time.time() - then
        found = value(metrics, f"talentml_features_{name}_seconds")
        assert before <= found <= time.time() - then


def test_what_was_never_there_is_infinitely_old() -> None:
    metrics = Metrics()
    assert value(metrics, "talentml_features_staleness_seconds") == float("inf")
    assert value(metrics, "talentml_registry_age_seconds") == float("inf")


def test_two_workers_add_up_the_oldest_counts_and_a_killed_one_is_forgotten(tmp_path: Path) -> None:
    variables = {**os.environ, "PROMETHEUS_MULTIPROC_DIR": str(tmp_path)}
    started = [
        subprocess.Popen(
            [sys.executable, "-c", WORKER, in_flight, as_of], env=variables, cwd=ROOT,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )
        for in_flight, as_of in (("2", "1000"), ("3", "2000"))
    ]  # fmt: skip
    for each in started:
        assert each.stdout is not None
        assert each.stdout.readline() == "set\n"
    before, both = time.time(), _scraped(variables)
    started[0].kill()
    started[0].wait()
    one = _scraped(variables)
    started[1].communicate("")
    lines = [("talentml_in_flight", 5.0, 3.0), ("talentml_features_as_of_seconds", 1000.0, 2000.0)]
    assert [(name, both[name], one[name]) for name, _, _ in lines] == lines
    requests = 'talentml_requests_total{route="/x",status="200"}'
    assert (both[requests], one[requests]) == (2.0, 2.0)
    assert before - 1000 <= both["talentml_features_staleness_seconds"] <= time.time() - 1000


def _scraped(variables: dict[str, str]) -> dict[str, float]:
    """As a scrape by a third process that has no metrics of its own yet."""
    done = subprocess.run(
        [sys.executable, "-c", SCRAPE], env=variables, cwd=ROOT, capture_output=True, text=True, check=True
    )
    lines = [line for line in done.stdout.splitlines() if line and not line.startswith("#")]
    return {name: float(text) for name, _, text in (line.rpartition(" ") for line in lines)}
