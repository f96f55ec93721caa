"""Requests that are read by their endpoint, not before it: who may not ask is told so whatever the body is."""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, TypeVar

from fastapi import Request
from pydantic import BaseModel, ValidationError

from serving.limits import LIMITS
from serving.schemas import problems
from serving.schemas.problems import ProblemAnswer, ProblemError

Read = TypeVar("Read", bound=BaseModel)
REFUSALS: Mapping[int, str] = {
    415: "The body is not JSON",
    422: "The request breaks its schema; `errors` names the fields",
}
"""What is answered to a body that cannot be read, and when."""


def json_body(request: Request, model: type[Read]) -> Read:
    """The body, read by pydantic's own strict JSON parser. Raises ProblemError 415 or 422.

    Headers and body are taken as the border has read them: Starlette's way to a body that is whole takes 3 us.
    """
    state = request.scope["state"]
    check_type(state["headers"])
    try:
        return model.model_validate_json(state["body"])
    except ValidationError as error:
        raise problems.invalid(error) from None


def query(request: Request, model: type[Read]) -> Read:
    """The parameters of the query and of the path. Raises ProblemError 422, also for one that is given twice."""
    given = [*request.query_params.multi_items(), *request.path_params.items()]
    names = Counter(name for name, _ in given)
    if twice := [name for name, count in names.items() if count > 1]:
        error = {"field": twice[0][: LIMITS.id_length], "message": "give it once"}
        raise ProblemError(422, "The request breaks its schema.", [error])
    try:
        return model.model_validate_strings(dict(given))
    except ValidationError as error:
        raise problems.invalid(error) from None


def check_type(given: Mapping[bytes, bytes]) -> None:
    """Raises ProblemError 415 for anything but plain JSON. given: the headers, of one that is given twice the first."""
    if given.get(b"content-type", b"").split(b";")[0].strip().lower() != b"application/json":
        raise ProblemError(415, "The body's type is not one that is read here, allowed: application/json.")
    if given.get(b"content-encoding", b"identity").lower() != b"identity":
        raise ProblemError(415, "The body is compressed, allowed: plain application/json.")


def first_values(headers: Sequence[tuple[bytes, bytes]]) -> dict[bytes, bytes]:
    """ASGI headers by name, of one that is given twice the first. Starlette's own look through all for each name."""
    return dict(reversed(headers))


def check_products(names: Iterable[str], products: Collection[str]) -> None:
    """Raises ProblemError 404 for a product that there is not."""
    if unknown := [name for name in names if name not in products]:
        raise ProblemError(404, f"No such product: {unknown[0]}, allowed: {', '.join(products)}.")


def documented_body(model: type[BaseModel]) -> dict[str, Any]:
    """The OpenAPI part of a route whose endpoint calls json_body."""
    return {"requestBody": {"required": True, "content": {"application/json": {"schema": model.model_json_schema()}}}}


def documented_query(model: type[BaseModel]) -> dict[str, Any]:
    """The OpenAPI part of a route whose endpoint calls query."""
    fields = model.model_json_schema()["properties"]
    return {"parameters": [{"name": name, "in": "query", "schema": schema} for name, schema in fields.items()]}


def documented_problems(texts: Mapping[int, str]) -> dict[int | str, dict[str, Any]]:
    """The OpenAPI part for answers that are problems: status to when it is given."""
    content: dict[str, Any] = {problems.MEDIA_TYPE: {}}
    return {code: {"model": ProblemAnswer, "content": content, "description": text} for code, text in texts.items()}
