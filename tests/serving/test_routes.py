"""What holds for every route of every product, whatever is known and whatever is missing."""

import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from serving.routes.api import schema_name
from serving.schemas.replies import batch_reply, reply_model
from serving.schemas.requests import noun
from tests.serving import fitted, tiny, world
from tests.serving.conftest import Service, promote, promoted, started
from tests.serving.questions import ASKED, Asking, asking
from tests.serving.test_fallback import give

Serve = Callable[[Path], Service]
EACH_TIME = ("prediction_id", "processing_ms", "cached")
every_route = pytest.mark.parametrize("asked", ASKED, ids=str)
rankings = pytest.mark.parametrize("asked", [each for each in ASKED if each.route.items], ids=str)
batches = pytest.mark.parametrize("asked", [each for each in ASKED if each.route.method == "POST"], ids=str)
SUBJECTS = [
    pytest.param(each, entity, id=f"{each} {entity.name}")
    for each in ASKED
    for entity in each.route.subject
    if each.route.given is None or entity != each.route.subject[-1]
]
"""Each route with each of its subjects that has to be stored: what may be given is a 404 instead."""


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """Version 3 of every product; of skill gaps a real model, as unlikely gaps are not shown."""
    tiny.install()
    home = world.copy(tmp_path_factory.mktemp("routes") / "home")
    promote(home, promoted(home, 3))
    found = started(home, journal=False)
    give(found, "skill_gap", fitted.ensemble("skill_gap"))  # type: ignore[arg-type]
    yield found
    found.running.journal.close()


@pytest.mark.parametrize("explain", [True, False])
@every_route
def test_a_known_subject_is_answered_by_the_model_in_the_declared_schema(
    service: Service, asked: Asking, explain: bool
) -> None:
    answer = asked.answer(service, explain=explain)
    assert (answer["source"], answer["reason"], answer["product"]) == ("model", None, asked.product.name)
    assert answer["model"] == {"name": asked.product.name, "version": 3}
    assert len(answer[asked.items]) >= 1
    assert all((row["factors"] is not None) == explain for row in answer[asked.items])
    assert (answer["explanation"] is not None) == explain


@every_route
def test_extras_are_said_with_and_without_an_explanation(service: Service, asked: Asking) -> None:
    with_it, without = (asked.answer(service, explain=explain) for explain in (True, False))
    for extra in asked.route.extras:
        said = [
            [row[extra.name] for row in a[asked.items]] if extra.per_row else a[extra.name] for a in (with_it, without)
        ]
        assert said[0] == said[1]
        assert said[0] not in (None, [None])


@batches
def test_a_batch_gives_what_each_request_alone_gives_in_their_order(service: Service, asked: Asking) -> None:
    bodies: list[dict[str, Any]] = [{**asked.body, "explain": explain} for explain in (True, False)]
    path = asked.route.batch_path
    found = service.http.post(path, json={"requests": bodies})
    name = schema_name(asked.product, asked.route)
    batch_reply(name, reply_model(name, asked.product, asked.route)).model_validate_json(found.content)
    assert [lasting(each) for each in found.json()["answers"]] == [
        lasting(asked.answer(service, explain=body["explain"])) for body in bodies
    ]


def test_each_answer_of_a_batch_says_its_own_time(service: Service) -> None:
    asked = asking("/api/v1/recommendations/task-assignment")
    begun = time.perf_counter()
    found = service.http.post(asked.route.batch_path, json={"requests": [asked.body] * 50}).json()["answers"]
    passed = 1000 * (time.perf_counter() - begun)
    assert sum(answer["processing_ms"] for answer in found) < passed


def lasting(answer: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in answer.items() if name not in EACH_TIME}


@batches
def test_a_batch_with_one_bad_request_is_refused_and_names_it(service: Service, asked: Asking) -> None:
    path = asked.route.batch_path
    found = service.http.post(path, json={"requests": [asked.body, {**asked.body, "explain": "yes"}]})
    assert (found.status_code, [error["field"] for error in found.json()["errors"]]) == (422, ["requests.1.explain"])


GIVABLE = [each for each in ASKED if each.route.method == "POST" and each.route.given]


@pytest.mark.parametrize("asked", GIVABLE, ids=str)
def test_of_a_batch_with_a_subject_that_is_not_stored_nothing_is_answered(service: Service, asked: Asking) -> None:
    """None of its answers is counted, logged, or part of an experiment."""
    path, last = asked.route.batch_path, asked.route.subject[-1]
    count = f'talentml_answers_total{{product="{asked.product.name}",source="model"}}'
    before = service.metric(count)
    found = service.http.post(path, json={"requests": [asked.body, {**asked.body, last.key: "nobody"}]})
    assert (found.status_code, service.metric(count)) == (404, before)
    assert f"No such {last.name}: nobody." in found.json()["detail"]


@pytest.mark.parametrize(("asked", "entity"), SUBJECTS)
def test_an_unknown_subject_is_answered_by_the_rule_which_says_what_is_unknown(
    service: Service, asked: Asking, entity: Any
) -> None:
    for items in ({}, {asked.route.named: None} if asked.route.named else {}):
        answer = asked.answer(service, **{entity.key: "nobody"}, **items)
        assert (answer["source"], answer["reason"]) == ("fallback", f"{noun(entity)} unknown")
        assert len(answer[asked.items]) >= 1


@rankings
def test_without_named_items_those_that_come_into_question_are_ranked(service: Service, asked: Asking) -> None:
    rows = asked.answer(service, **{asked.route.named: None})[asked.items]
    assert [row["rank"] for row in rows] == list(range(1, len(rows) + 1))
    assert len(rows) >= 1


@rankings
def test_of_named_items_the_unknown_ones_are_answered_by_the_rule_and_marked(service: Service, asked: Asking) -> None:
    assert asked.route.items is not None
    known = asked.body[asked.route.named]
    answer = asked.answer(service, **{asked.route.named: [*known, "nothing"]}, explain=True)
    sources = {row[asked.route.items.key]: row["source"] for row in answer[asked.items]}
    assert answer["source"] == "model"
    assert sources["nothing"] == "fallback"
    assert {source for name, source in sources.items() if name != "nothing"} == {"model"}


@rankings
def test_only_unknown_items_are_answered_by_the_rule(service: Service, asked: Asking) -> None:
    answer = asked.answer(service, **{asked.route.named: ["nothing"]})
    assert answer["source"] == "fallback"
    assert answer["reason"].endswith(" unknown")


@every_route
def test_without_a_snapshot_every_route_answers(home: Path, serve: Serve, asked: Asking) -> None:
    promote(home, promoted(home, 3))
    shutil.rmtree(home / "online")
    service = serve(home)
    for items in ({}, {asked.route.named: None} if asked.route.named else {}):
        answer = asked.answer(service, **items)
        assert (answer["source"], answer["as_of"]) == ("fallback", None)


@every_route
def test_an_empty_home_answers_every_route(tmp_path: Path, serve: Serve, asked: Asking) -> None:
    service = serve(tmp_path)
    for items in ({}, {asked.route.named: None} if asked.route.named else {}):
        assert asked.answer(service, **items)["source"] == "fallback"


def test_a_target_may_be_left_out_where_the_route_says_so(service: Service) -> None:
    for path in ("/api/v1/skill-gaps/predict", "/api/v1/recommendations/generate"):
        answer = asking(path).answer(service, target_id=None)
        assert (answer["source"], answer["target_id"]) == ("model", None)
    refused = asking("/api/v1/skill-gaps/analyze").sent(service, target_id=None)
    assert [error["field"] for error in refused.json()["errors"]] == ["target_id"]


def test_closed_jobs_are_not_offered_but_may_be_asked_about(service: Service) -> None:
    jobs = asking("/api/v1/match/talent-to-jobs")
    offered = {row["job_id"] for row in jobs.answer(service, jobs=None, limit=100)["jobs"]}
    assert offered == {f"JB{number}" for number in range(9)}
    assert jobs.answer(service, jobs=["JB9"])["jobs"][0]["source"] == "model"


def test_a_skill_is_named_in_the_path_whatever_its_name_holds(service: Service) -> None:
    for quoted, name in (("c%2B%2B", "c++"), ("ci%2Fcd", "ci/cd"), ("c%23", "c#")):
        answer = service.http.get(f"/api/v1/trends/forecast/{quoted}")
        assert (answer.status_code, answer.json()["estimates"][0]["skill_id"]) == (200, name)


def test_a_skill_that_talents_have_but_whose_demand_nobody_counted_is_not_forecast_by_the_model(
    service: Service,
) -> None:
    found = {name: service.http.get(f"/api/v1/trends/forecast/{name}").json() for name in ("sql", "dbt")}
    assert {name: (said["source"], said["reason"]) for name, said in found.items()} == {
        "sql": ("model", None),
        "dbt": ("fallback", "skill unknown"),
    }
