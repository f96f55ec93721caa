"""An answer as the service's OpenAPI document declares it, and who gave it."""

from typing import Any, Literal, TypedDict

AnsweredBy = Literal["service", "cache", "stale cache", "client"]


class ModelName(TypedDict):
    """Who computed the answer: a version of a product's model, or a rule, which has none."""

    name: str
    version: int | None


class Answer(dict[str, Any]):
    """A product's answer: the JSON object as sent, and by attributes what all of them begin with.

    answered_by: the service just now; the client's cache; its cache though the answer is older than it should be, as
    the service cannot be reached; or the client itself, by the product's rule. age: seconds since it was computed.
    """

    def __init__(self, said: dict[str, Any], answered_by: AnsweredBy, age: float = 0.0) -> None:
        super().__init__(said)
        self.answered_by, self.age = answered_by, age

    @property
    def prediction_id(self) -> str:
        """What feedback names. The service knows none that the client made up itself (answered_by: client)."""
        return str(self["prediction_id"])

    @property
    def product(self) -> str:
        """Which product answered."""
        return str(self["product"])

    @property
    def source(self) -> Literal["model", "fallback"]:
        """Whether a model answered, or a rule."""
        return "model" if self["source"] == "model" else "fallback"

    @property
    def model(self) -> ModelName:
        """The model's or the rule's name and version."""
        return ModelName(name=self["model"]["name"], version=self["model"]["version"])

    @property
    def reason(self) -> str | None:
        """Why a rule answered; None where the model did."""
        found: str | None = self["reason"]
        return found

    @property
    def confidence(self) -> float | None:
        """How sure the answer is, 0 to 1, where the product says so."""
        found: float | None = self["confidence"]
        return found
