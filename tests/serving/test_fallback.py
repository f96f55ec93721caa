"""The service answers in the same schema whatever is missing."""

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from feature_repo.table import Frame
from serving.schemas.replies import reply_model
from tests.serving import world
from tests.serving.conftest import Service, promote, promoted
from tests.serving.questions import OWN
from tests.serving.test_models import Answering
from training.products import PRODUCTS
from training.route import Outputs

Serve = Callable[[Path], Service]


def answered(service: Service, product: str) -> tuple[str, str]:
    """Source and reason of an answer, which keeps to its schema."""
    answer = OWN[product].answer(service)
    assert answer["model"] == {"name": PRODUCTS[product].fallback, "version": None}
    return answer["source"], answer["reason"]


@pytest.mark.parametrize("product", PRODUCTS)
def test_without_a_champion_the_rule_answers(home: Path, serve: Serve, product: str) -> None:
    assert answered(serve(home), product) == ("fallback", "no model")


@pytest.mark.parametrize("product", PRODUCTS)
def test_without_a_snapshot_the_rule_answers(home: Path, serve: Serve, product: str) -> None:
    promote(home, promoted(home, 3))
    shutil.rmtree(home / "online")
    assert answered(serve(home), product) == ("fallback", "features missing")


@pytest.mark.parametrize("product", PRODUCTS)
def test_an_empty_home_answers(tmp_path: Path, serve: Serve, product: str) -> None:
    assert answered(serve(tmp_path), product) == ("fallback", "no model")


def test_without_a_snapshot_nobody_is_known_so_that_nobody_is_ranked_unless_named(home: Path, serve: Serve) -> None:
    shutil.rmtree(home / "online")
    answer = serve(home).rank(task_id="T60")
    product = PRODUCTS["task_assignment"]
    reply_model(product.name, product, product.route).model_validate_json(json.dumps(answer))
    assert (answer["source"], answer["candidates"], answer["confidence"]) == ("fallback", [], None)


@pytest.mark.parametrize("product", PRODUCTS)
def test_a_model_that_fails_is_replaced_by_the_rule_for_that_answer(home: Path, serve: Serve, product: str) -> None:
    promote(home, promoted(home, 3))
    service = serve(home)
    give(service, product, Failing())
    assert answered(service, product) == ("fallback", "model failed")


@pytest.mark.parametrize("product", PRODUCTS)
def test_a_model_that_answers_nan_is_replaced_by_the_rule(home: Path, serve: Serve, product: str) -> None:
    promote(home, promoted(home, 3))
    service = serve(home)
    give(service, product, Answering(**dict.fromkeys(PRODUCTS[product].outputs, float("nan"))))
    assert answered(service, product) == ("fallback", "model failed")


def test_an_output_without_a_number_is_null_with_its_reason(home: Path, serve: Serve) -> None:
    promote(home, promoted(home, 3))
    service = serve(home)
    outputs = dict.fromkeys(PRODUCTS["task_performance"].outputs, 2.0)
    unrated = {name: float("nan") for name in outputs if name.startswith("quality")}
    give(service, "task_performance", Answering(**outputs | unrated))
    estimate = service.estimate(person_id="P1", task_id="T60")["estimates"][0]
    assert (estimate["quality"], estimate["source"], set(estimate["reasons"])) == (None, "model", {"quality"})
    assert estimate["hours"]["expected"] == 2.0


def test_an_explanation_that_fails_leaves_the_score(home: Path, serve: Serve) -> None:
    promote(home, promoted(home, 3))
    service = serve(home)
    champion = service.running.models.active["task_assignment"]
    model = Answering(score=0.5, content_score=0.5, collaborative_score=0.5)
    model.contributions = Failing().predict  # type: ignore[method-assign]
    swap(service, replace(champion, model=model))
    answer = service.rank(task_id="T60")
    assert (answer["source"], answer["explanation"], answer["candidates"][0]["factors"]) == ("model", None, None)


def test_the_share_of_fallbacks_is_counted_with_the_reason(home: Path, serve: Serve) -> None:
    service = serve(home)
    service.rank(task_id="T60")
    assert service.metric('talentml_answers_total{product="task_assignment",source="fallback"}') == 1
    assert service.metric('talentml_fallbacks_total{product="task_assignment",reason="no model"}') == 1


def test_health_is_degraded_while_a_rule_answers_and_ok_with_champions(home: Path, serve: Serve) -> None:
    service = serve(home)
    before = service.http.get("/api/v1/health").json()
    promote(home, promoted(home, 3))
    service.running.refresh()
    after = service.http.get("/api/v1/health").json()
    assert (before["status"], after["status"]) == ("degraded", "ok")
    assert after["models"]["task_assignment"]["version"] == 3


def test_a_new_snapshot_is_read_without_a_restart(home: Path, serve: Serve) -> None:
    shutil.rmtree(home / "online")
    service = serve(home)
    before = service.rank(task_id="T60", candidates=["P1"])["as_of"]
    shutil.copytree(world.published() / "online", home / "online", symlinks=True)
    service.running.refresh()
    assert (before, service.rank(task_id="T60")["as_of"]) == (None, "2012-01-01T00:00:00Z")


class Failing(Answering):
    """A model that cannot."""

    def predict(self, frame: Frame) -> Outputs:
        raise ValueError("cannot")


def give(service: Service, product: str, model: Answering) -> None:
    """Let a product be served by a model that was not loaded from a folder."""
    swap(service, replace(service.running.models.active[product], model=model))


def swap(service: Service, champion: Any) -> None:
    active = service.running.models.active
    service.running.models.active = {**active, champion.product.name: champion}
