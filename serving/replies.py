"""The answers' schemas, for the OpenAPI document, the client and the tests. Derived from a product's outputs."""

from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, create_model

from serving.schemas import camel, is_ranking, measures
from training.product import Product

Source = Literal["model", "fallback"]


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
    expected: float | None = Field(description="The output of an average row, in that scale")


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
    as_of: datetime | None = Field(description="The features hold what was known then")
    snapshot: str | None = Field(description="Version of the online store that was read")
    confidence: float | None
    explanation: Explanation | None


def reply_model(product: Product) -> type[BaseModel]:
    """The answer of a product's route."""
    return _ranking(product) if is_ranking(product) else _estimates(product)


def _ranking(product: Product) -> type[BaseModel]:
    scores: dict[str, Any] = {name: (float | None, Field(ge=0, le=1)) for name in product.outputs}
    row: Any = create_model(
        f"{camel(product)}Candidate", __base__=Reply, __doc__="A person, ranked.", person_id=(str, ...),
        rank=(int, Field(ge=1)), source=(Source, ...), confidence=(float | None, Field(ge=0.5, le=1)),
        factors=(list[Factor] | None, ...), **scores,
    )  # fmt: skip
    return create_model(
        f"{camel(product)}Answer",
        __base__=Head,
        __doc__=product.title,
        task_id=(str | None, ...),
        candidates=(list[row], ...),
    )


def _estimates(product: Product) -> type[BaseModel]:
    intervals: dict[str, Any] = dict.fromkeys(measures(product), (Interval | None, ...))
    row: Any = create_model(
        f"{camel(product)}Estimate", __base__=Reply, __doc__="What to expect of a person and a task.",
        person_id=(str, ...), task_id=(str | None, ...), source=(Source, ...), reasons=(dict[str, str], ...),
        factors=(list[Factor] | None, ...), **intervals,
    )  # fmt: skip
    return create_model(f"{camel(product)}Answer", __base__=Head, __doc__=product.title, estimates=(list[row], ...))


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
