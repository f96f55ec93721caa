"""The fields of a route beside its subject and items, and how bad ones are refused."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.serving import fitted
from tests.serving.conftest import Service, promote, promoted
from tests.serving.questions import asking
from tests.serving.test_fallback import give

JOBS, TALENTS = asking("/api/v1/match/talent-to-jobs"), asking("/api/v1/match/job-to-talents")
FORECAST, TRENDS = asking("/api/v1/trends/forecast/{skill_id}"), asking("/api/v1/trends/analyze")


@pytest.fixture
def forecasting(home: Path, serve: Callable[[Path], Service]) -> Service:
    """A service whose demand is forecast by the real model."""
    promote(home, promoted(home, 3))
    service = serve(home)
    give(service, "skill_demand", fitted.forecaster())  # type: ignore[arg-type]
    return service


def fields(answer: Any) -> list[str]:
    assert answer.status_code == 422, answer.text
    return [error["field"] for error in answer.json()["errors"]]


@pytest.mark.parametrize("asked", [JOBS, TALENTS], ids=str)
def test_min_score_leaves_out_what_scores_less(service: Service, asked: Any) -> None:
    every = {asked.route.named: None, "limit": 100}
    scores = [row["score"] for row in asked.answer(service, **every)[asked.items]]
    middle = sorted(scores)[len(scores) // 2]
    left = [row["score"] for row in asked.answer(service, **every, min_score=middle)[asked.items]]
    assert left == [score for score in scores if score >= middle]
    assert asked.answer(service, **every, min_score=100)[asked.items] == []


@pytest.mark.parametrize("bad", [-1, 101, "50", True, [50]])
def test_a_bad_min_score_is_a_422_that_names_it(service: Service, bad: Any) -> None:
    assert set(fields(JOBS.sent(service, min_score=bad))) == {"min_score"}


def test_a_forecast_is_of_the_horizon_that_is_asked_for_and_of_six_periods_where_none_is(forecasting: Service) -> None:
    def expected(horizon: int | None) -> float:
        row = FORECAST.answer(forecasting, skill_id="go", horizon=horizon)["estimates"][0]
        assert row["demand"]["low"] <= row["demand"]["expected"] <= row["demand"]["high"]
        found: float = row["demand"]["expected"]
        return found

    falling = [expected(horizon) for horizon in (1, 6, 12)]
    assert falling == sorted(falling, reverse=True)
    assert len(set(falling)) == 3
    assert expected(None) == falling[1]


def test_a_forecast_and_an_analysis_of_a_skill_say_the_same(forecasting: Service) -> None:
    analysed = TRENDS.answer(forecasting, skills=["go"], horizon=3)["skills"][0]
    forecast = FORECAST.answer(forecasting, skill_id="go", horizon=3)["estimates"][0]
    shared = ("demand", "demand_now", "rising", "direction", "factors")
    assert {name: analysed[name] for name in shared} == {name: forecast[name] for name in shared}


@pytest.mark.parametrize("bad", ["0", "13", "six", "1.5", "", "NaN"])
def test_a_bad_horizon_in_a_query_is_a_422_that_names_it(service: Service, bad: str) -> None:
    assert fields(FORECAST.sent(service, horizon=bad)) == ["horizon"]


@pytest.mark.parametrize("bad", [0, 13, "6", 1.5, True])
def test_a_bad_horizon_in_a_body_is_a_422_that_names_it(service: Service, bad: Any) -> None:
    assert set(fields(TRENDS.sent(service, horizon=bad))) == {"horizon"}


def test_a_query_takes_no_unknown_parameter_and_no_other_truth_than_true_and_false(service: Service) -> None:
    assert fields(FORECAST.sent(service, unheard_of="1")) == ["unheard_of"]
    assert fields(FORECAST.sent(service, explain="maybe")) == ["explain"]
    assert FORECAST.answer(service, explain=False)["explanation"] is None


@pytest.mark.parametrize("token", ["NaN", "Infinity", "1e999"])
def test_numbers_that_are_none_are_refused(service: Service, token: str) -> None:
    body = f'{{"person_id": "P1", "min_score": {token}}}'
    answer = service.http.post(JOBS.route.path, content=body, headers={"content-type": "application/json"})
    assert fields(answer) == ["min_score"]
