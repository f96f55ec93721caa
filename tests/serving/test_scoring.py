"""The model's scores and the rule's lie on two scales, which are never sorted together."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from feature_repo.retrieval import facts
from feature_repo.window import last_before
from tests.serving import ranker, world
from tests.serving.conftest import Service, promote, promoted
from tests.serving.test_fallback import give
from training.labels import active_people

KNOWN = world.PEOPLE[:6]


@pytest.fixture
def ranking(home: Path, serve: Callable[[Path], Service]) -> Service:
    """A service whose champion is the real recommender."""
    promote(home, promoted(home, 3))
    service = serve(home)
    give(service, "task_assignment", ranker.hybrid())
    return service


def ranked(service: Service, task: str, candidates: list[str]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = service.rank(task_id=task, candidates=candidates, explain=False)["candidates"]
    return found


def test_a_stranger_among_six_people_comes_last_for_every_task_and_is_marked(ranking: Service) -> None:
    for number in range(69):
        found = ranked(ranking, f"T{number:02}", ["stranger", *KNOWN])
        assert [row["source"] for row in found] == ["model"] * 6 + ["fallback"]
        assert (found[-1]["person_id"], found[-1]["rank"]) == ("stranger", 7)


def test_the_scale_of_the_rule_alone_would_have_put_the_stranger_before_people(ranking: Service) -> None:
    found = ranked(ranking, "T60", ["stranger", *KNOWN])
    assert found[-1]["score"] > found[-2]["score"]


def test_strangers_change_no_score_of_the_people_whom_the_model_compares(ranking: Service) -> None:
    alone = ranked(ranking, "T60", KNOWN)
    among = ranked(ranking, "T60", ["s1", *KNOWN[:3], "s2", *KNOWN[3:]])
    assert among[:6] == alone
    assert sum(row["content_score"] for row in among[:6]) == pytest.approx(1)


def test_strangers_are_ordered_by_the_rule_and_then_by_name(ranking: Service) -> None:
    last = ranked(ranking, "T60", ["s2", "P1", "s1"])[1:]
    assert [row["person_id"] for row in last] == ["s1", "s2"]


def test_who_is_ranked_unasked_is_who_training_ranks_less_closed_accounts(ranking: Service) -> None:
    home = ranking.home

    def known(stream: str, *, first: bool = False) -> Any:
        return facts(home, stream, world.AS_OF, first=first)

    wanted = set(active_people(known, last_before(world.AS_OF)).collect()["person_id"])
    people = {row["person_id"] for row in ranking.rank(task_id="T60", limit=100)["candidates"]}
    assert wanted - people == {"P7"}
    assert people < wanted
