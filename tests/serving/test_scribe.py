"""The scribe writes what is added to a spool to the database, and says what became of it."""

import json
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, event, select
from sqlalchemy.exc import DatabaseError, DBAPIError, InternalError, OperationalError

from feature_repo.errors import SourceError
from feature_repo.platform import database
from feature_repo.platform.tables import prediction_log
from feature_repo.settings import Settings
from monitoring.prediction_log import Record
from serving.answering import scribe
from serving.answering.messages import Decoder, Encoder
from serving.answering.scribe import Scribe
from serving.answering.spool import CHUNK_BYTES, Spool, Spooled
from tests.serving.records import record, rows


class Line:
    """A scribe in a thread, the spool that it reads, and both pipes to it."""

    def __init__(self, connect: Callable[[], Engine], home: Path) -> None:
        source, self.input = os.pipe()
        self.output, target = os.pipe()
        self.spool, self.encoder = Spool(100, CHUNK_BYTES), Encoder()
        self.reports = os.fdopen(self.output)
        scribe = Scribe(connect, Decoder(home / "online"), Spooled(self.spool.file, 100), source, target)
        self.thread = threading.Thread(target=scribe.run)

    def send(self, *sent: Record | bytes) -> None:
        for each in sent:
            assert self.spool.add([each] if isinstance(each, bytes) else self.encoder.message(each))

    def report(self) -> dict[str, Any]:
        """What it says next, of what it says anything."""
        said: dict[str, Any] = json.loads(self.reports.readline())
        return {name: value for name, value in said.items() if value}

    def close(self) -> None:
        with suppress(OSError):
            os.close(self.input)
        self.thread.join(60)
        assert not self.thread.is_alive()
        self.spool.close()


Begin = Callable[..., Line]


@pytest.fixture
def engine(tmp_path: Path) -> Engine:
    return database(Settings(home=tmp_path, _env_file=None))


@pytest.fixture
def begin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Begin]:
    """Starts a scribe that finds these records in one batch, and that tries again after 10 ms."""
    monkeypatch.setattr(scribe, "RETRY_SECONDS", 0.01)
    lines: list[Line] = []

    def start(connect: Callable[[], Engine], *sent: Record | bytes) -> Line:
        line = Line(connect, tmp_path)
        lines.append(line)
        line.send(*sent)
        line.thread.start()
        return line

    yield start
    for each in lines:
        each.close()


def test_what_comes_together_is_written_together(engine: Engine, begin: Begin) -> None:
    line = begin(lambda: engine, record(1), record(2), record(3))
    assert line.report() == {"written": 3}
    assert rows(engine) == 3


def test_a_database_that_is_away_gets_the_records_when_it_is_back(engine: Engine, begin: Begin) -> None:
    refusals = iter([SourceError("away"), SourceError("still away")])

    def connect() -> Engine:
        for refusal in refusals:
            raise refusal
        return engine

    line = begin(connect, record(1))
    assert [line.report() for _ in range(3)] == [{"away": "away"}, {"away": "still away"}, {"written": 1}]
    assert rows(engine) == 1


@pytest.mark.parametrize("said", [InternalError, OperationalError, DatabaseError])
def test_a_database_that_takes_nothing_for_now_is_asked_again(
    engine: Engine, tmp_path: Path, begin: Begin, said: type[DBAPIError]
) -> None:
    """Such as a standby, which only reads, or one that lost its place in the protocol."""
    refusals = iter([said("insert", {}, Exception("read-only"))])

    def refuse(connection: Connection) -> None:
        for refusal in refusals:
            raise refusal

    standby = database(Settings(home=tmp_path, _env_file=None))
    event.listen(standby, "begin", refuse)
    line = begin(lambda: standby, record(1))
    assert "read-only" in line.report()["away"]
    assert line.report() == {"written": 1}
    assert rows(engine) == 1


def test_a_record_that_no_database_takes_is_dropped_and_those_beside_it_are_written(
    engine: Engine, begin: Begin
) -> None:
    line = begin(lambda: engine, record(1), replace(record(2), source="oracle"), record(3))
    assert line.report() == {"error": "IntegrityError"}
    assert line.report() == {"written": 2, "dropped": 1}
    line.send(record(4))
    assert line.report() == {"written": 1}


def test_what_was_written_already_counts_as_written_and_stays_as_it_is(engine: Engine, begin: Begin) -> None:
    """The scribe before this one wrote it, and was killed before it said so."""
    for records in ([record(1)], [replace(record(1), milliseconds=9.0), record(2)]):
        assert begin(lambda: engine, *records).report() == {"written": len(records)}
    with engine.connect() as connection:
        assert set(connection.scalars(select(prediction_log.c.milliseconds))) == {1.0}
    assert rows(engine) == 2


def test_what_cannot_be_read_is_dropped_and_those_beside_it_are_written(engine: Engine, begin: Begin) -> None:
    line = begin(lambda: engine, b"no record", record(1))
    assert line.report() == {"error": "ValueError"}
    assert line.report() == {"written": 1, "dropped": 1}


def test_where_the_worker_is_gone_what_it_added_is_written_and_the_scribe_ends(engine: Engine, begin: Begin) -> None:
    line = begin(lambda: engine)
    line.send(record(1), record(2))
    line.close()
    assert rows(engine) == 2


def test_where_the_worker_is_gone_a_database_that_is_away_is_asked_once_more_and_no_longer(begin: Begin) -> None:
    def away() -> Engine:
        raise SourceError("away")

    line = begin(away, record(1), record(2))
    assert line.report() == {"away": "away"}
    line.close()
    reports = [json.loads(each) for each in os.read(line.output, 2**16).splitlines()]
    assert reports[-1]["dropped"] == 2
