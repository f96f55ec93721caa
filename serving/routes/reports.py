"""How the models do: GET /api/v1/ml/metrics and GET /api/v1/ml/training-history, for engineers and admins."""

import asyncio
from collections.abc import Mapping
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from fastapi import FastAPI, Request, Response
from sqlalchemy import Engine

from feature_repo.window import Window
from monitoring import outcomes, standing
from serving.access.caller import Role
from serving.access.permissions import check_role
from serving.routes.document import MODELS
from serving.schemas.problems import ProblemError
from serving.schemas.reading import check_products, documented_problems, documented_query, query
from serving.schemas.replies import answered
from serving.schemas.reports import HistoryQuery, ModelMetrics, Training, TrainingHistory

if TYPE_CHECKING:
    from serving.running import Running

READERS = frozenset({Role.ENGINEER, Role.ADMIN})
FEEDBACK_PERIOD = timedelta(days=30)
REFUSALS = {
    403: "The caller is neither engineer nor admin",
    503: "The platform's database is away; see Retry-After",
}


def install(app: FastAPI) -> None:
    """Add the reports. app.state.running must hold models, metrics and platform before they answer."""
    app.add_api_route(
        "/api/v1/ml/metrics",
        model_metrics,
        summary="How each product does",
        tags=[MODELS],
        response_model=ModelMetrics,
        responses=documented_problems(REFUSALS),
    )
    app.add_api_route(
        "/api/v1/ml/training-history",
        training_history,
        summary="What was trained, newest first",
        tags=[MODELS],
        response_model=TrainingHistory,
        responses=documented_problems(
            {**REFUSALS, 404: "No such product", 422: "The query breaks its schema; `errors` names the fields"}
        ),
        openapi_extra=documented_query(HistoryQuery),
    )


async def model_metrics(request: Request) -> Response:
    """Champion, baseline, last verdict and drift of each product; answers since the start; feedback of 30 days."""
    check_role(request.state.caller, READERS)
    running: Running = request.app.state.running
    products, now = running.models.products, datetime.now(UTC)
    found = await running.platform.read(
        lambda engine: {name: standing.standing(engine, products[name]) for name in products}
    )
    said = await _feedback(running, Window(now - FEEDBACK_PERIOD, now))
    counts = await asyncio.to_thread(running.metrics.given)  # 7 ms, for which nobody else is to wait
    rows = [
        {
            "product": name,
            "title": product.title,
            **found[name],
            "answers": _shares(counts.get(name, {})),
            "feedback": said.get(name),
        }
        for name, product in products.items()
    ]
    return answered({"generated_at": now, "products": rows})


async def training_history(request: Request) -> Response:
    """Every training with its metrics and those of its baselines, parameters and importances of the columns."""
    check_role(request.state.caller, READERS)
    asked = query(request, HistoryQuery)
    running: Running = request.app.state.running
    check_products([asked.product] if asked.product else [], running.models.products)
    rows = await running.platform.read(lambda engine: standing.trainings(engine, asked.product, asked.limit))
    return answered({"trainings": [{name: row[name] for name in COLUMNS} for row in rows]})


COLUMNS = tuple(Training.model_fields)


def _shares(by_source: Mapping[str, float]) -> dict[str, Any]:
    total, fallback = sum(by_source.values()), by_source.get("fallback", 0.0)
    return {"count": int(total), "fallback_share": fallback / total if total else None}


async def _feedback(running: "Running", window: Window) -> dict[str, Any]:
    """Product -> the summary of what people said; empty where the database does not tell in time."""

    def summaries(engine: Engine) -> dict[str, Any]:
        return {name: asdict(outcomes.summary(engine, name, window)) for name in running.models.products}

    try:
        return await running.platform.read(summaries)
    except ProblemError:
        return {}
