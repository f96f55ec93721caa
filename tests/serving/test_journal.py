"""The prediction log is written in the background, and never in the way."""

import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest
from sqlalchemy import Connection, Engine, event, func, select
from sqlalchemy.exc import DatabaseError, DBAPIError, InternalError, OperationalError

from feature_repo.errors import SourceError
from feature_repo.platform import database, tables
from feature_repo.settings import Settings
from feature_repo.window import Window
from monitoring.prediction_log import Record, append, packed, read, unpacked
from serving.answering import journal
from serving.answering.journal import Journal
from serving.limits import LIMITS
from serving.telemetry.metrics import Metrics

AT = datetime(2026, 1, 1, tzinfo=UTC)


def record(number: int, as_of: datetime | None = AT) -> Record:
    return Record(
        prediction_id=f"prediction-{number}",
        request_id=None,
        product="task_assignment",
        model_version=3,
        source="model",
        snapshot="v1",
        as_of=as_of,
        request={"task_id": "T1"},
        features=pl.DataFrame({"person_id": ["P1"], "task_id": ["T1"], "pair__x": [0.1 + number]}),
        answer={"candidates": []},
        milliseconds=1.0,
        predicted_at=AT,
    )


@pytest.fixture
def engine(tmp_path: Path) -> Engine:
    return database(Settings(home=tmp_path, _env_file=None))


def rows(engine: Engine) -> int:
    with engine.connect() as connection:
        return int(connection.scalar(select(func.count()).select_from(tables.prediction_log)) or 0)


def test_everything_that_waits_is_written_on_closing(engine: Engine) -> None:
    log = Journal(lambda: engine, Metrics())
    for number in range(500):
        log.add(record(number))
    log.start()
    log.close()
    assert rows(engine) == 500


def test_a_full_queue_drops_and_counts_and_never_waits(engine: Engine) -> None:
    metrics = Metrics()
    log = Journal(lambda: engine, metrics)  # not started: nothing empties it
    one, started = record(1), time.perf_counter()
    for _ in range(LIMITS.log_waiting + 5):
        log.add(one)
    assert metrics.registry.get_sample_value("prediction_log_dropped_total") == 5
    assert time.perf_counter() - started < 1


def test_what_waits_is_bounded_in_bytes_too_and_its_room_is_free_once_it_is_written(engine: Engine) -> None:
    metrics = Metrics()
    log = Journal(lambda: engine, metrics)
    long = replace(record(1), request={"text": "x" * (LIMITS.log_waiting_bytes // 10)})
    for number in range(12):
        log.add(replace(long, prediction_id=f"long-{number}"))
    assert metrics.registry.get_sample_value("prediction_log_dropped_total") == 3  # ten and their frames are too much
    log.start()
    _until(lambda: rows(engine) == 9)
    _until(lambda: metrics.registry.get_sample_value("talentml_prediction_log_waiting_bytes") == 0)
    log.add(replace(long, prediction_id="one more"))
    log.close()
    assert rows(engine) == 10


def test_a_database_that_is_away_gets_the_records_when_it_is_back(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journal, "RETRY_SECONDS", 0.01)
    refusals = iter([SourceError("away"), SourceError("still away")])

    def connect() -> Engine:
        for refusal in refusals:
            raise refusal
        return engine

    log = Journal(connect, Metrics())
    log.start()
    log.add(record(1))
    _until(lambda: rows(engine) == 1)
    log.close()


def test_what_a_database_that_stays_away_never_took_is_counted_at_the_end() -> None:
    def away() -> Engine:
        raise SourceError("away")

    metrics = Metrics()
    log = Journal(away, metrics)
    log.start()
    for number in range(7):
        log.add(record(number))
    log.close()
    assert metrics.registry.get_sample_value("prediction_log_dropped_total") == 7


@pytest.mark.parametrize("said", [InternalError, OperationalError, DatabaseError])
def test_a_database_that_takes_nothing_for_now_is_asked_again(
    engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, said: type[DBAPIError]
) -> None:
    """Such as a standby, which only reads, or one that lost its place in the protocol."""
    monkeypatch.setattr(journal, "RETRY_SECONDS", 0.01)
    refusals = iter([said("insert", {}, Exception("read-only"))])

    def begin(connection: Connection) -> None:
        for refusal in refusals:
            raise refusal

    standby = database(Settings(home=tmp_path, _env_file=None))
    event.listen(standby, "begin", begin)
    log = Journal(lambda: standby, Metrics())
    log.start()
    log.add(record(1))
    _until(lambda: rows(engine) == 1)
    log.close()


def test_a_record_that_no_database_takes_is_dropped_and_the_next_ones_are_written(engine: Engine) -> None:
    metrics = Metrics()
    log = Journal(lambda: engine, metrics)
    log.start()
    log.add(record(1))
    _until(lambda: rows(engine) == 1)
    log.add(record(1))  # the same key again
    _until(lambda: metrics.registry.get_sample_value("prediction_log_dropped_total") == 1)
    log.add(record(2))
    log.close()
    assert rows(engine) == 2


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


def _until(is_so: object, seconds: float = 5.0) -> None:
    assert callable(is_so)
    end = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < end
        time.sleep(0.01)
