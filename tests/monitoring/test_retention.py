"""Answers are kept as long as they are needed."""

from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine, func, insert, select

from feature_repo.platform import database
from feature_repo.platform.tables import experiments, match_feedback, prediction_log
from feature_repo.settings import load
from feature_repo.window import Window
from monitoring import retention
from monitoring.feedback import give
from monitoring.outcomes import outcomes
from monitoring.prediction_log import append
from tests.feature_repo.postgres import fresh_database
from tests.monitoring.said import NOON, prediction_id, ranking, record, word

SECOND = timedelta(seconds=1)


@pytest.fixture(params=["sqlite", "postgresql"])
def engine(request: pytest.FixtureRequest, tmp_path: Path) -> Engine:
    return database(load(home=tmp_path, database_url=fresh_database() if request.param == "postgresql" else None))


def kept(engine: Engine) -> list[str]:
    with engine.connect() as connection:
        return sorted(connection.scalars(select(prediction_log.c.prediction_id)))


def begun(engine: Engine, name: str, stopped_at: datetime | None) -> None:
    row = {
        "id": name, "product": "task_assignment", "champion": 1, "challenger": 2, "share": 0.5, "mode": "split",
        "salt": name, "alpha": 0.05, "who": "ada", "started_at": NOON, "stopped_at": stopped_at,
    }  # fmt: skip
    with engine.begin() as connection:
        connection.execute(insert(experiments).values(**row))


def test_older_answers_go_but_those_of_an_experiment_that_runs(engine: Engine) -> None:
    begun(engine, "over", NOON)
    begun(engine, "runs", None)
    append(engine, [
        record(1, {}, predicted_at=NOON - SECOND),
        record(2, {}, predicted_at=NOON),
        record(3, {}, predicted_at=NOON - SECOND, experiment="over"),
        record(4, {}, predicted_at=NOON - SECOND, experiment="runs"),
    ])  # fmt: skip
    assert retention.forget(engine, NOON) == 2
    assert kept(engine) == [prediction_id(2), prediction_id(4)]
    assert retention.forget(engine, NOON) == 0


def test_more_answers_than_one_step_takes_go_in_several(engine: Engine) -> None:
    append(engine, [record(number, {}, predicted_at=NOON - SECOND) for number in range(retention.AT_ONCE + 1)])
    assert (retention.forget(engine, NOON), kept(engine)) == (retention.AT_ONCE + 1, [])


def test_what_was_said_of_an_answer_stays_and_is_an_outcome_of_none(engine: Engine) -> None:
    append(engine, [record(1, ranking({"P1": 0.9}))])
    give(engine, word("P1"), per_day=9, seconds=5)
    window = Window(NOON, NOON + SECOND)
    before = outcomes(engine, "task_assignment", window).height
    retention.forget(engine, NOON + SECOND)
    with engine.connect() as connection:
        words = connection.scalar(select(func.count()).select_from(match_feedback))
    assert (before, outcomes(engine, "task_assignment", window).height, words) == (1, 0, 1)
