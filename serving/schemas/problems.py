"""Errors as answers: application/problem+json.

Source: RFC 9457, Problem Details for HTTP APIs.
"""

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request, Response
from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic_core import to_json
from starlette.exceptions import HTTPException

from feature_repo.errors import ServingError
from serving.limits import LIMITS

MEDIA_TYPE = "application/problem+json"
UNFORESEEN = "The service could not answer."


class FieldError(BaseModel):
    """What is wrong with one field of a request."""

    field: str
    message: str


class ProblemAnswer(BaseModel):
    """The body of every answer that is not a success."""

    model_config = ConfigDict(title="Problem")

    type: str = "about:blank"
    title: str
    status: int
    detail: str
    request_id: str | None = None
    errors: list[FieldError] | None = None


class ProblemError(ServingError):
    """A request that cannot be answered, and why."""

    def __init__(
        self,
        status: int,
        detail: str,
        errors: Sequence[Mapping[str, str]] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(detail)
        self.status, self.detail, self.errors, self.headers = status, detail, errors, dict(headers or {})

    def answer(self, request_id: str | None) -> Response:
        """What is answered."""
        return problem(self.status, self.detail, request_id, self.errors, self.headers)


def unavailable(detail: str, seconds: int = 10) -> ProblemError:
    """A 503, which says when to ask again."""
    return ProblemError(503, detail, headers={"Retry-After": str(seconds)})


def problem(
    status: int,
    detail: str,
    request_id: str | None = None,
    errors: Sequence[Mapping[str, str]] = (),
    headers: Mapping[str, str] | None = None,
) -> Response:
    """A problem answer; it never holds more than is given here."""
    body: dict[str, Any] = {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
    }
    body |= {"request_id": request_id}
    if errors:
        body["errors"] = list(errors)
    return Response(to_json(body), status, headers, MEDIA_TYPE)


def invalid(error: ValidationError) -> ProblemError:
    """A 422 that names the first wrong fields, and repeats no value that was sent, nor a name longer than an id's."""
    count = error.error_count()
    if count > LIMITS.errors_counted:
        return ProblemError(422, f"The request breaks its schema in {count} places.")
    errors = [
        {"field": ".".join(str(name)[: LIMITS.id_length] for name in fault["loc"]) or "body", "message": fault["msg"]}
        for fault in error.errors(include_input=False, include_url=False, include_context=False)[: LIMITS.errors]
    ]
    return ProblemError(422, "The request breaks its schema.", errors)


def install(app: FastAPI) -> None:
    """Answer every error of the application with a problem."""

    async def known(request: Request, error: Exception) -> Response:
        assert isinstance(error, ProblemError)
        return error.answer(request_id_of(request.scope))

    async def http(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        answer = problem(error.status_code, str(error.detail), request_id_of(request.scope))
        answer.headers.update(error.headers or {})
        return answer

    async def unforeseen(request: Request, _: Exception) -> Response:
        return problem(500, UNFORESEEN, request_id_of(request.scope))

    app.add_exception_handler(ProblemError, known)
    app.add_exception_handler(Exception, unforeseen)
    app.add_exception_handler(HTTPException, http)


def request_id_of(scope: Mapping[str, Any]) -> str | None:
    """The id that the border gave to the request."""
    found: str | None = scope.get("state", {}).get("request_id")
    return found
