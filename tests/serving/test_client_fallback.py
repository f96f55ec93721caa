"""Where the service cannot be reached the client answers: what it kept, else the product's rule, in the same schema."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pydantic_core import to_json

from serving.client import RefusedError, UnreachableError
from serving.client.fallback import ruled
from serving.routes.api import schema_name
from serving.schemas.replies import batch_reply, reply_model
from tests.serving.conftest import Service
from tests.serving.questions import ASKED, Asking
from tests.serving.scripted import dead_url, patient
from tests.serving.test_routes import lasting

every_route = pytest.mark.parametrize("asked", ASKED, ids=str)
Serve = Callable[[Path], Service]
TASK = {"priority": 1, "project_id": "J1", "estimate_hours": 2.0}


def by_rule(asked: Asking, **changed: Any) -> dict[str, Any]:
    body = {name: value for name, value in {**asked.body, **changed}.items() if value is not None}
    return ruled(asked.route.method, asked.route.path, to_json(body))


@every_route
def test_the_rule_answers_every_route_in_its_schema(asked: Asking) -> None:
    answer = by_rule(asked)
    reply_model(schema_name(asked.product, asked.route), asked.product, asked.route).model_validate_json(
        to_json(answer)
    )
    assert (answer["source"], answer["reason"]) == ("fallback", "service unreachable")
    assert answer["model"] == {"name": asked.product.fallback, "version": None}
    assert len(answer[asked.items]) >= 1


@every_route
def test_the_rule_says_what_a_service_says_that_has_nothing_else(tmp_path: Path, serve: Serve, asked: Asking) -> None:
    served = lasting(asked.answer(serve(tmp_path)))
    assert lasting(by_rule(asked)) == {**served, "reason": "service unreachable"}


@pytest.mark.parametrize("asked", [each for each in ASKED if each.route.method == "POST"], ids=str)
def test_a_batch_is_answered_by_the_rule_in_its_order(asked: Asking) -> None:
    path = asked.route.batch_path
    found = ruled("POST", path, to_json({"requests": [asked.body, {**asked.body, "explain": False}]}))
    reply = reply_model("any", asked.product, asked.route)
    batch_reply("any", reply).model_validate_json(to_json(found))
    assert [lasting(each) for each in found["answers"]] == [lasting(by_rule(asked))] * 2


@pytest.mark.parametrize("asked", [each for each in ASKED if each.route.items], ids=str)
def test_without_named_items_there_is_nothing_to_rank(asked: Asking) -> None:
    assert by_rule(asked, **{asked.route.named: None})[asked.items] == []


def test_a_task_that_is_given_is_judged_by_its_columns() -> None:
    with patient(dead_url()) as client:
        [short, long] = client.estimate([("P1", TASK), ("P1", {**TASK, "estimate_hours": 20.0})])["estimates"]
        assert (short["hours"]["expected"], long["hours"]["expected"]) == (2.0, 20.0)
        ranked = client.rank(task=TASK, candidates=["P2", "P1"])
    assert [row["person_id"] for row in ranked["candidates"]] == ["P1", "P2"]


def test_an_answer_of_the_client_s_own_says_so() -> None:
    with patient(dead_url()) as client:
        answer = client.jobs_for("P1", ["JB0"])
        assert (answer.answered_by, answer.source, answer.reason) == ("client", "fallback", "service unreachable")
        [first, _] = client.batch("/api/v1/careers/recommend/batch", [{"person_id": "P0"}, {"person_id": "P1"}])
        assert (first.answered_by, first.source) == ("client", "fallback")


def test_a_bad_request_is_refused_though_the_service_is_away() -> None:
    with (
        patient(dead_url()) as client,
        pytest.raises(RefusedError, match=r"422, .* min_score: Input") as error,
    ):
        client.jobs_for("P1", min_score=101)
    assert error.value.status == 422


def test_a_path_that_no_product_has_is_refused_though_the_service_is_away() -> None:
    with patient(dead_url()) as client, pytest.raises(RefusedError, match="/api/v1/nowhere/batch: 404"):
        client.batch("/api/v1/nowhere/batch", [{"person_id": "P1"}])


def test_who_wants_no_fallback_gets_an_error() -> None:
    with (
        patient(dead_url(), fallback=False) as client,
        pytest.raises(UnreachableError, match="no answer from"),
    ):
        client.jobs_for("P1", ["JB0"])


def test_the_client_is_light_until_the_rule_is_needed() -> None:
    code = "import sys, serving.client; print({'polars', 'numpy', 'fastapi', 'pandas'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
