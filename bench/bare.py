"""The least that can answer: Starlette, pydantic's JSON both ways, and the booster."""

from pydantic_core import from_json, to_json
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from bench.ranker import PATH, Ranker


def application() -> Starlette:
    """For uvicorn's --factory."""
    ranker = Ranker.at_home()

    async def rank(request: Request) -> Response:
        answer = ranker.rank(**from_json(await request.body()))
        return Response(to_json(answer), media_type="application/json")

    async def ready(_: Request) -> Response:
        return Response()

    return Starlette(routes=[Route(PATH, rank, methods=["POST"]), Route("/readyz", ready)])
