"""The OpenAPI document: to what FastAPI derives, examples, the security scheme and the border's answers are added."""

from collections.abc import Iterator, Mapping
from copy import deepcopy
from functools import cache
from typing import Any

from fastapi import FastAPI
from pydantic import BaseModel
from pydantic_core import to_json

from serving.access.border import ALWAYS, PUBLIC
from serving.routes import docs
from serving.schemas import problems
from serving.schemas.examples import answer_example, example_of, problem_example, request_example, request_examples
from serving.schemas.problems import FieldError, ProblemAnswer
from serving.schemas.replies import Health, Status, answered
from training.product import Product
from training.route import Route

Json = dict[str, Any]
JSON = "application/json"
SCHEME = "token"
TOKENS = {
    "type": "http",
    "scheme": "bearer",
    "bearerFormat": "JWT",
    "description": "A JSON Web Token with sub, role, iss, aud, iat and exp; `talentml token issue` makes one. Roles: "
    "service, engineer, admin, and talent, which may ask about itself only.",
}
IDENTIFIED = {
    401: "The token is missing, or is not one that is taken here",
    403: "The caller may not ask this",
    429: "The caller asks too often; Retry-After says when again",
}
WORKED_ON = {
    408: "The body was not sent in time",
    413: "The body is too large",
    503: "Too much is asked at once, or something needed is away; Retry-After says when again",
}
FEEDBACK, MODELS, SERVICE = "Feedback", "Models", "The service"
"""Groups of routes, beside one for each product."""
ABOUT = """
Every route but the health wants a JSON Web Token, sent as `Authorization: Bearer ...`; *Authorize* takes one for this
page. A talent may ask about itself only.

An answer says who gave it: `source` is `model`, or `fallback` where a rule stood in, and `reason` then says why. Its
`prediction_id` is what feedback is given by.

Problems are `application/problem+json` (RFC 9457). Every answer has an `X-Request-ID`: yours, where you send one.
429 and 503 say in `Retry-After` when to ask again.
"""
REQUEST_ID = {
    "description": "The caller's, or a new one; the log has it",
    "required": True,
    "schema": {"type": "string"},
}
RETRY_AFTER = {"description": "Seconds until to ask again", "schema": {"type": "integer", "minimum": 1}}
PROBLEM: tuple[type[BaseModel], ...] = (ProblemAnswer, FieldError)
SAID: Mapping[str, type[BaseModel]] = {"/api/v1/health": Health, "/api/v1/models/status": Status}
"""What the service says about itself."""


def groups(products: Mapping[str, Product]) -> list[Json]:
    """The document's tags: a product's are the question that it answers, and who asks."""
    asked = [{"name": each.title, "description": each.about} for each in products.values()]
    others = {
        FEEDBACK: "What became of an answer: counted, and joined to it as its outcome.",
        MODELS: "Which models answer, how they do; training again and rolling back.",
        SERVICE: "For balancers and monitoring.",
    }
    return [*asked, *({"name": name, "description": text} for name, text in others.items())]


def install(app: FastAPI, products: Mapping[str, Product]) -> None:
    """Have the application serve the whole document. Made once, when it is first asked for, as anybody may.

    In a thread: it takes 0.3 s, and FastAPI's own way 2 ms each time, for which others would wait.
    """
    derived = app.openapi

    @cache
    def whole() -> Json:
        return finished(derived(), products)

    @cache
    def written() -> bytes:
        return to_json(whole())

    app.openapi = whole  # type: ignore[method-assign]  # the way that FastAPI documents
    app.add_api_route(docs.DOCUMENT, lambda: answered(written()), include_in_schema=False)


def finished(document: Json, products: Mapping[str, Product]) -> Json:
    """A copy of a derived document with all that callers need to know."""
    whole = deepcopy(document)
    schemas = whole.setdefault("components", {}).setdefault("schemas", {})
    whole["components"]["securitySchemes"] = {SCHEME: TOKENS}
    whole["security"] = [{SCHEME: []}]
    for model in PROBLEM:
        schemas.setdefault(model.__name__, model.model_json_schema(ref_template="#/components/schemas/{model}"))
        schemas[model.__name__].pop("$defs", None)
    for path, operations in whole["paths"].items():
        for operation in operations.values():
            _secure(path, operation)
            _tell_problems(operation)
            _tell_headers(operation)
    for path, model in SAID.items():
        _answer(whole["paths"][path]["get"])["example"] = example_of(model)
    for product, route in _routes(products):
        _show(whole["paths"], product, route)
    return whole


def _routes(products: Mapping[str, Product]) -> Iterator[tuple[Product, Route]]:
    return ((product, route) for product in products.values() for route in product.routes)


def _secure(path: str, operation: Json) -> None:
    """What the border may answer, and that nobody needs a token for what is public."""
    if path in PUBLIC:
        operation["security"] = []
        return
    for status, description in {**IDENTIFIED, **({} if path in ALWAYS else WORKED_ON)}.items():
        operation["responses"].setdefault(str(status), {"description": description})


def _tell_problems(operation: Json) -> None:
    """FastAPI puts the schema of every answer under application/json; problems have a media type of their own."""
    for status, response in operation["responses"].items():
        if int(status) >= 400:
            example = problem_example(int(status), response["description"])
            schema = {"$ref": f"#/components/schemas/{ProblemAnswer.__name__}"}
            response["content"] = {problems.MEDIA_TYPE: {"schema": schema, "example": example}}


def _tell_headers(operation: Json) -> None:
    for status, response in operation["responses"].items():
        response["headers"] = {"X-Request-ID": REQUEST_ID}
        if status in ("429", "503"):
            response["headers"]["Retry-After"] = RETRY_AFTER


def _show(paths: Json, product: Product, route: Route) -> None:
    """The examples of a route and of its batch form."""
    operation, answer = paths[route.path][route.method.lower()], answer_example(product, route)
    _answer(operation)["example"] = answer
    if route.method == "GET":
        values = request_example(product, route, {})
        for parameter in operation["parameters"]:
            if parameter["name"] in values:
                parameter["example"] = values[parameter["name"]]
        return
    operation["requestBody"]["content"][JSON]["examples"] = request_examples(product, route)
    batch = paths[route.batch_path]["post"]
    batch["requestBody"]["content"][JSON]["example"] = {"requests": [request_example(product, route, {})]}
    _answer(batch)["example"] = {"answers": [answer]}


def _answer(operation: Json) -> Json:
    found: Json = operation["responses"]["200"]["content"][JSON]
    return found
