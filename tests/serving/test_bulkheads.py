"""What waits for the platform's database takes nobody's place who asks for an answer."""

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from serving.access.border import ALWAYS, waits_for_database
from serving.limits import LIMITS
from serving.routes.api import application
from tests.patience import LONG
from tests.serving.conftest import Service
from tests.serving.judging import UNKNOWN, limited
from tests.serving.test_border import Ours, said
from training.products import PRODUCTS

FEEDBACK = f"/api/v1/recommendations/{UNKNOWN}/feedback"
ONE_PLACE = replace(LIMITS, in_flight=1)


def body(content: bytes) -> Any:
    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": content, "more_body": False}

    return receive


def test_feedback_that_waits_for_its_answer_keeps_nobody_from_one(
    service: Service, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    limited(monkeypatch, feedback_log_seconds=LONG)
    ours = Ours(service, tmp_path, limits=ONE_PLACE)

    async def story() -> list[int]:
        waits = asyncio.create_task(said(ours, body(b'{"accepted": true}'), path=FEEDBACK))
        await asyncio.sleep(0.3)  # it asks the log ten times a second
        question = body(b'{"person_id": "P1", "task_id": "T60"}')
        asked = [await said(ours, question), await said(ours, body(b'{"accepted": true}'), path=FEEDBACK)]
        assert not waits.done()
        waits.cancel()
        return [start["status"] for start, _ in asked]

    assert asyncio.run(story()) == [200, 503]


@pytest.mark.parametrize("path", sorted(application(PRODUCTS).openapi()["paths"].keys() - ALWAYS))
def test_every_route_but_a_product_s_own_waits_for_the_database(path: str) -> None:
    routes = [route for product in PRODUCTS.values() for route in product.routes]
    own = {path for route in routes for path in (route.path, route.batch_path)}
    assert waits_for_database(path) == (path not in own)
