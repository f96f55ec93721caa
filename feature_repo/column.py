"""A feature is declared once, as a Column; Feast views, expectation suites and request models derive from it."""

import inspect
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from feature_repo.entities import Entity

Type = type | Any  # float, int, str, bool, list[str], list[float]


@dataclass(frozen=True, kw_only=True)
class Field:
    """The facts of one field: what a value may be.

    dtype: float, int, str, bool, datetime, list[str] or list[float]. nulls: the share of nulls allowed, 0 to 1.
    item_nulls: whether entries of a list may be missing.
    """

    name: str
    dtype: Type
    unit: str = ""
    minimum: float | None = None
    maximum: float | None = None
    nulls: float = 0.0
    item_nulls: bool = False
    allowed: tuple[str, ...] = ()
    description: str = ""


@dataclass(frozen=True, kw_only=True)
class Column(Field):
    """A feature: a field, the function that computes it, and where its data come from.

    In an entity view, function takes the view's rows and returns an Ibis value, or a Polars expression over Events. In
    the pair view it takes one array for each of `reads`, in order, and returns an array of their length.
    inputs: qualified column names, the spine's keys such as skill_id, or `at`; where not given, the names of the
    function's parameters.
    """

    view: str
    function: Callable[..., Any] = field(compare=False)
    source: str = ""
    inputs: tuple[str, ...] = ()

    @cached_property
    def qualified(self) -> str:
        """Feast's full feature name, such as person__open_tasks."""
        return f"{self.view}__{self.name}"

    @cached_property
    def reads(self) -> tuple[str, ...]:
        """What a pair column is computed from."""
        return self.inputs or tuple(inspect.signature(self.function).parameters)

    def __call__(self, *inputs: Any, **named: Any) -> Any:
        return self.function(*inputs, **named)


@dataclass(frozen=True)
class View:
    """Columns about the same entities, computed from the same rows.

    rows: takes the accepted source tables by stream name (Ibis tables) and returns the view's rows, an Ibis table or
    Events: the keys of entities, event_timestamp, created_timestamp, and whatever the columns are computed from. None
    for pair views.
    """

    name: str
    entities: tuple[Entity, ...]
    rows: Callable[..., Any] | None = None
    ttl_days: int = 0
    columns: list[Column] = field(default_factory=list, compare=False)

    @property
    def keys(self) -> tuple[str, ...]:
        return tuple(entity.key for entity in self.entities)

    def has(self, name: str) -> bool:
        """Whether a column of that name is declared here."""
        return any(column.name == name for column in self.columns)

    def column(self, dtype: Type, **facts: Any) -> Callable[[Callable[..., Any]], Column]:
        """Declare the decorated function as a column of this view; its docstring becomes the description."""

        def declare(function: Callable[..., Any]) -> Column:
            declared = Column(
                name=function.__name__,
                dtype=dtype,
                view=self.name,
                function=function,
                description=(function.__doc__ or "").strip(),
                **facts,
            )
            self.columns.append(declared)
            return declared

        return declare
