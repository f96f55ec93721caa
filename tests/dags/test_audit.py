"""The verb that shows the audit log."""

from datetime import UTC, datetime, timedelta
from io import StringIO
from pathlib import Path

import pytest

from dags.output import console
from dags.verbs.audit import audit, audit_view
from feature_repo.platform import database
from feature_repo.settings import Settings
from monitoring.audit import Entry, record
from tests.dags.command import talentml

MONDAY = datetime(2026, 3, 2, 8, 15, tzinfo=UTC)
CALLS = [
    Entry("ada", "admin", "rollback", "career", "done", "asked: slow; from version 4 to 3", "r-1", MONDAY),
    Entry("portal", "service", "retrain", "", "refused", "The role service may not do this", "r-2",
          MONDAY + timedelta(days=1)),
    Entry("", "", "retrain", "", "refused", "401 The token is missing", "r-3", MONDAY + timedelta(days=2)),
]  # fmt: skip


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    found = Settings(home=tmp_path, _env_file=None)
    for each in CALLS:
        record(database(found), each)
    return found


def shown(settings: Settings) -> str:
    out = StringIO()
    audit_view(dict(audit(settings)), console(out))  # type: ignore[call-overload]
    return out.getvalue()


def test_each_call_is_a_row_the_newest_first(settings: Settings) -> None:
    lines = [" ".join(line.split("│")).split() for line in shown(settings).splitlines() if "2026-" in line]
    assert [line[:6] for line in lines] == [
        ["2026-03-04", "08:15:00", "-", "-", "retrain", "-"],
        ["2026-03-03", "08:15:00", "portal", "service", "retrain", "-"],
        ["2026-03-02", "08:15:00", "ada", "admin", "rollback", "career"],
    ]


def test_since_and_limit_choose(settings: Settings) -> None:
    by_options = {
        (None, 50): ["r-3", "r-2", "r-1"],
        (None, 2): ["r-3", "r-2"],
        ("2026-03-03T08:15:00", 50): ["r-3", "r-2"],
        ("2026-03-05", 50): [],
    }
    for (since, limit), wanted in by_options.items():
        answer = dict(audit(settings, since=since, limit=limit))  # type: ignore[call-overload]
        assert [entry["request_id"] for entry in answer["entries"]] == wanted


def test_nothing_of_what_was_sent_steers_the_terminal(settings: Settings) -> None:
    record(database(settings), Entry("x\x9b31m", "admin", "rollback", "\x1b[2J", "refused", "a\rb\u202ec\x07"))
    assert not {"\x1b", "\x9b", "\r", "\x07", "\u202e"} & set(shown(settings))


def test_the_command_answers_in_json_and_says_so_where_there_is_nothing(settings: Settings, tmp_path: Path) -> None:
    done = talentml("audit", "--limit", "1", "--json", home=settings.root)
    assert (done.code, [entry["request_id"] for entry in done.answer["entries"]]) == (0, ["r-3"])
    done = talentml("audit", home=tmp_path / "another")
    assert (done.code, done.stdout) == (0, "Nothing was asked that only admins may ask.\n")
