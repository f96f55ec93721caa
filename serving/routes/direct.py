"""An application that looks up the routes which read their own body, and calls them without FastAPI's layers."""

from collections.abc import Awaitable, Callable, Mapping
from functools import cached_property
from typing import cast

from fastapi import FastAPI, Request, Response
from fastapi.routing import APIRoute
from pydantic import BaseModel
from starlette.types import Receive, Scope, Send

from serving.schemas.problems import ProblemError, request_id_of
from serving.schemas.reading import json_body


class StrictRoute(APIRoute):
    """Reads the body with pydantic's own JSON parser: FastAPI's takes NaN and 1e999, and is five times slower."""

    def get_route_handler(self) -> Callable[[Request], Awaitable[Response]]:  # type: ignore[override]
        return self.answer

    async def answer(self, request: Request) -> Response:
        """What the endpoint says to the body. Raises ProblemError as both it and json_body do."""
        found: Response = await self.endpoint(request, json_body(request, self.model))
        return found

    @cached_property
    def model(self) -> type[BaseModel]:
        """What the body must be."""
        assert self.body_field is not None
        return cast(type[BaseModel], self.body_field.field_info.annotation)


class Application(FastAPI):
    """FastAPI; but a StrictRoute whose path holds no parameter is looked up, not searched for, and called at once.

    FastAPI's and Starlette's middleware, router and wrappers, of which it needs nothing, took 30 us of 50.
    """

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        route = self.direct.get((scope.get("method"), scope.get("path")))
        if route is None:
            await super().__call__(scope, receive, send)
            return
        scope["app"], scope["route"], scope["path_params"] = self, route, {}
        try:
            answer = await route.answer(Request(scope, receive, send))
        except ProblemError as error:
            answer = error.answer(request_id_of(scope))
        await answer(scope, receive, send)

    @cached_property
    def direct(self) -> Mapping[tuple[str | None, str | None], StrictRoute]:
        """By method and path. Read with the first request, after all routes were added."""
        found = [each for each in self.routes if isinstance(each, StrictRoute) and not each.param_convertors]
        return {(method, route.path): route for route in found for method in route.methods}
