"""The audit log: the intent first, one outcome after it."""

from pathlib import Path

import pytest
from sqlalchemy import Engine

from feature_repo.errors import DataError
from feature_repo.platform import database
from feature_repo.settings import load
from monitoring.audit import Entry, conclude, entries, record
from tests.feature_repo.postgres import fresh_database


@pytest.fixture(params=["sqlite", "postgresql"])
def engine(request: pytest.FixtureRequest, tmp_path: Path) -> Engine:
    return database(load(home=tmp_path, database_url=fresh_database() if request.param == "postgresql" else None))


def test_an_entry_is_asked_until_its_outcome_is_known(engine: Engine) -> None:
    number = record(engine, Entry("ada", "admin", "rollback", "career", detail="asked: too slow", request_id="r-1"))
    (asked,) = entries(engine)
    assert (asked.subject, asked.role, asked.action, asked.target) == ("ada", "admin", "rollback", "career")
    assert (asked.outcome, asked.detail, asked.request_id) == ("asked", "asked: too slow", "r-1")
    conclude(engine, number, "done", "asked: too slow; from version 4 to 3")
    (done,) = entries(engine)
    assert (done.outcome, done.detail) == ("done", "asked: too slow; from version 4 to 3")
    assert done.at == asked.at


@pytest.mark.parametrize("outcome", ["done", "refused", "failed"])
def test_an_outcome_that_is_known_does_not_change(engine: Engine, outcome: str) -> None:
    number = record(engine, Entry("ada", "admin", "retrain", outcome=outcome))
    for entry in (number, number + 1):  # the second is not there at all
        with pytest.raises(DataError, match="is not open"):
            conclude(engine, entry, "done", "otherwise")
    assert [each.outcome for each in entries(engine)] == [outcome]


def test_entries_come_newest_first_of_all_or_of_an_action_or_a_subject(engine: Engine) -> None:
    for subject, action in (("ada", "retrain"), ("bob", "retrain"), ("ada", "rollback")):
        record(engine, Entry(subject, "admin", action))
    assert [(each.subject, each.action) for each in entries(engine)] == [
        ("ada", "rollback"), ("bob", "retrain"), ("ada", "retrain"),
    ]  # fmt: skip
    assert [each.subject for each in entries(engine, action="retrain")] == ["bob", "ada"]
    assert [each.action for each in entries(engine, subject="ada")] == ["rollback", "retrain"]
    assert len(entries(engine, limit=2)) == 2


def test_a_target_is_kept_as_it_was_asked_for_and_never_read_as_sql(engine: Engine) -> None:
    canary = "x'); drop table audit_log; --\x00"
    record(engine, Entry("ada", "admin", "rollback", canary))
    assert entries(engine)[0].target == canary.replace("\x00", "\ufffd")
