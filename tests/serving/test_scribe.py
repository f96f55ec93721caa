"""The scribe writes what comes through a pipe to the database, and says what became of it."""

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
from serving.answering.messages import FORM, HEAD, RECORD, Decoder, Encoder
from serving.answering.scribe import Scribe
from tests.serving.records import record, rows


class Line:
    """A scribe in a thread, and both pipes to it."""

    def __init__(self, connect: Callable[[], Engine], home: Path) -> None:
        source, self.input = os.pipe()
        self.output, target = os.pipe()
        self.encoder = Encoder()
        self.reports = os.fdopen(self.output)
        self.thread = threading.Thread(target=Scribe(connect, Decoder(home / "online"), source, target).run)
        self.thread.start()

    def send(self, *records: Record) -> None:
        """All in one, so that they are one batch."""
        os.write(self.input, b"".join(map(self.message, records)))

    def message(self, record: Record) -> bytes:
        message = self.encoder.message(record)
        told = HEAD.pack(FORM, len(message.told.content)) + message.told.content if message.told else b""
        return told + HEAD.pack(RECORD, message.size) + b"".join(message.parts)

    def report(self) -> dict[str, Any]:
        """What it says next, of what it says anything."""
        said: dict[str, Any] = json.loads(self.reports.readline())
        return {name: value for name, value in said.items() if value}

    def close(self) -> None:
        with suppress(OSError):
            os.close(self.input)
        self.thread.join(20)
        assert not self.thread.is_alive()


Begin = Callable[[Callable[[], Engine]], Line]


@pytest.fixture
def engine(tmp_path: Path) -> Engine:
    return database(Settings(home=tmp_path, _env_file=None))


@pytest.fixture
def begin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Begin]:
    """Starts a scribe that tries again after 10 ms."""
    monkeypatch.setattr(scribe, "RETRY_SECONDS", 0.01)
    lines: list[Line] = []

    def start(connect: Callable[[], Engine]) -> Line:
        lines.append(Line(connect, tmp_path))
        return lines[-1]

    yield start
    for each in lines:
        each.close()


def test_what_comes_together_is_written_together(engine: Engine, begin: Begin) -> None:
    line = begin(lambda: engine)
    line.send(record(1), record(2), record(3))
    assert line.report() == {"written": 3}
    assert rows(engine) == 3


def test_a_database_that_is_away_gets_the_records_when_it_is_back(engine: Engine, begin: Begin) -> None:
    refusals = iter([SourceError("away"), SourceError("still away")])

    def connect() -> Engine:
        for refusal in refusals:
            raise refusal
        return engine

    line = begin(connect)
    line.send(record(1))
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
    line = begin(lambda: standby)
    line.send(record(1))
    assert "read-only" in line.report()["away"]
    assert line.report() == {"written": 1}
    assert rows(engine) == 1


def test_a_record_that_no_database_takes_is_dropped_and_those_beside_it_are_written(
    engine: Engine, begin: Begin
) -> None:
    line = begin(lambda: engine)
    line.send(record(1), replace(record(2), source="oracle"), record(3))
    assert line.report() == {"error": "IntegrityError"}
    assert line.report() == {"written": 2, "dropped": 1}
    line.send(record(4))
    assert line.report() == {"written": 1}


def test_what_was_written_already_counts_as_written_and_stays_as_it_is(engine: Engine, begin: Begin) -> None:
    """The scribe before this one wrote it, and was killed before it said so."""
    line = begin(lambda: engine)
    for records in ([record(1)], [replace(record(1), milliseconds=9.0), record(2)]):
        line.send(*records)
        assert line.report() == {"written": len(records)}
    with engine.connect() as connection:
        assert set(connection.scalars(select(prediction_log.c.milliseconds))) == {1.0}
    assert rows(engine) == 2


def test_what_cannot_be_read_is_dropped_and_those_beside_it_are_written(engine: Engine, begin: Begin) -> None:
    line, content = begin(lambda: engine), line_content(b"no record")
    os.write(line.input, content + line.message(record(1)))
    assert line.report() == {"error": "ValueError"}
    assert line.report() == {"written": 1, "dropped": 1}


def line_content(content: bytes) -> bytes:
    return HEAD.pack(RECORD, len(content)) + content


def test_where_the_worker_is_gone_what_came_whole_is_written_and_the_scribe_ends(engine: Engine, begin: Begin) -> None:
    line = begin(lambda: engine)
    os.write(line.input, line.message(record(1)) + line.message(record(2))[:-1])
    line.close()
    assert rows(engine) == 1


def test_where_the_worker_is_gone_a_database_that_is_away_is_asked_once_more_and_no_longer(begin: Begin) -> None:
    def away() -> Engine:
        raise SourceError("away")

    line = begin(away)
    line.send(record(1), record(2))
    assert line.report() == {"away": "away"}
    line.close()
    reports = [json.loads(each) for each in os.read(line.output, 2**16).splitlines()]
    assert reports[-1]["dropped"] == 2
