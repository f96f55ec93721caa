"""How a product is asked: a path, the subject of the question, and the items ranked for it, or none.

Requests, answers, batch forms and the OpenAPI document are derived from a Route. What one product says beyond scores,
factors and intervals is an Extra: a value computed from the answered rows, typed by a dataclass.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Any, Literal, NamedTuple, Protocol

import numpy as np
import polars as pl
from numpy.typing import NDArray

from feature_repo.column import Column, Field, View
from feature_repo.entities import Entity
from feature_repo.table import Frame

Outputs = Mapping[str, NDArray[np.float64]]
"""A product's outputs by name, in its order, a number per row; NaN where nothing can be said."""
Ids = Mapping[str, str]
"""The subject's keys and ids, such as {"person_id": "p001"}."""


class Published(Protocol):
    """The published features as they stand at one instant: what pools and extras may read."""

    @property
    def at(self) -> datetime: ...

    def facts(self, stream: str, *, first: bool = False) -> pl.LazyFrame:
        """A stream's rows that were known then: of each key the version recorded last, or first."""

    def read(self, spine: pl.DataFrame, columns: Sequence[Column], given: Any = None) -> pl.DataFrame:
        """The spine with the columns' values; nulls where nobody knows the entity. given: as in online_frame."""

    def candidates(self, path: str, subject: Ids) -> Sequence[str]:
        """What a request to a route that names no items is answered from, the likeliest first."""


Choose = Callable[[Ids], Sequence[str]]
Pool = Callable[[Published], Choose]
"""Made once for each published snapshot: which items a request that names none is answered from, likeliest first."""


@dataclass(frozen=True)
class Answered:
    """The rows of an answer, in its order, and how to ask further.

    features: the spine's keys and the product's columns. outputs: the product's outputs. contributions: of the rows
    that the model scored, with a column `row` that holds their place; None where nothing was explained.
    ask: (product's name, spine, given) -> that product's outputs, from the champion or the rule.
    """

    subject: Ids
    options: Mapping[str, Any]
    features: pl.DataFrame
    outputs: pl.DataFrame
    contributions: pl.DataFrame | None
    published: Published
    ask: Callable[[str, pl.DataFrame, Any], pl.DataFrame]


@dataclass(frozen=True)
class Extra:
    """Something that an answer says beside scores, factors and intervals.

    kind: its type, such as a frozen dataclass; the schema is derived from it. value: for one that is said of each row
    (per_row) a value, or None, for each; else one value. In an answer it is null where it cannot be had.
    """

    name: str
    kind: Any
    value: Callable[[Answered], Any]
    description: str
    per_row: bool = False
    of_contributions: bool = False
    """Whether it is made of contributions: they are computed for it then, also where no explanation is asked for."""


class Rows(NamedTuple):
    """Scored rows, from which those to show are chosen.

    by_model: which rows the model scored, shape (rows,); the rule's scores are on another scale and come after those.
    """

    items: Sequence[str]
    outputs: Outputs
    features: Frame
    by_model: NDArray[np.bool_]
    options: Mapping[str, Any]
    limit: int

    @property
    def scores(self) -> NDArray[np.float64]:
        """The first output."""
        return next(iter(self.outputs.values()))


Order = Callable[[Rows], Sequence[int]]


def best_first(rows: Rows) -> list[int]:
    """By the first output, ties by id; with option min_score only what reaches it.

    Those whom the rule scored come after those whom the model did: their scores are on another scale. Sorted together,
    a stranger among six people ranked first or second for every one of 60 tasks.
    """
    score = rows.scores
    order = (-score).argsort()
    falling = score[order]
    if not (_holds(rows.by_model) and _holds(falling[:-1] > falling[1:])):  # else no ids are compared: 15 us less
        order = np.lexsort((np.asarray(rows.items), -score, ~rows.by_model))
    least = rows.options.get("min_score")
    kept = order if least is None else order[score[order] >= least]
    found: list[int] = kept[: rows.limit].tolist()
    return found


def _holds(mask: NDArray[np.bool_]) -> bool:
    """Whether it is true all over. NumPy's all() and count_nonzero() are Python's: two calls each, all() .6 us more."""
    return b"\0" not in mask.tobytes()


@dataclass(frozen=True)
class Route:
    """One way to ask a product.

    subject: what is asked about, each by its id. items: what is ranked for it; None where the subject itself is what is
    estimated. named: the request's field that may name items, and the answer's list of them. pool: the items where a
    request names none. given: a view whose columns may stand for the last subject where it is not stored.
    options: further fields of the request; inputs: those of them that the model reads as columns, with the values that
    stand in where they are left out. optional: keys of the subject that may be left out (null in the spine).
    """

    path: str
    subject: tuple[Entity, ...]
    title: str = ""
    items: Entity | None = None
    named: str = ""
    pool: Pool | None = None
    given: View | None = None
    options: tuple[Field, ...] = ()
    inputs: Mapping[str, float] = field(default_factory=dict)
    optional: frozenset[str] = frozenset()
    limit: int = 10
    order: Order = best_first
    extras: tuple[Extra, ...] = ()
    method: Literal["POST", "GET"] = "POST"
    reads: tuple[Column, ...] = ()
    """What order and extras look at beside the columns of the model and the rule."""
    batch: str = ""
    """The path of the batch form where it is not path + "/batch". A route by GET has none."""

    @cached_property
    def needs_contributions(self) -> bool:
        """Whether an extra does."""
        return any(extra.of_contributions for extra in self.extras)

    @property
    def batch_path(self) -> str:
        """The path of the batch form."""
        return self.batch or f"{self.path}/batch"

    @property
    def keys(self) -> tuple[str, ...]:
        """The keys of the spine: the items' first, then the subject's; those of an estimate in the subject's order."""
        items = (self.items.key,) if self.items else ()
        return (*items, *(entity.key for entity in self.subject))
