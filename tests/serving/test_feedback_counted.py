"""Prometheus sees what was stored of what people say, and why the rest was not."""

from dataclasses import replace
from pathlib import Path

import pytest

from feature_repo.errors import SourceError
from feature_repo.platform import database
from feature_repo.settings import load
from monitoring.prediction_log import append
from serving.access.caller import Caller, Role
from serving.limits import LIMITS
from serving.routes import feedback as served
from tests.monitoring.said import prediction_id, ranking, record
from tests.patience import await_day
from tests.serving.judging import HR, Desk, desk

ONE, MANY, UNKNOWN = (prediction_id(number) for number in (1, 2, 99))
LOGGED = [record(1, ranking({"P1": 0.9})), record(2, ranking({"P5": 0.5, "P6": 0.5}))]


def away() -> None:
    raise SourceError("platform database: away")


def test_what_is_stored_and_what_is_not_is_counted_with_the_reason(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = database(load(home=tmp_path))
    append(engine, LOGGED)
    monkeypatch.setattr(served, "LIMITS", replace(LIMITS, feedback_per_day=2, feedback_log_seconds=0.1))
    await_day(60)
    at = desk(engine)
    story = [
        (ONE, {}, HR, 201),
        (ONE, {}, HR, 200),
        (MANY, {"item": "P5"}, HR, 201),
        (MANY, {"item": "P6"}, HR, 429),
        (MANY, {}, HR, 422),
        (UNKNOWN, {}, HR, 404),
        (ONE, {}, Caller("P2", Role.TALENT), 403),
        (ONE, {}, Caller("mallory", Role.ADMIN), 409),
    ]
    for answer, named, who, status in story:
        assert at.post(answer, {**named, "accepted": True}, who).status_code == status
    for result, count in (("new", 2), ("replaced", 1)):
        assert at.counted("feedback", product="task_assignment", result=result) == count
    reasons = {"too many", "unclear", "unknown answer", "forbidden", "somebody else's"}
    assert {at.counted("feedback_refused", reason=reason) for reason in reasons} == {1.0}
    gone = Desk(away)
    assert gone.post(ONE, {"accepted": True}).status_code == 503
    assert gone.counted("feedback_refused", reason="away") == 1
