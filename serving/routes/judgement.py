"""The route of feedback: its schemas, and how it is added to the application."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any, Self

from fastapi import FastAPI, Request, Response
from fastapi.routing import APIRoute
from pydantic import ConfigDict, Field, StringConstraints, model_validator
from pydantic_core import PydanticCustomError

from monitoring.feedback import Taken
from serving.limits import LIMITS
from serving.routes.document import FEEDBACK
from serving.schemas.reading import documented_problems
from serving.schemas.replies import Reply
from serving.schemas.requests import Id, Strict

if TYPE_CHECKING:
    from serving.routes.feedback import Judgements

PATH = "/api/v1/recommendations/{prediction_id}/feedback"
Comment = Annotated[
    str,
    StringConstraints(strict=True, max_length=LIMITS.comment_length, pattern=r"^[^\x00-\x08\x0b-\x1f\x7f-\x9f]+$"),
]
"""No control characters but tabs and line ends."""


class Judgement(Strict):
    """What somebody says of one thing that an answer named; a second one takes the place of the first."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"item": "person-17", "accepted": True},
                {"rating": 2, "comment": "Took twice as long as expected."},
                {"item": "task-4", "person_id": "person-17", "accepted": False, "rating": 1},
            ],
            "anyOf": [
                {"required": [name], "properties": {name: {"type": kind}}}
                for name, kind in (("accepted", "boolean"), ("rating", "integer"), ("comment", "string"))
            ],
        },
    )

    item: Id | None = Field(
        None,
        description="Which one is judged, by the id that the answer lists it by: a ranked person, job, skill ...; of "
        "an estimate the task or skill. May be left out where the answer names one only",
    )
    person_id: Id | None = Field(None, description="Whose estimate is judged, where one task was estimated for several")
    accepted: Annotated[bool, Field(strict=True)] | None = Field(None, description="Whether it was followed")
    rating: Annotated[int, Field(strict=True, ge=1, le=5)] | None = Field(None, description="5 is best")
    comment: Comment | None = Field(None, description="For people to read; no model does")

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if self.accepted is None and self.rating is None and self.comment is None:
            raise PydanticCustomError("says_something", "give at least one of accepted, rating, comment")
        return self


class Noted(Reply):
    """What was stored: one word per person, item and product."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "prediction_id": "0b7f3f0e-9c1e-4c57-b7a5-6a1a2f6f3f1c",
                    "product": "task_assignment",
                    "person_id": "person-17",
                    "item_id": "task-4",
                    "accepted": True,
                    "rating": None,
                    "given_at": "2026-01-05T08:30:00Z",
                    "replaced": False,
                }
            ]
        },
    )

    prediction_id: str
    product: str
    person_id: str
    item_id: str = Field(description="The task, job, skill ... that it is about, with the person")
    accepted: bool | None
    rating: int | None
    given_at: datetime
    replaced: bool = Field(description="Whether it took the place of an earlier one")


DESCRIBED: dict[int | str, dict[str, Any]] = {
    200: {"model": Noted, "description": "It took the place of what was said of the same person and item before"},
    **documented_problems(
        {
            403: "A talent may judge answers about itself only",
            404: "No such answer",
            409: "Somebody else judged this already",
            429: "Too many since midnight UTC; Retry-After says when again",
            503: "It cannot be stored now; Retry-After says when to send it again",
        }
    ),
}


def add_feedback_route(
    app: FastAPI,
    find: Callable[[Request], "Judgements"],
    route: type[APIRoute],
    responses: Mapping[int | str, dict[str, Any]],
) -> None:
    """Add the route. find: the worker's Judgements; route: how its body is read; responses: those of every route."""

    async def judge(request: Request, body: Judgement) -> Response:
        prediction_id = request.path_params["prediction_id"]
        feedback, taken = await find(request).take(request.state.caller, prediction_id, body)
        said = {name: getattr(feedback, name) for name in Noted.model_fields if hasattr(feedback, name)}
        replaced = taken is Taken.REPLACED
        noted = Noted(product=feedback.kind, replaced=replaced, **said)
        return Response(noted.model_dump_json(), 200 if replaced else 201, media_type="application/json")

    app.router.add_api_route(
        PATH,
        judge,
        methods=["POST"],
        status_code=201,
        name="feedback",
        summary="Say what became of an answer",
        tags=[FEEDBACK],
        response_model=Noted,
        responses={**responses, **DESCRIBED},
        route_class_override=route,
        openapi_extra={"parameters": [PARAMETER]},
    )


PARAMETER = {
    "name": "prediction_id",
    "in": "path",
    "required": True,
    "description": "As it stands in the answer",
    "schema": {"type": "string", "format": "uuid"},
}
