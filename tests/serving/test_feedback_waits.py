"""Feedback that has to wait, for the answer that it is about or for the database."""

import asyncio
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine, create_engine, event
from sqlalchemy.exc import InternalError

from feature_repo.errors import SourceError
from feature_repo.platform import database
from feature_repo.settings import Settings
from monitoring.prediction_log import append
from serving.answering.bodies import new_id
from serving.routes import feedback as served
from tests.monitoring.said import ranking, record
from tests.patience import LONG
from tests.serving.judging import ONE, UNKNOWN, Desk, desk, limited, logged, stored


@pytest.fixture
def plain(tmp_path: Path) -> Iterator[Engine]:
    """The embedded database alone, for what does not depend on it."""
    yield from logged(tmp_path)


def test_feedback_that_comes_before_the_answer_is_logged_waits_for_it_and_holds_up_nobody(
    plain: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def both() -> tuple[int, bool, int]:
        early = asyncio.create_task(at.sent(UNKNOWN, {"accepted": True}))
        await asyncio.sleep(0.3)
        meanwhile = await at.sent(ONE, {"accepted": True})
        waits = not early.done()
        append(plain, [record(99, ranking({"P5": 0.1}))])
        return meanwhile.status_code, waits, (await early).status_code

    limited(monkeypatch, feedback_log_seconds=LONG)
    at = desk(plain)
    assert asyncio.run(both()) == (201, True, 201)


def test_an_answer_that_nobody_logs_is_waited_for_and_not_found(plain: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    limited(monkeypatch, feedback_log_seconds=0.5)
    begun = time.perf_counter()
    assert desk(plain).post(UNKNOWN, {"accepted": True}).status_code == 404
    assert time.perf_counter() - begun >= 0.5


def test_an_answer_that_was_given_just_now_may_be_logged_later_and_is_not_said_to_be_none(
    plain: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    limited(monkeypatch, feedback_log_seconds=0.0)
    refused = desk(plain).post(new_id(), {"accepted": True})
    assert (refused.status_code, refused.headers["retry-after"]) == (503, str(served.RETRY_SECONDS))
    long_ago = f"{1_325_376_000_000:012x}"  # 2012
    old = f"{long_ago[:8]}-{long_ago[8:]}{new_id()[13:]}"
    assert desk(plain).post(old, {"accepted": True}).status_code == 404


def away() -> Engine:
    raise SourceError("platform database: away")


def unreachable() -> Engine:
    """An engine over a database that went away after it was opened."""
    return create_engine("postgresql+psycopg2://u:secret@127.0.0.1:1/db")


def read_only() -> Engine:
    """One that a standby answers: PostgreSQL says so as an InternalError."""
    engine = create_engine("sqlite://")

    def refuse(*_: object) -> None:
        raise InternalError("update", {}, Exception("cannot execute UPDATE in a read-only transaction"))

    event.listen(engine, "before_cursor_execute", refuse)
    return engine


def misnamed() -> Engine:
    return database(Settings(database_url="no address, secret", _env_file=None))


@pytest.mark.parametrize("connect", [away, unreachable, read_only, misnamed])
def test_without_a_database_the_caller_is_told_to_come_back_and_the_log_why(
    connect: Callable[[], Engine], caplog: pytest.LogCaptureFixture
) -> None:
    refused = Desk(connect).post(ONE, {"accepted": True})
    assert (refused.status_code, refused.headers["retry-after"]) == (503, str(served.RETRY_SECONDS))
    assert "secret" not in refused.text
    assert "feedback cannot be stored" in caplog.text


def test_a_locked_database_is_waited_for_and_feedback_sent_again_is_stored_once(
    plain: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    at = desk(plain)
    limited(monkeypatch, feedback_lock_seconds=0.2)
    with plain.connect() as writer:
        writer.exec_driver_sql("BEGIN IMMEDIATE")
        assert at.post(ONE, {"accepted": True}).status_code == 503
        writer.rollback()
    assert [at.post(ONE, {"accepted": True}).status_code for _ in range(2)] == [201, 200]
    assert len(stored(plain)) == 1


def test_a_database_that_hangs_is_given_up_in_time(plain: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    at = desk(plain)
    limited(monkeypatch, feedback_lock_seconds=1.0, feedback_seconds=0.2)
    with plain.connect() as writer:
        writer.exec_driver_sql("BEGIN IMMEDIATE")
        refused = at.post(ONE, {"accepted": True})
        writer.rollback()
    assert (refused.status_code, refused.headers["retry-after"]) == (503, str(served.RETRY_SECONDS))
