"""What only admins may do: have a product trained again, and roll its champion back. Every call is audited."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import asdict
from datetime import datetime
from typing import TYPE_CHECKING, TypeVar

from fastapi import FastAPI, Request, Response

from serving.limits import LIMITS
from serving.platform import Platform
from serving.routes.audited import RETRAIN, ROLLBACK, UNKNOWN, Call
from serving.routes.document import MODELS
from serving.routes.retraining import Retraining, retrain
from serving.routes.rollback import RolledBack, rolled_back
from serving.schemas import reading
from serving.schemas.admin import RetrainReply, RetrainRequest, RollbackReply, RollbackRequest
from serving.schemas.problems import ProblemError, unavailable
from serving.schemas.reading import check_products, documented_body, documented_problems, json_body
from serving.schemas.replies import answered
from training.product import Product

if TYPE_CHECKING:
    from serving.running import Running

T = TypeVar("T")
Asked = TypeVar("Asked", RetrainRequest, RollbackRequest)
REFUSALS = {
    403: "The caller is no admin; this is audited",
    404: "No such product",
    **reading.REFUSALS,
}


def install(app: FastAPI) -> None:
    """Add the admin routes. app.state.running must hold settings, models, features and platform before they answer."""
    app.add_api_route(
        RETRAIN,
        retrain_models,
        methods=["POST"],
        summary="Train products again",
        tags=[MODELS],
        response_model=RetrainReply,
        status_code=202,
        responses=documented_problems(
            {**REFUSALS, 409: "The DAG is paused", 503: "Airflow or the audit log is away; `detail` says what to do"}
        ),
        openapi_extra=documented_body(RetrainRequest),
    )
    away = "MLflow, the platform's database or the audit log is away"
    app.add_api_route(
        ROLLBACK,
        roll_back,
        methods=["POST"],
        summary="Serve the champion before this one again",
        tags=[MODELS],
        response_model=RollbackReply,
        responses={
            202: {"model": RollbackReply, "description": "It goes on, and takes longer than a request may"},
            **documented_problems({**REFUSALS, 409: "There is nothing to go back to", 503: away}),
        },
        openapi_extra={**documented_body(RollbackRequest), "parameters": [NAME]},
    )


NAME = {
    "name": "name",
    "in": "path",
    "required": True,
    "schema": {"type": "string", "examples": ["task_assignment"]},
    "description": "The product's name",
}


async def retrain_models(request: Request) -> Response:
    """Begin a run of each product's DAG in Airflow, or name the one under way: asking twice trains once."""
    running: Running = request.app.state.running
    call = Call.of(running.platform, request, "retrain")
    asked = await _asked(call, request, RetrainRequest, running.models.products)
    names, as_of = asked.names, _as_of(running)
    note = f"{call.caller.subject}: {asked.reason}"
    audited = call.about(", ".join(names), asked.reason)

    def begun() -> list[Retraining]:
        return retrain(running.settings, running.platform.engine(), names, as_of, note)

    found = await _waited(running.platform, lambda: audited.carried_out(begun, _in_words))
    if found is None:
        raise unavailable("Airflow is slow; ask again, and the runs that it began are found.")
    return answered({"runs": [asdict(each) for each in found]}, 202)


async def roll_back(request: Request) -> Response:
    """Make the champion before this one champion again; every worker serves it within five seconds.

    202 where it takes longer than a request may: GET /api/v1/models/status tells when it is done.
    """
    running: Running = request.app.state.running
    name = request.path_params["name"][: LIMITS.id_length].replace("\0", "\ufffd")  # PostgreSQL keeps no NUL
    known = name if name in running.models.products else UNKNOWN
    call = Call.of(running.platform, request, "rollback", known)
    asked = await _asked(call, request, RollbackRequest, running.models.products, name)
    audited = call.about(name, asked.reason)

    def done() -> RolledBack:
        return rolled_back(running.settings, name, asked.version)

    found = await _waited(running.platform, lambda: audited.carried_out(done, _step))
    if found is None:
        return answered({"product": name, "status": "under way", "from_version": None, "to_version": None}, 202)
    return answered({"status": "done", **asdict(found)})


async def _asked(
    call: Call, request: Request, model: type[Asked], products: Mapping[str, Product], name: str | None = None
) -> Asked:
    """The request of an admin, about products that there are. Any refusal is audited; who may ask is asked first."""
    try:
        call.check()
        check_products([name] if name is not None else [], products)
        asked = json_body(request, model)
        if isinstance(asked, RetrainRequest):
            check_products(asked.names, products)
    except ProblemError as refusal:
        await call.refused(refusal)
        raise
    return asked


def _as_of(running: "Running") -> datetime | None:
    """The date of the published features, which is as late as a training may be; None where there are none."""
    published = running.features.current
    return published.snapshot.as_of if published else None


async def _waited(platform: Platform, work: Callable[[], T]) -> T | None:
    """What work gives, None where it takes longer than admin_seconds. It goes on, and is audited, whoever waits."""
    begun = asyncio.wrap_future(platform.submit(work))
    begun.add_done_callback(lambda each: each.cancelled() or each.exception())  # else asyncio logs one that comes late
    done, _ = await asyncio.wait([begun], timeout=LIMITS.admin_seconds)
    return begun.result() if done else None


def _in_words(found: list[Retraining]) -> str:
    return ", ".join(f"{each.dag} {each.run} {'begun' if each.is_new else 'under way'}" for each in found)


def _step(found: RolledBack) -> str:
    return f"from version {found.from_version} to {found.to_version}"
