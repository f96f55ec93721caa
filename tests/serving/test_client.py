"""The client asks what its arguments say; how it tells of errors is in test_server.py."""

from collections.abc import Callable
from typing import Any

import pytest

from feature_repo.errors import ServingError
from serving.client import Client
from tests.serving.conftest import Service
from tests.serving.questions import asking
from tests.serving.scripted import patient
from tests.serving.test_routes import lasting

Asked = Callable[[Client], dict[str, Any]]


@pytest.fixture
def client(service: Service) -> Client:
    """A client of the application in this process."""
    return patient("http://service", http=service.http)


@pytest.mark.parametrize(
    ("path", "body", "call"),
    [
        (
            "/api/v1/recommendations/task-assignment",
            {"task_id": "T60", "candidates": ["P1"], "limit": 3},
            lambda client: client.rank("T60", candidates=["P1"], limit=3),
        ),
        (
            "/api/v1/match/talent-to-jobs",
            {"person_id": "P1", "jobs": ["JB0"], "min_score": 0.5, "limit": 3, "explain": False},
            lambda client: client.jobs_for("P1", ["JB0"], 0.5, 3, False),
        ),
        (
            "/api/v1/match/job-to-talents",
            {"job_id": "JB1", "talents": ["P2"], "min_score": 0.5, "limit": 3, "explain": False},
            lambda client: client.talents_for("JB1", ["P2"], 0.5, 3, False),
        ),
        (
            "/api/v1/skill-gaps/analyze",
            {"person_id": "P1", "target_id": "engineer", "skills": ["sql"], "limit": 3, "explain": False},
            lambda client: client.skill_gaps("P1", "engineer", ["sql"], 3, False),
        ),
        (
            "/api/v1/skill-gaps/predict",
            {"person_id": "P1", "target_id": None, "skills": ["sql"], "limit": 3, "explain": False},
            lambda client: client.gap_impacts("P1", None, ["sql"], 3, False),
        ),
        (
            "/api/v1/recommendations/generate",
            {"person_id": "P0", "target_id": "engineer", "contents": None, "limit": 3, "explain": False},
            lambda client: client.learning("P0", "engineer", None, 3, False),
        ),
        (
            "/api/v1/careers/recommend",
            {"person_id": "P0", "occupations": ["analyst"], "limit": 3, "explain": False},
            lambda client: client.careers("P0", ["analyst"], 3, False),
        ),
        (
            "/api/v1/trends/analyze",
            {"skills": ["python", "go"], "horizon": 3, "limit": 1, "explain": False},
            lambda client: client.trends(["python", "go"], 3, 1, False),
        ),
        (
            "/api/v1/trends/forecast/{skill_id}",
            {"skill_id": "python", "horizon": 3, "explain": False},
            lambda client: client.forecast("python", 3, False),
        ),
    ],
)
def test_a_method_gives_what_its_route_answers(
    service: Service, client: Client, path: str, body: dict[str, Any], call: Asked
) -> None:
    asked = asking(path)
    named = {asked.route.named: None} if asked.route.named else {}
    assert lasting(call(client)) == lasting(asked.answer(service, **{**named, **body}))


def test_a_batch_gives_its_answers_in_order(client: Client) -> None:
    people = ["P2", "P1"]
    answers = client.batch("/api/v1/careers/recommend/batch", [{"person_id": person} for person in people])
    assert [answer["person_id"] for answer in answers] == people


def test_a_skill_s_name_is_quoted(client: Client) -> None:
    for name in ("c++", "ci/cd", "c#", "a?b=c"):
        assert client.forecast(name)["estimates"][0]["skill_id"] == name


def test_a_bad_option_is_an_error_that_names_it(client: Client) -> None:
    with pytest.raises(ServingError, match=r"422, .* min_score: Input should be less than or equal to 100"):
        client.jobs_for("P1", min_score=101)
