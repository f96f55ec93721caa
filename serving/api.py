"""The HTTP interface: a route per product, and what the service says about itself."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, cast

from fastapi import FastAPI, Request, Response
from fastapi.routing import APIRoute
from pydantic import BaseModel, ValidationError
from pydantic_core import to_json

from serving import docs, problems, status
from serving.features import task_view
from serving.problems import ProblemAnswer, ProblemError
from serving.replies import Health, Status, reply_model
from serving.schemas import request_model, task_model
from training.product import Product

if TYPE_CHECKING:
    from serving.running import Running

PROBLEMS: dict[int | str, dict[str, Any]] = {
    code: {"model": ProblemAnswer, "content": {problems.MEDIA_TYPE: {}}, "description": text}
    for code, text in (
        (404, "No such task"),
        (413, "The body is too large"),
        (415, "The body is not JSON"),
        (422, "The request breaks its schema; `errors` names the fields"),
    )
}


def application(products: Mapping[str, Product]) -> FastAPI:
    """The application. Its state.running must be set before it answers."""
    app = FastAPI(
        title="Talentml",
        version="1",
        summary="People for tasks, and what to expect of them",
        docs_url=None,
        redoc_url=None,
    )
    problems.install(app)
    docs.install(app)
    task = task_model(task_view())
    for product in products.values():
        _add_product(app, product, request_model(product, task))
    _add_status(app)
    return app


def _add_product(app: FastAPI, product: Product, model: type[BaseModel]) -> None:
    async def answer(request: Request, body: model) -> Response:  # type: ignore[valid-type]
        state = request.state
        reply = await running(request).answers.answer(product, body, state.request_id, state.started)
        return _json(reply)

    app.router.add_api_route(
        product.route,
        answer,
        methods=["POST"],
        name=product.name,
        summary=product.title,
        response_model=reply_model(product),
        responses=PROBLEMS,
        route_class_override=StrictRoute,
    )


class StrictRoute(APIRoute):
    """Reads the body with pydantic's own JSON parser: FastAPI's takes NaN and 1e999, and is five times slower."""

    def get_route_handler(self) -> Any:
        assert self.body_field is not None
        model = cast(type[BaseModel], self.body_field.field_info.annotation)
        endpoint = self.endpoint

        async def strict(request: Request) -> Response:
            _check_type(request)
            try:
                body = model.model_validate_json(await request.body())
            except ValidationError as error:
                raise problems.invalid(error) from None
            answer: Response = await endpoint(request, body)
            return answer

        return strict


def _check_type(request: Request) -> None:
    media = request.headers.get("content-type", "").split(";")[0].strip().lower()
    if media != "application/json":
        raise ProblemError(415, f"The body is {media[:50] or 'of no type'}, allowed: application/json.")
    if request.headers.get("content-encoding", "identity").lower() != "identity":
        raise ProblemError(415, "The body is compressed, allowed: plain application/json.")


def running(request: Request) -> "Running":
    """What the service holds while it runs."""
    found: Running = request.app.state.running
    return found


def _add_status(app: FastAPI) -> None:
    async def health(request: Request) -> Response:
        """Whether models answer, or rules; always 200 while the service can answer at all."""
        now = running(request)
        return _json(status.health(now.models, now.features, now.started))

    async def models(request: Request) -> Response:
        """Which version answers for each product, since when, and which was refused."""
        now = running(request)
        return _json(status.model_status(now.models, now.features))

    def metrics(request: Request) -> Response:
        """For Prometheus."""
        return Response(running(request).metrics.text(), media_type="text/plain; version=0.0.4; charset=utf-8")

    app.add_api_route("/api/v1/health", health, response_model=Health)
    app.add_api_route("/api/v1/models/status", models, response_model=Status)
    app.add_api_route("/metrics", metrics, include_in_schema=True, response_class=Response)


def _json(content: Any) -> Response:
    return Response(to_json(content, inf_nan_mode="null"), media_type="application/json")
