"""What may be asked, derived from products and columns: no unknown fields, no NaN, no infinities."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, create_model, model_validator
from pydantic_core import PydanticCustomError

from feature_repo.column import Field as Declared
from feature_repo.column import View
from serving.limits import LIMITS
from training.product import Product

LOW, HIGH = "_low", "_high"
BOTH_OR_NEITHER = "give either task_id, or task with the columns of a task that is not stored yet"
PAIRS_OR_ONE = "give either pairs, or person_id and either task_id or task"

Id = Annotated[
    str, StringConstraints(strict=True, min_length=1, max_length=LIMITS.id_length, pattern=r"^[^\x00-\x1f\x7f]+$")
]
Text = Annotated[str, StringConstraints(strict=True, max_length=LIMITS.text_length, pattern=r"^[^\x00]*$")]


def _distinct(ids: list[str]) -> list[str]:
    if len(set(ids)) < len(ids):
        raise PydanticCustomError("distinct", "name each person once")
    return ids


People = Annotated[list[Id], Field(min_length=1, max_length=LIMITS.candidates), AfterValidator(_distinct)]
Limit = Annotated[int, Field(strict=True, ge=1, le=LIMITS.answers)]
EXPLAIN: tuple[Any, Any] = (Annotated[bool, Field(strict=True)], Field(True, description="Name the strongest factors"))
Finite = Annotated[float, Field(strict=True, allow_inf_nan=False)]
KINDS: dict[Any, Any] = {
    str: Text,
    float: Finite,
    int: Annotated[int, Field(strict=True, ge=-(2**53), le=2**53)],
    bool: Annotated[bool, Field(strict=True)],
    datetime: datetime,
    list[str]: Annotated[list[Text], Field(max_length=LIMITS.list_length)],
    list[float]: Annotated[list[Finite], Field(max_length=LIMITS.list_length)],
}


class Strict(BaseModel):
    """A request or a part of one."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def task_model(view: View) -> type[BaseModel]:
    """A task given by its columns. A column that the view's rows may lack is optional."""
    fields: dict[str, Any] = {column.name: _declared(column) for column in view.columns}
    return create_model("Task", __base__=Strict, __doc__="A task that is not stored yet.", **fields)


def _declared(column: Declared) -> tuple[Any, Any]:
    """A declared field as pydantic's type and default: its range, allowed values, description and unit."""
    kind: Any = Literal[column.allowed] if column.allowed else KINDS[column.dtype]
    text = f"{column.description} Unit: {column.unit}." if column.unit else column.description
    ranged: Any = Annotated[kind, Field(ge=column.minimum, le=column.maximum)]
    if column.nulls:
        return ranged | None, Field(None, description=text)
    return ranged, Field(description=text)


class _OneTask(Strict):
    """A request about one task, stored or given."""

    @model_validator(mode="after")
    def _one_task(self) -> Self:
        named = getattr(self, "task_id", None) is not None
        if named == (getattr(self, "task", None) is not None):
            raise PydanticCustomError("one_task", BOTH_OR_NEITHER)
        return self


def is_ranking(product: Product) -> bool:
    """A product with a `score` ranks people for one task; the others estimate measures per person and task."""
    return "score" in product.outputs


def measures(product: Product) -> tuple[str, ...]:
    """The outputs that have a low and a high one, such as hours."""
    return tuple(name for name in product.outputs if {name + LOW, name + HIGH} <= set(product.outputs))


def request_model(product: Product, task: type[BaseModel]) -> type[BaseModel]:
    """The request of a product's route."""
    return _ranking_request(product, task) if is_ranking(product) else _estimate_request(product, task)


def camel(product: Product) -> str:
    return "".join(part.capitalize() for part in product.name.split("_"))


def _task_fields(task: Any) -> dict[str, Any]:
    return {
        "task_id": (Id | None, Field(None, description="A stored task")),
        "task": (task | None, Field(None, description="A task that is not stored yet, by its columns")),
    }


def _ranking_request(product: Product, task: type[BaseModel]) -> type[BaseModel]:
    who = "People to rank; without them, those who worked on any task in the last year"
    return create_model(
        f"{camel(product)}Request",
        __base__=_OneTask,
        __doc__=product.title,
        **_task_fields(task),
        candidates=(People | None, Field(None, description=who)),
        limit=(Limit, Field(10, description="How many of them to answer with")),
        explain=EXPLAIN,
    )


def _estimate_request(product: Product, task: type[BaseModel]) -> type[BaseModel]:
    name, tasks = camel(product), _task_fields(task)
    pair: Any = create_model(
        f"{name}Pair",
        __base__=_OneTask,
        __doc__="A person and a task.",
        person_id=(Id, Field(description="Who")),
        **tasks,
    )
    pairs = Annotated[list[pair], Field(min_length=1, max_length=LIMITS.answers)]
    return create_model(
        f"{name}Request",
        __base__=_OneOrPairs,
        __doc__=product.title,
        person_id=(Id | None, Field(None, description="Who")),
        **tasks,
        pairs=(pairs | None, Field(None, description="Many at once, instead of person_id and the task")),
        explain=EXPLAIN,
    )


class _OneOrPairs(Strict):
    """Either person_id with a task, or pairs."""

    @model_validator(mode="after")
    def _one_or_pairs(self) -> Self:
        given = [getattr(self, name, None) is not None for name in ("person_id", "task_id", "task", "pairs")]
        if given not in ([True, True, False, False], [True, False, True, False], [False, False, False, True]):
            raise PydanticCustomError("one_or_pairs", PAIRS_OR_ONE)
        return self


def pairs_of(request: Any) -> Sequence[Any]:
    """The pairs of an estimate's request: things with person_id, task_id and task."""
    found: Sequence[Any] = request.pairs if request.pairs is not None else [request]
    return found
