"""What must be read, and in which order, to answer for some columns."""

from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from typing import Any

from feature_repo.column import Column, View
from feature_repo.entities import Entity
from feature_repo.errors import DataError

GIVEN = -1
AT = "at"  # a parameter of a pair function that is no column: days since 1970 of the event; so are keys of the spine


@dataclass(frozen=True)
class Pair:
    """A pair column and the names of its inputs, in order."""

    column: Column
    inputs: tuple[str, ...]


@dataclass(frozen=True)
class Hop:
    """Columns that can be read at once, by view, and the pair columns that can be computed after that, in order.

    keys: for each key of the views the column that holds it.
    """

    columns: Mapping[View, tuple[Column, ...]]
    keys: Mapping[str, str]
    pairs: tuple[Pair, ...]

    @cached_property
    def calls(self) -> tuple[tuple[Pair, ...], ...]:
        """The pairs by the call that computes them: those of one function that do not need each other."""
        levels: dict[str, int] = {}
        calls: dict[Any, list[Pair]] = {}
        for pair in self.pairs:
            level = levels[pair.column.qualified] = 1 + max((levels.get(name, 0) for name in pair.inputs), default=0)
            calls.setdefault((level, len(pair.inputs), pair.column.dtype, work(pair.column)), []).append(pair)
        return tuple(tuple(calls[each]) for each in sorted(calls, key=lambda each: each[0]))


def work(column: Column) -> Any:
    """Equal for columns whose functions do the same, as made by one function from equal numbers and texts."""
    function = column.function
    enclosed = [cell.cell_contents for cell in getattr(function, "__closure__", None) or ()]
    if not hasattr(function, "__code__") or not all(isinstance(each, int | float | str) for each in enclosed):
        return function
    return function.__code__, function.__defaults__, tuple(enclosed)


@dataclass(frozen=True)
class Plan:
    """columns: what was asked for. hops: what to read and compute, in order; the first may have nothing to read.

    all: by qualified name every column that is read, given or computed on the way.
    """

    columns: tuple[Column, ...]
    hops: tuple[Hop, ...]
    all: Mapping[str, Column]

    @cached_property
    def names(self) -> tuple[str, ...]:
        """The qualified names that were asked for."""
        return tuple(dict.fromkeys(column.qualified for column in self.columns))

    def check_new(self, spine: Iterable[str]) -> None:
        """Raise DataError where a spine has a column that is to be read."""
        taken = [name for name in spine if name in self.all]
        if taken:
            raise DataError(f"spine: already has {', '.join(taken)}, allowed: keys, times and labels")


@dataclass(frozen=True)
class Catalogue:
    """The declared views. A view without rows is a pair view.

    kept: for pair columns that need not be computed, as they are stored too, the view beside whose columns.
    """

    views: Mapping[str, View]
    columns: Mapping[str, Column]
    kept: Mapping[str, View] = field(default_factory=dict)

    @staticmethod
    def of(views: Sequence[View], kept: Mapping[str, View] | None = None) -> "Catalogue":
        columns = {column.qualified: column for view in views for column in view.columns}
        return Catalogue({view.name: view for view in views}, columns, kept or {})

    def column(self, name: str, by: str = "") -> Column:
        """The column of that qualified name. Raises DataError, naming who asked, when none is declared."""
        if name not in self.columns:
            asked = f", which {by} asks for" if by else ""
            raise DataError(f"column {name}{asked}: unknown, allowed: columns of the views {', '.join(self.views)}")
        return self.columns[name]

    def view(self, column: Column) -> View:
        """The view whose rows hold the column, or the pair view that declares it."""
        return self.kept.get(column.qualified) or self.views[column.view]

    def is_pair(self, column: Column) -> bool:
        return self.view(column).rows is None

    def holders(self, column: Column, present: Container[str]) -> dict[str, str]:
        """For each key of the column's view the column that holds it: the key itself where the spine has it.

        Raises DataError when the spine lacks a key that is not known through another column.
        """
        return {entity.key: self._holder(entity, column, present) for entity in self.view(column).entities}

    def _holder(self, entity: Entity, column: Column, present: Container[str]) -> str:
        if entity.key in present:
            return entity.key
        if not entity.through:
            raise DataError(f"spine: has no {entity.key}, which {column.qualified} needs")
        return entity.through


def declared_views() -> tuple[View, ...]:
    """The platform's own views."""
    from feature_repo.features import VIEWS

    return tuple(VIEWS)


def plan(
    columns: Sequence[Column],
    views: Sequence[View] | None,
    present: Sequence[str],
    given: Sequence[str] = (),
    kept: Mapping[str, View] | None = None,
) -> Plan:
    """How to answer for columns. present: the spine's columns. given: qualified names whose values need no reading.

    views: None for the platform's own; their plans are remembered. kept: pair columns that are stored, see Catalogue.
    Raises DataError for an undeclared column, a key that neither the spine nor another column has, and a circle.
    """
    names = tuple(column.qualified for column in columns)
    if views is None and not kept:
        return _own_plan(names, frozenset(present), frozenset(given))
    return _planned(names, Catalogue.of(views or declared_views(), kept), frozenset(present), frozenset(given))


@lru_cache(maxsize=256)
def _own_plan(names: tuple[str, ...], present: frozenset[str], given: frozenset[str]) -> Plan:
    return _planned(names, Catalogue.of(declared_views()), present, given)


def _planned(names: Sequence[str], catalogue: Catalogue, present: frozenset[str], given: frozenset[str]) -> Plan:
    steps = _Steps(catalogue, present, given)
    columns = tuple(catalogue.column(name) for name in names)
    for column in columns:
        steps.add(column)
    return Plan(columns, steps.hops(), steps.seen)


class _Steps:
    """Walks from the wanted columns to all that they need, deepest first.

    A column's depth is the number of the hop after which it is known: GIVEN before all of them.
    """

    def __init__(self, catalogue: Catalogue, present: frozenset[str], given: frozenset[str]) -> None:
        self.catalogue, self.present, self.given = catalogue, present, given
        self.seen: dict[str, Column] = {}
        self.depths: dict[str, int] = {}
        self._open: list[str] = []

    def add(self, column: Column) -> int:
        """Note a column and what it needs; returns its depth."""
        name = column.qualified
        if name in self._open:
            raise DataError(f"column {name}: needs itself, through {' -> '.join([*self._open, name])}")
        if name not in self.seen:
            self._open.append(name)
            self.depths[name] = self._depth(column)
            self._open.pop()
            self.seen[name] = column
        return self.depths[name]

    def _depth(self, column: Column) -> int:
        name = column.qualified
        if name in self.given:
            return GIVEN
        if self.catalogue.is_pair(column):
            read = (each for each in column.reads if each != AT and each not in self.present)
            return max((self._named(each, name) for each in read), default=GIVEN)
        holders = self.catalogue.holders(column, self.present).values()
        return 1 + max(GIVEN if holder in self.present else self._named(holder, name) for holder in holders)

    def _named(self, name: str, by: str) -> int:
        return self.add(self.catalogue.column(name, by))

    def hops(self) -> tuple[Hop, ...]:
        return tuple(self._hop(depth) for depth in sorted(set(self.depths.values())))

    def _hop(self, depth: int) -> Hop:
        found = [self.seen[name] for name, at in self.depths.items() if at == depth and name not in self.given]
        views: dict[View, tuple[Column, ...]] = {}
        keys: dict[str, str] = {}
        for column in found:
            if not self.catalogue.is_pair(column):
                view = self.catalogue.view(column)
                views[view] = (*views.get(view, ()), column)
                keys |= self.catalogue.holders(column, self.present)
        return Hop(views, keys, tuple(Pair(each, each.reads) for each in found if self.catalogue.is_pair(each)))
