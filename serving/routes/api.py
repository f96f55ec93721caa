"""The HTTP interface: a route per product, and what the service says about itself."""

import asyncio
import time
from collections.abc import Callable, Mapping
from functools import partial
from operator import attrgetter
from typing import TYPE_CHECKING, Any

from fastapi import FastAPI, Request, Response
from fastapi.routing import APIRoute
from pydantic import BaseModel
from starlette.responses import PlainTextResponse

from serving.access.caller import Role
from serving.access.permissions import check_own, check_role
from serving.answering.answers import Question
from serving.routes import admin, docs, document, reports, status
from serving.routes.direct import Application, StrictRoute
from serving.routes.document import MODELS, SERVICE
from serving.routes.judgement import add_feedback_route
from serving.schemas import problems, reading
from serving.schemas.reading import documented_problems, query
from serving.schemas.replies import Health, Status, answered, batch_reply, reply_model
from serving.schemas.requests import batch_model, camel, given_models, request_model
from training.product import Product
from training.route import Route

if TYPE_CHECKING:
    from serving.running import Running

OPERATORS = frozenset({Role.SERVICE, Role.ENGINEER, Role.ADMIN})
PROBLEMS = documented_problems(
    {404: "No such thing; give its columns where the request may", **reading.REFUSALS},
)


def application(products: Mapping[str, Product]) -> Application:
    """The application. Its state.running must be set before it answers."""
    app = Application(
        title="Talentml",
        version="1",
        summary="People, tasks, jobs and skills: what suits whom, what to expect, what to learn",
        description=document.ABOUT,
        openapi_tags=document.groups(products),
        generate_unique_id_function=attrgetter("name"),  # what generated clients call their methods
        openapi_url=None,  # document.install serves it
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,  # the other place would be on whatever host the caller's Host header names
    )
    problems.install(app)
    docs.install(app)
    given = given_models([route for product in products.values() for route in product.routes])
    for product in products.values():
        for route in product.routes:
            _add_route(app, product, route, given)
    add_feedback_route(app, lambda request: running(request).judgements, StrictRoute, PROBLEMS)
    _add_status(app)
    reports.install(app)
    admin.install(app)
    document.install(app, products)
    return app


def schema_name(product: Product, route: Route) -> str:
    """What the schemas of a route begin with: the product's name, or the path where it is not the product's own."""
    path = route.path.split("/{")[0].partition("/v1/")[2].replace("/", "-")
    return camel(product.name if route is product.route else path)


def _add_route(app: FastAPI, product: Product, route: Route, given: Mapping[str, type[BaseModel]]) -> None:
    name = schema_name(product, route)
    request, reply = request_model(name, route, given), reply_model(name, product, route)

    async def answer(request: Request, body: Any) -> Response:
        state = request.scope["state"]  # as it is: each look through request.state takes .4 us
        caller = state["caller"]
        check_own(caller, route, [body])
        said = state["body"] if route.method == "POST" else None  # of a GET nobody reads it
        question = Question(product, route, body, caller.subject, state["request_id"], state["started"], said)
        return answered(await state["running"].answers.answer(question))

    async def answers(request: Request, body: Any) -> Response:
        state, now = request.state, running(request).answers
        check_own(state.caller, route, body.requests)
        await running(request).limiter.check_batch(state.caller.subject, len(body.requests))
        now.check(route, body.requests)
        asked = partial(Question, product, route, caller=state.caller.subject, request_id=state.request_id)
        found = []
        for each in body.requests:
            found.append(await now.answer(asked(request=each, started=time.perf_counter())))
            await asyncio.sleep(0)  # others have their turn: a hundred answers take a second
        return answered(b'{"answers":[%b]}' % b",".join(found))

    title = route.title or product.title
    _add(app, product, route.path, route.method, answer, request, reply, name, title)
    if route.method == "POST":
        many, batch = batch_model(name, request), batch_reply(name, reply)
        _add(app, product, route.batch_path, "POST", answers, many, batch, f"{name}Batch", f"{title}, many at once")


def _add(
    app: FastAPI,
    product: Product,
    path: str,
    method: str,
    endpoint: Callable[..., Any],
    body: type[BaseModel],
    reply: type[BaseModel],
    name: str,
    title: str,
) -> None:
    by_body = method == "POST"
    endpoint.__annotations__["body"] = body
    if not by_body:
        endpoint = _from_parameters(endpoint, body)
    app.router.add_api_route(
        path.replace("}", ":path}"),  # an id may hold a slash, such as that of ci/cd
        endpoint,
        methods=[method],
        name=name,
        summary=title,
        tags=[product.title],
        response_model=reply,
        responses=PROBLEMS,
        route_class_override=StrictRoute if by_body else APIRoute,
        openapi_extra=None if by_body else {"parameters": _parameters(path, body)},
    )


def _from_parameters(endpoint: Callable[..., Any], model: type[BaseModel]) -> Callable[..., Any]:
    """The endpoint of a GET: the request's fields come from the path and the query."""

    async def read(request: Request) -> Response:
        answer: Response = await endpoint(request, query(request, model))
        return answer

    return read


def _parameters(path: str, model: type[BaseModel]) -> list[dict[str, Any]]:
    """The OpenAPI parameters of a GET's request."""
    whole = model.model_json_schema()
    return [
        {
            "name": name,
            "in": "path" if f"{{{name}}}" in path else "query",
            "required": name in whole.get("required", ()),
            "schema": schema,
        }
        for name, schema in whole["properties"].items()
    ]


def running(request: Request) -> "Running":
    """What the service holds while it runs."""
    found: Running = request.app.state.running
    return found


def _add_status(app: FastAPI) -> None:
    async def health(request: Request) -> Response:
        """Whether models answer, or rules; always 200 while the service can answer at all."""
        now = running(request)
        return answered(status.health(now.models, now.features, now.started))

    async def models(request: Request) -> Response:
        """Which version answers for each product, since when, and which was refused."""
        check_role(request.state.caller, OPERATORS)
        now = running(request)
        return answered(status.model_status(now.models, now.features))

    def metrics(request: Request) -> Response:
        """For Prometheus."""
        check_role(request.state.caller, OPERATORS)
        return Response(running(request).metrics.text(), media_type="text/plain; version=0.0.4; charset=utf-8")

    app.add_api_route(
        "/api/v1/health", health, response_model=Health, summary="Whether it answers, and by models", tags=[SERVICE]
    )
    app.add_api_route(
        "/api/v1/models/status", models, response_model=Status, summary="Which models answer", tags=[MODELS]
    )
    app.add_api_route(
        "/metrics", metrics, response_class=PlainTextResponse, summary="Metrics, for Prometheus", tags=[SERVICE]
    )
