"""What the client keeps: a model's answers, for an hour, and for a day where the service cannot be reached."""

from collections.abc import Iterator
from typing import Any

import pytest

from serving.client import Answer, Cache, RefusedError
from tests.serving.scripted import ANSWER, OK, Scripted, patient, problem, says, scripted

HOUR = 3_600.0


class World:
    """A scripted service, a client of it, and the time."""

    def __init__(self, server: Scripted) -> None:
        self.server, self.now = server, 0.0
        self.client = patient(server.url, cache=Cache(most=3, clock=lambda: self.now))

    def ask(self, limit: int = 3, **options: Any) -> Answer:
        return self.client.careers("P0", ["analyst"], limit, **options)

    def answered_by(self, **options: Any) -> str:
        return self.ask(**options).answered_by


@pytest.fixture
def world() -> Iterator[World]:
    with scripted(OK) as server:
        yield World(server)


def test_a_question_is_asked_once_an_hour(world: World) -> None:
    assert world.answered_by() == "service"
    world.now = HOUR - 1
    kept = world.ask()
    assert (kept.answered_by, kept.age, kept) == ("cache", HOUR - 1, ANSWER)
    world.now = HOUR
    assert world.answered_by() == "service"
    assert len(world.server.got) == 2


def test_another_question_is_another_answer(world: World) -> None:
    for options in ({}, {"limit": 4}, {"explain": False}):
        assert world.answered_by(**options) == "service"


def test_who_wants_a_fresh_answer_gets_one_and_it_is_kept(world: World) -> None:
    world.ask()
    assert world.answered_by(fresh=True) == "service"
    assert world.answered_by() == "cache"
    assert len(world.server.got) == 2


def test_what_a_caller_does_to_an_answer_does_not_change_the_next(world: World) -> None:
    world.ask()["model"]["name"] = "mine"
    world.ask()["model"]["name"] = "mine"
    assert world.ask().model == {"name": "career", "version": 3}


def test_after_the_hour_an_answer_is_given_only_where_the_service_is_away(world: World) -> None:
    world.ask()
    world.server.script[:] = [problem(500, "failed")]
    world.now = 2 * HOUR
    old = world.ask()
    assert (old.answered_by, old.age, old.source) == ("stale cache", 2 * HOUR, "model")
    assert world.answered_by(fresh=True) == "client"
    world.now = 25 * HOUR
    assert world.answered_by() == "client"


def test_errors_and_rules_are_not_kept(world: World) -> None:
    ruled = says(200, {**ANSWER, "source": "fallback", "reason": "no model"})
    world.server.script[:] = [problem(404, "none"), problem(500, "failed"), ruled, OK]
    with pytest.raises(RefusedError):
        world.ask()
    assert [(answer.answered_by, answer.source) for answer in (world.ask() for _ in range(4))] == [
        ("client", "fallback"),
        ("service", "fallback"),
        ("service", "model"),
        ("cache", "model"),
    ]


def test_the_answers_that_were_not_asked_for_longest_leave_first(world: World) -> None:
    for limit in (1, 2, 3, 1, 4):
        world.ask(limit)
    assert [world.answered_by(limit=limit) for limit in (1, 3, 4, 2)] == ["cache", "cache", "cache", "service"]


def test_a_batch_is_kept_as_one_question(world: World) -> None:
    world.server.script[:] = [says(200, {"answers": [ANSWER, ANSWER]})]
    for by in ("service", "cache"):
        answers = world.client.batch("/api/v1/careers/recommend/batch", [{"person_id": "P0"}, {"person_id": "P1"}])
        assert [answer.answered_by for answer in answers] == [by, by]


def test_what_the_service_says_of_itself_is_never_kept(world: World) -> None:
    for _ in range(2):
        world.client.health()
        world.client.models()
    assert len(world.server.got) == 4
