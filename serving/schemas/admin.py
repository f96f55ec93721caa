"""What admins may ask of the service, and what they are answered."""

from typing import Annotated, Literal, Self

from pydantic import ConfigDict, Field, StringConstraints, model_validator
from pydantic_core import PydanticCustomError

from serving.limits import LIMITS
from serving.schemas.replies import Reply
from serving.schemas.requests import Id, Strict, exactly_one

Reason = Annotated[
    str,
    StringConstraints(
        strict=True,
        strip_whitespace=True,
        min_length=1,
        max_length=LIMITS.reason_length,
        pattern=r"^[^\x00-\x1f\x7f]+$",
    ),
    Field(description="Why, for those who read the audit log"),
]


class RetrainRequest(Strict):
    """Which products to train again, and why: one product, or several."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"product": "task_assignment", "reason": "300 tasks were imported on Friday"}],
            **exactly_one({"product": "string"}, {"products": "array"}),
        }
    )

    product: Id | None = None
    products: Annotated[list[Id], Field(min_length=1, max_length=LIMITS.answers)] | None = None
    reason: Reason

    @model_validator(mode="after")
    def _one_of_both(self) -> Self:
        if (self.product is None) == (self.products is None):
            raise PydanticCustomError("one_of_both", "give either product or products")
        return self

    @property
    def names(self) -> list[str]:
        """The products, each once."""
        return list(dict.fromkeys(self.products or [self.product or ""]))


class RetrainRun(Reply):
    """A run of a product's DAG in Airflow."""

    product: str
    dag: str
    run: str
    is_new: bool = Field(description="False: it was under way already, or was asked for within the last minute")


class RetrainReply(Reply):
    """The runs that train the products; Airflow shows how they go."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "runs": [
                        {
                            "product": "task_assignment",
                            "dag": "talentml_task_assignment",
                            "run": "admin__2026-03-02T08:15",
                            "is_new": True,
                        }
                    ]
                }
            ]
        }
    )

    runs: list[RetrainRun]


class RollbackRequest(Strict):
    """Why to roll back; and from which version, where another one's rollback would be a mistake."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"reason": "estimates of small tasks are off", "version": 4}]}
    )

    reason: Reason
    version: Annotated[int, Field(strict=True, ge=1, le=2**31 - 1)] | None = Field(
        None, description="Roll back only if this version is champion: a request sent twice then moves one step"
    )


class RollbackReply(Reply):
    """The champion before and after; every worker serves it within five seconds. Null while it is under way."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"product": "task_assignment", "status": "done", "from_version": 4, "to_version": 3}]
        }
    )

    product: str
    status: Literal["done", "under way"]
    from_version: int | None
    to_version: int | None
