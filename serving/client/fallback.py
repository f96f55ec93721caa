"""The product's own rule, run by the client: the code that the service runs where it has no features.

Imported only when it is needed: it brings polars and the products, a second's worth.
"""

import time
from functools import cache
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_core import from_json

from serving.answering import bodies, forms, heads
from serving.answering.features import read_for
from serving.answering.scoring import score
from serving.client.errors import RefusedError
from serving.schemas import problems
from serving.schemas.requests import batch_model, given_models, request_model
from training.product import Product
from training.products import PRODUCTS
from training.route import Route

REASON = "service unreachable"


def ruled(method: str, path: str, body: bytes) -> dict[str, Any]:
    """What the rule answers to a route's request, or to its batch form's, in the schema of the service.

    path: as the route declares it. body: the request as JSON; of a GET its parameters.
    Raises RefusedError, as the service would, for a path that no product has and a request that breaks its schema.
    """
    product, route = _declared(path)
    is_batch = path != route.path
    try:
        request: Any = _request(path).model_validate_json(body)
    except ValidationError as error:
        found = problems.invalid(error)
        raise RefusedError(f"{method} {path}", found.status, found.detail, found.errors) from None
    if is_batch:
        return {"answers": [_answer(product, route, each) for each in request.requests]}
    return _answer(product, route, request)


@cache
def _declared(path: str) -> tuple[Product, Route]:
    for product in PRODUCTS.values():
        for route in product.routes:
            if path in (route.path, route.batch_path):
                return product, route
    raise RefusedError(path, 404, "No product answers there.")


@cache
def _request(path: str) -> type[BaseModel]:
    product, route = _declared(path)
    single = request_model(product.name, route, given_models([route]))
    return single if path == route.path else batch_model(product.name, single)


def _answer(product: Product, route: Route, request: Any) -> dict[str, Any]:
    begun = time.perf_counter()
    asked = forms.asked(route, request, None)
    read = read_for(None, asked, product.asked_columns)
    scored = score(product, None, read)
    head = heads.head(product, read, scored)._replace(reason=REASON)
    body = bodies.body(product, head, asked, scored, forms.shown(request, read, scored), {}, {})
    said: dict[str, Any] = from_json(body.said(1000 * (time.perf_counter() - begun)).json)
    return said
