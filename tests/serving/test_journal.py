"""The prediction log is written by a scribe, a process of its own, and never in the way."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

import numpy as np
import polars as pl
import psutil
import pytest
from sqlalchemy import Engine, create_engine, select

from feature_repo.column import Column
from feature_repo.platform import database
from feature_repo.platform.tables import prediction_log
from feature_repo.settings import Settings
from feature_repo.table import Table
from feature_repo.window import Window
from monitoring.prediction_log import append, packed, read, unpacked
from serving.answering import journal
from serving.answering.journal import Journal
from serving.answering.messages import MOST_FORMS
from serving.limits import LIMITS
from serving.telemetry.metrics import Metrics
from tests.faults.front import Way, front
from tests.feature_repo.postgres import fresh_database
from tests.serving.process import free_port, until
from tests.serving.records import AT, record, rows

SOON = 60.0  # at most, on a busy machine
WRITTEN, DROPPED = "prediction_log_written_total", "prediction_log_dropped_total"
BYTES = "talentml_prediction_log_waiting_bytes"
WORKER = """
import time
from feature_repo.settings import load
from serving.answering.journal import Journal
from serving.telemetry.metrics import Metrics
from tests.serving.records import record
log = Journal(load(), Metrics())
log.start()
while not log.scribe:
    time.sleep(0.01)
for number in range(20):
    log.add(record(number))
print(log.scribe, flush=True)
time.sleep(60)
"""


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path, _env_file=None)


@pytest.fixture
def engine(settings: Settings) -> Engine:
    return database(settings)


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A scribe that has just begun takes its time where the machine is busy."""
    monkeypatch.setattr(journal, "LIMITS", replace(LIMITS, log_flush_seconds=SOON))


def value(metrics: Metrics, name: str) -> float | None:
    return metrics.registry.get_sample_value(name)


@contextmanager
def started(settings: Settings, metrics: Metrics) -> Iterator[Journal]:
    """A journal that writes; closed in any case."""
    log = Journal(settings, metrics)
    log.start()
    try:
        yield log
    finally:
        log.close()


def test_everything_that_waits_is_written_on_closing(settings: Settings, engine: Engine) -> None:
    metrics = Metrics()
    log = Journal(settings, metrics)
    for number in range(500):
        log.add(record(number))
    log.start()
    log.close()
    assert rows(engine) == value(metrics, WRITTEN) == 500
    assert value(metrics, DROPPED) == 0


def test_a_full_queue_drops_and_counts_and_never_waits(settings: Settings) -> None:
    metrics = Metrics()
    log = Journal(settings, metrics)  # not started: nothing empties it
    one = record(1)
    for _ in range(LIMITS.log_waiting + 5):
        log.add(one)
    assert value(metrics, DROPPED) == 5


def test_what_waits_is_bounded_in_bytes_too_and_its_room_is_free_once_it_is_written(
    settings: Settings, engine: Engine
) -> None:
    metrics = Metrics()
    log = Journal(settings, metrics)
    long = replace(record(1), request={"text": "x" * (LIMITS.log_waiting_bytes // 10)})
    for number in range(12):
        log.add(replace(long, prediction_id=f"long-{number}"))
    assert value(metrics, DROPPED) == 3  # ten and what else is in them are too much
    log.start()
    until(lambda: rows(engine) == 9, SOON)
    until(lambda: value(metrics, BYTES) == 0, SOON)
    log.add(replace(long, prediction_id="one more"))
    log.close()
    assert rows(engine) == 10


def test_a_record_that_no_database_takes_is_dropped_and_counted(settings: Settings, engine: Engine) -> None:
    metrics = Metrics()
    with started(settings, metrics) as log:
        log.add(replace(record(1), source="oracle"))
        until(lambda: value(metrics, DROPPED) == 1, SOON)
        log.add(record(2))
    assert rows(engine) == 1


def test_what_cannot_even_be_sent_is_dropped_and_fails_no_answer(settings: Settings) -> None:
    metrics = Metrics()
    Journal(settings, metrics).add(replace(record(1), request_id=object()))  # type: ignore[arg-type]
    assert value(metrics, DROPPED) == 1


def test_a_scribe_that_is_killed_is_replaced_and_every_record_is_written_once(
    settings: Settings, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journal, "RESTART_SECONDS", 0.1)
    metrics, killed = Metrics(), set()
    with started(settings, metrics) as log:
        for hundred in range(4):
            before = rows(engine)
            for number in range(100):
                log.add(record(100 * hundred + number))
                time.sleep(0.001)
            until(lambda before=before: rows(engine) > before and log.scribe not in (None, *killed), SOON)  # type: ignore[misc]
            assert log.scribe
            killed.add(log.scribe)
            os.kill(log.scribe, signal.SIGKILL)
        until(lambda: value(metrics, WRITTEN) == 400, SOON)
        until(lambda: not any(psutil.pid_exists(each) for each in killed), SOON)  # nor as a zombie
    assert (rows(engine), value(metrics, DROPPED), len(killed)) == (400, 0, 4)


def test_a_scribe_is_not_ended_by_what_ends_a_whole_group(settings: Settings, engine: Engine) -> None:
    """Such as Ctrl-C: what is answered until the worker has closed is written too."""
    metrics = Metrics()
    with started(settings, metrics) as log:
        log.add(record(1))
        until(lambda: rows(engine) == 1, SOON)
        scribe = log.scribe
        assert scribe
        for each in (signal.SIGINT, signal.SIGTERM):
            os.kill(scribe, each)
        log.add(record(2))
        until(lambda: rows(engine) == 2, SOON)
        assert log.scribe == scribe


def test_a_closed_journal_leaves_no_process_and_no_memory(settings: Settings, engine: Engine) -> None:
    before = shared_memory()
    with started(settings, Metrics()) as log:
        until(lambda: log.scribe is not None, SOON)
        scribe = log.scribe
        assert shared_memory() - before
    assert scribe
    assert not psutil.pid_exists(scribe)
    assert not shared_memory() - before


def shared_memory() -> set[int]:
    """The anonymous files of journals that this process has open."""
    files = Path("/proc/self/fd").glob("*")
    return {each.stat().st_ino for each in files if "memfd:prediction_log" in os.path.realpath(each)}


def test_a_worker_that_is_killed_leaves_its_records_written_and_no_process(settings: Settings, engine: Engine) -> None:
    environment = {**os.environ, "TALENTML_HOME": str(settings.root)}
    worker = subprocess.Popen([sys.executable, "-c", WORKER], stdout=subprocess.PIPE, env=environment)
    assert worker.stdout
    with engine.begin() as connection:
        connection.exec_driver_sql("begin immediate")  # nobody else can write
        scribe = int(worker.stdout.readline())
        worker.kill()
        worker.wait()
        assert is_running(scribe)
    until(lambda: rows(engine) == 20, SOON)
    until(lambda: not is_running(scribe), SOON)


def is_running(pid: int) -> bool:
    """A process of a killed parent may stay as a zombie, where nobody waits for it."""
    return psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE


def test_a_database_that_is_away_gets_the_records_when_it_is_back(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    url = urlsplit(fresh_database())
    with front((str(url.hostname), int(url.port or 0)), Way.DOWN) as line:
        address = f"postgresql://talentml@127.0.0.1:{line.port}{url.path}"
        metrics = Metrics()
        with started(Settings(home=tmp_path, database_url=address, _env_file=None), metrics) as log:
            for number in range(7):
                log.add(record(number))
            until(lambda: "cannot be written, 7 more answers wait" in caplog.text, SOON)
            assert (value(metrics, WRITTEN), value(metrics, DROPPED)) == (0, 0)
            line.turn(Way.WELL)
            until(lambda: value(metrics, WRITTEN) == 7, SOON)
    assert rows(create_engine(url._replace(scheme="postgresql+psycopg2").geturl())) == 7


def test_what_a_database_that_stays_away_never_took_is_counted_at_the_end(tmp_path: Path) -> None:
    address = f"postgresql://talentml@127.0.0.1:{free_port()}/none"
    metrics = Metrics()
    with started(Settings(home=tmp_path, database_url=address, _env_file=None), metrics) as log:
        for number in range(7):
            log.add(record(number))
    assert value(metrics, DROPPED) == 7


def test_a_database_that_hangs_holds_up_no_close_for_longer_than_it_is_given(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journal, "LIMITS", replace(LIMITS, log_flush_seconds=2.0))
    metrics = Metrics()
    with front(way=Way.SLOW) as line:
        address = f"postgresql://talentml@127.0.0.1:{line.port}/none"
        log = Journal(Settings(home=tmp_path, database_url=address, _env_file=None), metrics)
        log.start()
        for number in range(7):
            log.add(record(number))
        until(lambda: line.asked > 0, SOON)
        scribe = log.scribe
        log.close()  # the database hangs still
    assert value(metrics, DROPPED) == 7
    assert scribe
    until(lambda: not psutil.pid_exists(scribe), SOON)


def test_more_forms_than_are_known_at_a_time_are_logged_as_they_were_sent(settings: Settings, engine: Engine) -> None:
    declared = {"v__x": Column(name="x", dtype=float, view="v", function=len)}
    plain = Table(declared, [], {"v__x": 0}, np.array([[0.5]]), {})
    with started(settings, Metrics()) as log:
        for number in range(MOST_FORMS + 5):
            name = f"given:{number}"
            log.add(replace(record(number), features=replace(plain, columns=["v__x", name], others={name: ["P1"]})))
        until(lambda: rows(engine) == MOST_FORMS + 5, SOON)
    with engine.connect() as connection:
        for row in connection.execute(select(prediction_log)):
            number = row.prediction_id.removeprefix("prediction-")
            assert unpacked(row.features).columns == ["v__x", f"given:{number}"]


def test_features_come_back_bit_for_bit() -> None:
    frame = pl.DataFrame(
        {
            "x": [0.1, -0.0, None, 5e-324, 1.7976931348623157e308],
            "n": [1, -(2**63), 2**63 - 1, None, 0],
            "s": ["a", "", None, "ü\x00", "😀"],
            "l": [["a", None], [], None, ["b"], ["c"]],
        }
    )
    assert unpacked(packed(frame)).equals(frame, null_equal=True)
    assert packed(unpacked(packed(frame))) == packed(frame)


def test_a_window_of_the_log_is_read_as_the_rows_that_were_scored(engine: Engine) -> None:
    append(engine, [record(1), record(2), record(3, as_of=None)])
    later = Window(AT, datetime(2026, 1, 2, tzinfo=UTC))
    found = read(engine, "task_assignment", later)
    assert found["pair__x"].to_list() == [1.1, 2.1]
    assert found["event_timestamp"].to_list() == [AT - timedelta(microseconds=1)] * 2  # the last instant before as_of
    assert read(engine, "task_performance", later).is_empty()
