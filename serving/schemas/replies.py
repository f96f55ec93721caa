"""The answers' schemas, for the OpenAPI document, the client and the tests. Derived from a product's outputs."""

from datetime import datetime
from functools import cache
from typing import Any, Literal

from fastapi import Response
from pydantic import BaseModel, ConfigDict, Field
from pydantic_core import to_json

from serving.schemas.requests import model, noun
from training.product import Product
from training.route import Extra, Route

Source = Literal["model", "fallback"]
LOW, HIGH = "_low", "_high"


def answered(content: Any, status: int = 200) -> Response:
    """An answer as strict JSON, where it is none yet; what is not finite is null."""
    said = content if isinstance(content, bytes) else to_json(content, inf_nan_mode="null")
    return Json(said, status)


class Json(Response):
    """An answer in JSON. Starlette's own way to these two headers takes 1.5 us; this one .25."""

    def __init__(self, body: bytes, status: int) -> None:
        self.body, self.status_code, self.background = body, status, None
        self.raw_headers = [(b"content-length", b"%d" % len(body)), (b"content-type", b"application/json")]


class Reply(BaseModel):
    """Part of an answer."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)


class ModelName(Reply):
    """Who answered: a version of the product's model, or a rule, which has none."""

    name: str
    version: int | None


class Factor(Reply):
    """What one column did to one answer."""

    column: str
    description: str
    value: Any = Field(description="The column's value; null where it is not known")
    unit: str
    contribution: float = Field(
        description="In the explanation's scale; the factors of all columns and `expected` add up"
    )
    direction: Literal["raises", "lowers"]
    sentence: str


class Explanation(Reply):
    """What the factors explain."""

    output: str
    scale: str
    expected: float | None = Field(
        description="The output of an average row, in that scale; null where rows have their own"
    )


class Interval(Reply):
    """An expected value and the interval around it."""

    expected: float
    low: float | None
    high: float | None
    unit: str


class Head(Reply):
    """What every answer begins with."""

    prediction_id: str
    product: str
    model: ModelName
    source: Source
    reason: str | None = Field(description="Why a rule answered; null where the model did")
    processing_ms: float
    cached: bool = Field(description="Whether the same question was answered on the same basis within the last hour")
    as_of: datetime | None = Field(description="The features hold what was known then")
    snapshot: str | None = Field(description="Version of the online store that was read")
    confidence: float | None
    explanation: Explanation | None


def measures(product: Product) -> tuple[str, ...]:
    """The outputs that have a low and a high one, such as hours."""
    return _measures(product.outputs)


def scores(product: Product) -> tuple[str, ...]:
    """The outputs that are plain numbers; `confidence` is said apart."""
    return _scores(product.outputs)


@cache
def _measures(outputs: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(name for name in outputs if {name + LOW, name + HIGH} <= set(outputs))


@cache
def _scores(outputs: tuple[str, ...]) -> tuple[str, ...]:
    bounds = {name + bound for name in _measures(outputs) for bound in ("", LOW, HIGH)}
    return tuple(name for name in outputs if name not in bounds and name != "confidence")


def reply_model(name: str, product: Product, route: Route) -> type[BaseModel]:
    """The answer of a route. name: its schema's first part."""
    row: Any = _row(name, product, route)
    fields: dict[str, Any] = {extra.name: _extra(extra) for extra in route.extras if not extra.per_row}
    if route.items is None:
        return model(f"{name}Answer", Head, route.title, estimates=(list[row], ...), **fields)
    fields |= dict.fromkeys((entity.key for entity in route.subject), (str | None, ...))
    fields[route.named or route.items.name] = (list[row], ...)
    return model(f"{name}Answer", Head, route.title, **fields)


def batch_reply(name: str, reply: Any) -> type[BaseModel]:
    """The answers to a batch, in its order."""
    return model(f"{name}Answers", Reply, "In the order of the requests.", answers=(list[reply], ...))


def _row(name: str, product: Product, route: Route) -> type[BaseModel]:
    said: dict[str, Any] = {one: _score(product, one) for one in scores(product)}
    said |= dict.fromkeys(measures(product), (Interval | None, ...))
    said |= {extra.name: _extra(extra) for extra in route.extras if extra.per_row}
    said |= {"source": (Source, ...), "factors": (list[Factor] | None, ...)}
    if route.items is not None or "confidence" in product.outputs:
        said["confidence"] = (float | None, Field(ge=0, le=1))
    if route.items is None:
        said |= dict.fromkeys((entity.key for entity in route.subject), (str | None, ...))
        return model(f"{name}Estimate", Reply, "What to expect.", **said, reasons=(dict[str, str], ...))
    said |= {route.items.key: (str, ...), "rank": (int, Field(ge=1))}
    return model(f"{name}Item", Reply, f"A {noun(route.items)}, ranked.", **said)


def _score(product: Product, name: str) -> tuple[Any, Any]:
    if name.endswith("score"):
        return float | None, Field(ge=0, le=product.greatest_score)
    return float | None, Field()


def _extra(extra: Extra) -> tuple[Any, Any]:
    return extra.kind | None, Field(description=extra.description)


class ChallengerStatus(Reply):
    """The challenger of a running experiment. share: of what is asked about; refused: why it does not serve."""

    version: int
    experiment: str
    mode: Literal["split", "shadow"]
    share: float
    serves: bool
    refused: str | None


class ModelStatus(Reply):
    """What answers for one product, and since when."""

    product: str
    title: str
    route: str
    source: Source
    version: int | None
    as_of: datetime | None
    trained_until: datetime | None
    loaded_at: datetime | None
    data_hash: str | None
    code_revision: str | None
    sha256: str | None
    metrics: dict[str, float | None]
    challenger: ChallengerStatus | None = Field(description="Null where no experiment runs")
    refused: str | None = Field(description="Why a promoted version is not served; null where it is")


class RegistryStatus(Reply):
    """When the registry was last asked for champions, and what went wrong."""

    checked_at: datetime | None
    error: str | None


class FeatureStatus(Reply):
    """The online snapshot that is read."""

    version: str | None
    as_of: datetime | None
    error: str | None


class Status(Reply):
    """GET /api/v1/models/status."""

    models: list[ModelStatus]
    registry: RegistryStatus
    features: FeatureStatus


class HealthModel(Reply):
    """A product in the health answer."""

    version: int | None
    source: Source
    last_trained: datetime | None


class Health(Reply):
    """GET /api/v1/health: ok, or degraded where a rule answers for a product."""

    status: Literal["ok", "degraded"]
    uptime_seconds: float
    models: dict[str, HealthModel]
    features: FeatureStatus
