"""The route of feedback alone, over a platform database, for callers whom the border would have let in."""

import asyncio
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI, Request
from sqlalchemy import Engine, select

from feature_repo.platform import database
from feature_repo.platform.tables import match_feedback
from feature_repo.settings import load
from monitoring.prediction_log import append
from serving.access.caller import Caller, Role
from serving.limits import LIMITS
from serving.routes import feedback as served
from serving.routes.api import PROBLEMS, StrictRoute
from serving.routes.feedback import Judgements
from serving.routes.judgement import PATH, add_feedback_route
from serving.schemas import problems
from serving.telemetry.metrics import Metrics
from tests.monitoring.said import estimate, prediction_id, ranking, record
from tests.serving.asked import Passed
from training.products import PRODUCTS

ONE, MANY, PAIRS, TREND, NOTHING = (prediction_id(number) for number in range(1, 6))
UNKNOWN = prediction_id(99)
HR = Caller("hr", Role.SERVICE)
SKILLS = {"skills": [{"skill_id": "sql", "source": "model"}, {"skill_id": "c++", "source": "model"}]}
LOGGED = [
    record(1, ranking({"P1": 0.9})),
    record(2, ranking({f"P{number}": 0.5 for number in range(12)})),
    record(3, estimate(("P1", "T1"), ("P2", "T1"), ("P2", "T2")), product="task_performance"),
    record(4, SKILLS, product="skill_demand"),
    record(5, ranking({})),
]


def logged(home: Path, url: str | None = None) -> Iterator[Engine]:
    """A platform database that has LOGGED, for as long as a fixture is used; the embedded one where no url is given."""
    found = database(load(home=home, database_url=url))
    append(found, LOGGED)
    yield found
    found.dispose()


def stored(engine: Engine) -> list[tuple[Any, ...]]:
    table = match_feedback.c
    chosen = select(table.subject, table.person_id, table.item_id, table.kind, table.accepted, table.rating)
    with engine.connect() as connection:
        return [tuple(row) for row in connection.execute(chosen)]


def limited(patch: pytest.MonkeyPatch, **seconds: float) -> None:
    """Bounds of a test's own."""
    patch.setattr(served, "LIMITS", replace(LIMITS, **seconds))


class Desk:
    """Where feedback is handed in."""

    def __init__(self, connect: Any) -> None:
        self.metrics = Metrics()
        self.judgements = Judgements(connect, PRODUCTS, self.metrics)
        self.app = FastAPI()
        problems.install(self.app)
        add_feedback_route(self.app, self._find, StrictRoute, PROBLEMS)

    def _find(self, _: Request) -> Judgements:
        return self.judgements

    def client(self, caller: Caller) -> httpx.AsyncClient:
        """A client of one caller."""
        return httpx.AsyncClient(transport=httpx.ASGITransport(Passed(self.app, caller)), base_url="http://desk")

    async def sent(self, prediction_id: str, body: Any, caller: Caller = HR) -> httpx.Response:
        """The response to one body."""
        async with self.client(caller) as client:
            raw = {"content": body} if isinstance(body, bytes) else {"json": body}
            headers = {"Content-Type": "application/json"}
            return await client.post(PATH.format(prediction_id=prediction_id), headers=headers, **raw)

    def counted(self, name: str, **labels: str) -> float:
        """The value of a counter of feedback."""
        return self.metrics.registry.get_sample_value(f"talentml_{name}_total", labels) or 0.0

    def post(self, prediction_id: str, body: Any, caller: Caller = HR) -> httpx.Response:
        """The same, waited for."""
        return asyncio.run(self.sent(prediction_id, body, caller))


def desk(engine: Engine) -> Desk:
    """A desk over an open database."""
    return Desk(lambda: engine)


def wrong(response: httpx.Response) -> Mapping[str, str]:
    """What a refusal says of each field."""
    return {error["field"]: error["message"] for error in response.json()["errors"]}
