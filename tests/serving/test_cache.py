"""Answers that are given again."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel
from sqlalchemy import select

from feature_repo.platform import database, tables
from feature_repo.settings import Settings
from serving.answering.bodies import Said
from serving.answering.cache import Cache, Kept, key
from serving.answering.heads import Head
from serving.answering.messages import Rows
from serving.limits import LIMITS
from tests.serving.conftest import Service, promote, promoted
from tests.serving.test_fallback import Failing, give, swap
from tests.serving.test_models import Answering

Serve = Callable[[Path], Service]
BASIS = (object(), object())
JSON = {"content-type": "application/json"}
HEAD = Head("task_assignment", "task_assignment", 3, "model", None, None, None, b"null")
HITS = 'talentml_cache_total{product="task_assignment",result="hit"}'


class Question(BaseModel):
    """A request."""

    task_id: str
    limit: int = 10


def kept(letters: int = 10) -> Kept:
    return Kept(said(b"x" * letters), Rows(b""))


def said(json: bytes, logged: bytes | None = None) -> Said:
    return Said("", 0.1, HEAD, json, json if logged is None else logged, 0)


def filled(limits: Any = LIMITS) -> Cache:
    cache = Cache(limits)
    cache.find(key("/a", Question(task_id="T1")), BASIS)
    return cache


@pytest.mark.parametrize(
    ("path", "question", "arm", "is_found"),
    [
        ("/a", Question(task_id="T1"), None, True),
        ("/a", Question(task_id="T1", limit=10), None, True),  # the default, said
        ("/a", Question(task_id="T1", limit=9), None, False),
        ("/b", Question(task_id="T1"), None, False),
        ("/a", Question(task_id="T1"), "challenger", False),
    ],
)
def test_the_same_question_at_the_same_route_in_the_same_arm_is_found(
    path: str, question: Question, arm: str | None, is_found: bool
) -> None:
    cache, given = filled(), kept()
    cache.keep(key("/a", Question(task_id="T1")), given, BASIS)
    assert cache.find(key(path, question, arm), BASIS) is (given if is_found else None)


def test_another_basis_empties_the_cache() -> None:
    cache, asked = filled(), key("/a", Question(task_id="T1"))
    cache.keep(asked, kept(), BASIS)
    promoted_meanwhile = (object(), BASIS[1])
    assert cache.find(asked, promoted_meanwhile) is None
    assert len(cache) == 0


def test_what_was_made_on_the_basis_before_is_not_kept() -> None:
    cache, asked, swapped = filled(), key("/a", Question(task_id="T1")), (object(), BASIS[1])
    cache.find(asked, swapped)
    cache.keep(asked, kept(), BASIS)
    assert cache.find(asked, swapped) is None


def test_entries_are_bounded_and_the_least_recently_used_goes_first() -> None:
    cache = filled(replace(LIMITS, cache_entries=3, cache_bytes=30_000))
    keys = [key("/a", Question(task_id=f"T{number}")) for number in range(4)]
    for each in keys[:3]:
        cache.keep(each, kept(), BASIS)
    cache.find(keys[0], BASIS)
    cache.keep(keys[3], kept(), BASIS)
    assert [cache.find(each, BASIS) is not None for each in keys] == [True, False, True, True]


def test_bytes_are_bounded_and_what_is_larger_than_the_cache_is_not_kept() -> None:
    cache = filled(replace(LIMITS, cache_entries=1_000, cache_bytes=100_000))
    for number in range(50):
        cache.keep(key("/a", Question(task_id=f"T{number}")), kept(letters=28_000), BASIS)
    assert 0 < cache.bytes <= 100_000
    assert len(cache) == 3  # with what an answer begins with 30 kB each
    cache.keep(key("/a", Question(task_id="huge")), kept(letters=100_000), BASIS)
    assert cache.find(key("/a", Question(task_id="huge")), BASIS) is None


def test_the_features_that_are_kept_count_too() -> None:
    assert Kept(said(b""), Rows(b"x" * 7, b"x" * 80)).size == kept(0).size + 87


def test_what_is_logged_counts_where_it_is_not_the_answer_itself() -> None:
    assert Kept(said(b"x" * 80, b"x" * 7), Rows(b"")).size == kept(80).size + 7


def test_an_answer_that_is_kept_again_counts_once() -> None:
    cache, asked = filled(), key("/a", Question(task_id="T1"))
    cache.keep(asked, kept(letters=100_000), BASIS)
    cache.keep(asked, given := kept(letters=200_000), BASIS)
    assert (len(cache), cache.find(asked, BASIS)) == (1, given)
    assert cache.bytes == given.size + len(asked[1])


def test_nothing_is_kept_for_longer_than_its_time() -> None:
    cache, asked = filled(replace(LIMITS, cache_seconds=0.0)), key("/a", Question(task_id="T1"))
    cache.keep(asked, kept(), BASIS)
    assert cache.find(asked, BASIS) is None
    assert (len(cache), cache.bytes) == (0, 0)


@pytest.fixture
def serving(home: Path, serve: Serve) -> Service:
    promote(home, promoted(home, 3))
    return serve(home)


def test_a_hit_is_the_same_answer_with_an_id_of_its_own_that_says_so(serving: Service) -> None:
    first, second = serving.rank(task_id="T60"), serving.rank(task_id="T60", explain=True)
    changed = {name for name in first if first[name] != second[name]}
    assert changed <= {"prediction_id", "processing_ms", "cached"}
    assert (first["cached"], second["cached"]) == (False, True)
    assert first["prediction_id"] != second["prediction_id"]
    assert serving.metric(HITS) == 1
    assert serving.metric('talentml_answers_total{product="task_assignment",source="model"}') == 2


def test_a_hit_is_logged_with_its_features_like_any_answer(serving: Service, home: Path) -> None:
    serving.running.journal.start()
    ids = [serving.rank(task_id="T60")["prediction_id"] for _ in range(2)]
    serving.running.journal.close()
    with database(Settings(home=home, _env_file=None)).connect() as connection:
        rows = {row.prediction_id: row for row in connection.execute(select(tables.prediction_log))}
    first, second = (rows[each] for each in ids)
    assert first.features == second.features
    assert (second.model_version, second.row_count, second.answer["cached"]) == (3, first.row_count, True)


def test_the_log_says_what_was_asked_without_defaults_alone_and_among_others(serving: Service, home: Path) -> None:
    serving.running.journal.start()
    path = serving.running.models.products["task_assignment"].route.path
    said = serving.http.post(path, content=b'{"limit": 3,\n "task_id": "T\\u0036\\u0030"}', headers=JSON).json()
    many = serving.http.post(f"{path}/batch", json={"requests": [{"task_id": "T60"}, {"task_id": "T61", "limit": 2}]})
    ids = [said["prediction_id"], *(each["prediction_id"] for each in many.json()["answers"])]
    serving.running.journal.close()
    with database(Settings(home=home, _env_file=None)).connect() as connection:
        rows = {row.prediction_id: row.request for row in connection.execute(select(tables.prediction_log))}
    assert [rows[each] for each in ids] == [
        {"limit": 3, "task_id": "T60"}, {"task_id": "T60"}, {"task_id": "T61", "limit": 2},
    ]  # fmt: skip


def test_a_promotion_is_answered_from_at_once(serving: Service, home: Path) -> None:
    before = serving.rank(task_id="T60")
    promote(home, promoted(home, 4))
    serving.running.refresh()
    after = serving.rank(task_id="T60")
    assert (before["model"]["version"], after["model"]["version"], after["cached"]) == (3, 4, False)


def test_an_answer_by_the_rule_is_not_kept(serving: Service) -> None:
    give(serving, "task_assignment", Failing())
    assert [serving.rank(task_id="T60")["cached"] for _ in range(2)] == [False, False]


def test_an_answer_whose_explanation_failed_is_not_kept(serving: Service) -> None:
    champion = serving.running.models.active["task_assignment"]
    model = Answering(score=0.5, content_score=0.5, collaborative_score=0.5)
    model.contributions = Failing().predict  # type: ignore[method-assign]
    swap(serving, replace(champion, model=model))
    assert [serving.rank(task_id="T60")["cached"] for _ in range(2)] == [False, False]
    assert [serving.rank(task_id="T60", explain=False)["cached"] for _ in range(2)] == [False, True]


def test_a_cached_answer_is_json_of_its_schema(serving: Service) -> None:
    answers = [serving.estimate(person_id="P1", task_id="T60") for _ in range(2)]
    assert json.dumps(answers[0]["estimates"]) == json.dumps(answers[1]["estimates"])
