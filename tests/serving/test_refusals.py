"""Admin routes that the border refuses are audited, and nobody fills the audit log that way (FAULTS 21)."""

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import text

from feature_repo.platform import database
from feature_repo.settings import Settings
from monitoring.audit import Entry, entries
from serving.access.auth import Role
from serving.access.border import Border
from serving.access.rates import Limiter, rate_of
from serving.access.windows import Windows
from serving.limits import LIMITS, Limits
from serving.platform import Platform
from serving.routes.api import application
from serving.routes.refusals import Refusals
from serving.running import Running
from serving.schemas.problems import ProblemError
from tests.serving.conftest import headers, settings_of
from tests.serving.process import until
from training.products import PRODUCTS

RETRAIN, ROLLBACK = "/api/v1/models/retrain", "/api/v1/models/career/rollback"
MOST = LIMITS.audited_refusals


class Guarded:
    """The service behind its border, with a rate limit of its own; the audit log is read once all is written."""

    def __init__(self, home: Path, rate: str = "1000/hour", limits: Limits = LIMITS) -> None:
        self.settings = settings_of(home)
        self.running = Running(self.settings, PRODUCTS)
        app = application(PRODUCTS)
        app.state.running = self.running
        self.running.limiter = Limiter(rate_of(rate), Windows(home / "run" / "limits"))
        self.http = TestClient(Border(app, limits))

    def post(self, path: str, role: Role | None = Role.ADMIN, content: bytes = b"{}", **sent: str) -> int:
        known = headers(self.settings, "ada", role) if role else {}
        return self.http.post(path, content=content, headers={**known, **sent}).status_code

    def written(self, count: int) -> list[Entry]:
        """The audit log at the end of the minute: so many entries, and no more."""
        self.running.refusals.close()
        return written(self.settings, count)


def written(settings: Settings, count: int) -> list[Entry]:
    engine = database(settings)
    until(lambda: len(entries(engine)) >= count)
    found = entries(engine)
    assert len(found) == count
    return found


@pytest.fixture
def guarded(home: Path) -> Callable[..., Guarded]:
    return lambda **given: Guarded(home, **given)


def said(found: list[Entry]) -> list[tuple[str, str, str, str, str]]:
    return [(each.subject, each.role, each.action, each.target, each.detail[:3]) for each in found]


def test_a_call_without_a_good_token_is_audited(guarded: Callable[..., Guarded]) -> None:
    ours = guarded()
    assert ours.post(RETRAIN, None) == ours.post(ROLLBACK, None, Authorization="Bearer a.b.c") == 401
    assert ours.post("/api/v1/models/canary/rollback", None) == 401
    found = ours.written(3)
    assert sorted(said(found)) == [
        ("", "", "retrain", "", "401"),
        ("", "", "rollback", "career", "401"),
        ("", "", "rollback", "unknown product", "401"),
    ]
    assert {each.outcome for each in found} == {"refused"}
    assert all(each.request_id for each in found)


def test_a_call_too_many_and_one_too_large_are_audited(guarded: Callable[..., Guarded]) -> None:
    ours = guarded(rate="1/hour")
    assert ours.post(ROLLBACK, content=b" " * (LIMITS.body_bytes + 1)) == 413
    assert ours.post(ROLLBACK) == 429
    assert sorted(said(ours.written(2))) == [
        ("ada", "admin", "rollback", "career", "413"),
        ("ada", "admin", "rollback", "career", "429"),
    ]


def test_a_call_to_a_full_service_is_audited_though_nobody_looked_who_called(home: Path) -> None:
    ours = Guarded(home, limits=Limits(in_flight=0))
    assert ours.post(RETRAIN) == 503
    assert said(ours.written(1)) == [("", "", "retrain", "", "503")]


def test_what_reaches_its_route_is_audited_there_and_once(guarded: Callable[..., Guarded]) -> None:
    ours = guarded()
    assert ours.post(ROLLBACK, Role.SERVICE) == 403
    assert said(ours.written(1)) == [("ada", "service", "rollback", "career", "The")]


def test_a_call_that_ends_late_in_its_route_is_audited_there_and_once(guarded: Callable[..., Guarded]) -> None:
    ours = guarded(limits=Limits(answer_seconds=0.0))
    assert ours.post(ROLLBACK, Role.SERVICE) == 503
    assert said(ours.written(1)) == [("ada", "service", "rollback", "career", "The")]


@pytest.mark.parametrize("path", ["/api/v1/models/status", "/api/v1/models/a/b/rollback", "/api/v1/models/retrain/"])
def test_other_paths_are_not_audited(guarded: Callable[..., Guarded], path: str) -> None:
    ours = guarded()
    assert ours.post(path, None) == 401
    assert ours.http.get(RETRAIN).status_code == 401
    assert ours.written(0) == []


def test_of_a_flood_the_first_are_listed_and_the_rest_is_counted(guarded: Callable[..., Guarded]) -> None:
    """And it hides no refusal of somebody who is known."""
    ours = guarded(rate="1/hour")
    for _ in range(MOST + 25):
        assert ours.post(RETRAIN, None) == 401
    assert [ours.post(ROLLBACK, Role.SERVICE) for _ in range(2)] == [403, 429]
    found = ours.written(MOST + 2 + 1)
    assert [each.subject for each in found].count("ada") == 2
    (rest,) = [each for each in found if each.action == "several"]
    assert (
        rest.detail == "25 more calls by callers that are not known, in the minute after the first one, are not listed"
    )


def test_another_minute_lists_some_again(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path, _env_file=None)
    platform = Platform(lambda: database(settings))
    noted = Refusals(platform, PRODUCTS, most=1, seconds=600)
    scope: Any = {"method": "POST", "path": RETRAIN, "state": {"request_id": "r-1"}}
    for _ in range(2):
        noted.note(scope, ProblemError(401, "no"))
        noted.note(scope, ProblemError(401, "no"))
        noted.close()  # the minute is over
    assert sorted(each.action for each in written(settings, 4)) == ["retrain", "retrain", "several", "several"]


def test_a_refusal_is_told_though_it_cannot_be_written(
    guarded: Callable[..., Guarded], caplog: pytest.LogCaptureFixture
) -> None:
    ours = guarded()
    with database(ours.settings).begin() as connection:
        connection.execute(text("drop table audit_log"))
    with caplog.at_level(logging.WARNING):
        assert ours.post(RETRAIN, None) == 401
        until(lambda: "this line is all there is" in caplog.text)
    assert "retrain  refused, role unknown, subject unknown" in caplog.text
