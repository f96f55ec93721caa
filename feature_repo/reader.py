"""Reads columns for one question after another from an online snapshot: what depends on no question is found once."""

from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass, replace
from operator import attrgetter
from typing import Any

import numpy as np
import polars as pl

from feature_repo.calls import Call, Programmed
from feature_repo.column import Column, View
from feature_repo.derived import derived
from feature_repo.errors import DataError
from feature_repo.kernels import kernels
from feature_repo.lists import Opened
from feature_repo.names import Names
from feature_repo.online import OnlineSnapshot
from feature_repo.packing import Floats, Ints, held_keys, microseconds, strides
from feature_repo.pairs import compute, side_by_side, wired
from feature_repo.plan import AT, Hop, Pair, Plan, declared_views, plan
from feature_repo.program import Beside
from feature_repo.table import DAY, KINDS, LISTS, Stored, Table, typed

Given = Mapping[str, Any] | pl.DataFrame | None
Spine = Mapping[str, pl.Series | list[str | None]]
"""Keys, and what else a question gives; a plain list is one of texts."""
QUALIFIED = attrgetter("qualified")
MOST_READERS = 256  # of a snapshot: forms of questions, and the tuples of columns that they come with


@dataclass(frozen=True)
class Step:
    """A hop, ready. heads, keys, strides, wanted: of its views, as gathering.gather takes them.

    others: for the number of a view it and its columns that are in no matrix, as they are stored. calls: its pair
    columns.
    """

    heads: Ints
    keys: Ints
    strides: Ints
    wanted: Ints
    others: tuple[tuple[int, str, tuple[tuple[Column, Opened], ...]], ...]
    calls: tuple[Call, ...]


@dataclass(frozen=True)
class Reader:
    """A plan that is ready for the questions of one form. columns, slots, names: of the tables that it gives.

    keys: the spine's columns that lead to rows. blank: the slots that no step fills, and what they hold, such as AT's
    instant, or NaN. height: how many rows their numbers have, with room for what programs need beside the slots.
    """

    snapshot: OnlineSnapshot
    plan: Plan
    columns: Sequence[str]
    keys: tuple[str, ...]
    slots: Mapping[str, int]
    names: Mapping[str, Names]
    blank: Mapping[int, float]
    steps: tuple[Step, ...]
    height: int

    def read(self, spine: Spine, rows: int, given: Given = None) -> Table:
        """The columns for the rows of a spine. given: values in place of the store's, one for all or one a row."""
        gather = kernels("feature_repo.gathering").gather
        numbers = np.empty((self.height, rows))
        for slot, value in self.blank.items():  # few: all at once, by their places, takes 1.3 us, and one 0.2
            numbers[slot] = value
        table = Table(self.plan.all, self.columns, self.slots, numbers, dict(spine), self.names)
        for key in self.keys:
            numbers[self.slots[key]], are_all = self.names[key].found(table.texts(key))
            if are_all:
                table.named.add(key)
        put_given(table, given)
        for step in self.steps:
            places = np.empty((len(step.heads), rows), np.int64)
            if len(places):
                stored = self.snapshot.codes, self.snapshot.numbers
                gather(step.heads, step.keys, step.strides, step.wanted, *stored, numbers, places)
            for number, view, columns in step.others:
                _place(view, columns, places[number], table)
            if step.calls:
                compute(step.calls, table, places)
        return table


def reader(
    snapshot: OnlineSnapshot,
    columns: Sequence[Column],
    views: Sequence[View] | None,
    present: Sequence[str],
    given: Sequence[str],
) -> Reader:
    """The snapshot's reader of columns, made when it is first asked for. views: None for the platform's own.

    present: the spine's columns. given: qualified names of columns that questions give.
    """
    form = tuple(present), tuple(given), None if views is None else tuple(view.name for view in views)
    # a product's columns are always the same tuple, and known by that: by 80 names it takes 4 us, and 10 when cold
    kept = snapshot.readers.get((id(columns), *form))
    if kept is None:
        named = (tuple(map(QUALIFIED, columns)), *form)
        found = snapshot.readers.get(named)
        kept = columns, found[1] if found else _reader(snapshot, columns, views or declared_views(), present, given)
        if len(snapshot.readers) >= MOST_READERS:
            snapshot.readers.clear()
        snapshot.readers[named] = kept
        if isinstance(columns, tuple):
            snapshot.readers[(id(columns), *form)] = kept  # and so is the tuple, so that no other gets its id
    ready: Reader = kept[1]
    return ready


def _reader(
    snapshot: OnlineSnapshot,
    columns: Sequence[Column],
    views: Sequence[View],
    present: Sequence[str],
    given: Sequence[str],
) -> Reader:
    steps = plan(columns, views, present, given, _kept(views, snapshot, {*present, *given}))
    steps.check_new(present)
    held = held_keys(views)
    keys = tuple({key: None for hop in steps.hops for key in hop.keys.values() if key in present})
    names = {key: snapshot.names[key] for key in keys}
    stored = {column.qualified for hop in steps.hops for of in hop.columns.values() for column in of}
    for name, column in steps.all.items():
        if column.dtype is str and (name in held or name in stored):
            names[name] = snapshot.names[held.get(name, name)]
    numbers = [name for name, column in steps.all.items() if column.dtype in KINDS]
    slots = {name: place for place, name in enumerate(dict.fromkeys([AT, *names, *side_by_side(steps.hops, numbers)]))}
    like = Table(steps.all, [], slots, np.empty((len(slots), 0)), {}, names)
    fixed = _fixed(steps.hops, like)
    asked = [replace(hop, pairs=tuple(pair for pair in hop.pairs if pair not in fixed)) for hop in steps.hops]
    texts = {name: names[name] for name in stored & names.keys()}
    ready = _pruned([_step(snapshot, hop, like, texts) for hop in _together(asked)], steps)
    alone = _alone(snapshot, fixed, like)
    unread = set(range(len(slots))) - _filled(ready) - {slots[key] for key in keys}
    blank = {slot: float(alone[slot]) for slot in sorted(unread)}
    programs = [call.program for step in ready for call in step.calls if isinstance(call, Programmed)]
    height = max([len(slots), *(each.height for each in programs)])
    return Reader(snapshot, steps, [*present, *steps.names], keys, slots, names, blank, ready, height)


def _kept(views: Sequence[View], snapshot: OnlineSnapshot, asked: Container[str]) -> dict[str, View]:
    """The pair columns that the snapshot holds as they would be computed. asked: what has values of the question's."""
    if not snapshot.is_of_this_release:
        return {}
    return {
        name: each.source
        for name, each in derived(views).items()
        if each.source.name in snapshot.views
        and name in snapshot.views[each.source.name].columns
        and not any(read in asked for read in each.reads)
    }


def _fixed(hops: Sequence[Hop], like: Table) -> list[Pair]:
    """The pair columns that the instant alone is enough for."""
    known, found = {AT}, []
    for pair in (pair for hop in hops for pair in hop.pairs):
        if known.issuperset(pair.inputs) and like.is_number(pair.column.qualified):
            known.add(pair.column.qualified)
            found.append(pair)
    return found


def _alone(snapshot: OnlineSnapshot, fixed: Sequence[Pair], like: Table) -> Floats:
    """What each slot holds by the instant alone, NaN where that is not enough."""
    table = replace(like, numbers=np.full((len(like.slots), 1), np.nan))
    table.numbers[like.slots[AT]] = microseconds(snapshot.at) / DAY
    compute(wired(Hop({}, {}, tuple(fixed)), table), table)
    alone: Floats = table.numbers[:, 0]
    return alone


def _filled(steps: Sequence[Step]) -> set[int]:
    """The slots that a step fills in every row."""
    from feature_repo.gathering import TARGET

    read = {int(slot) for step in steps for slot in step.wanted[:, TARGET]}
    return read.union(*(call.filled for step in steps for call in step.calls))


def _together(hops: Sequence[Hop]) -> list[Hop]:
    """Hops read at once: the kernel goes from view to view, so only keys that are computed have to wait."""
    found: list[Hop] = []
    for hop in hops:
        if found and not {pair.column.qualified for pair in found[-1].pairs} & set(hop.keys.values()):
            last = found.pop()
            hop = Hop({**last.columns, **hop.columns}, {**last.keys, **hop.keys}, (*last.pairs, *hop.pairs))
        found.append(hop)
    return found


def _pruned(steps: Sequence[Step], plan_: Plan) -> tuple[Step, ...]:
    """The steps without what programs alone read: it takes 1 us a column to put into the table."""
    wanted = {*plan_.names, *(name for step in steps for call in step.calls for name in call.reads)}

    def kept(columns: Sequence[tuple[Column, Opened]]) -> tuple[tuple[Column, Opened], ...]:
        return tuple(each for each in columns if each[0].qualified in wanted)

    others = [[(number, view, kept(columns)) for number, view, columns in step.others] for step in steps]
    found = (tuple(each for each in of if each[2]) for of in others)
    return tuple(replace(step, others=each) for step, each in zip(steps, found, strict=True))


def _step(snapshot: OnlineSnapshot, hop: Hop, like: Table, texts: Mapping[str, Names]) -> Step:
    """A hop's views in one array each. texts: by name those that are read, as codes."""
    from feature_repo.gathering import HEAD, NO_KEY

    heads, keys, by = [], [], []
    wanted: list[tuple[int, int]] = []
    others = []
    lists: dict[str, tuple[int, Opened]] = {}
    most = max((len(view.keys) for view in hop.columns), default=1)
    for number, (view, columns) in enumerate(hop.columns.items()):
        packed = snapshot.view(view.name)
        in_matrix = [column for column in columns if column.qualified in like.slots]
        outside = tuple(column for column in columns if column.qualified not in like.slots)
        _check(packed.columns, in_matrix, snapshot)
        begin = len(wanted)
        wanted += [(packed.columns.index(column.qualified), like.slots[column.qualified]) for column in in_matrix]
        heads.append((packed.first_code, packed.rows, packed.first_number, begin, len(wanted)))
        sizes = [len(snapshot.names[key]) for key in view.keys]
        holders = [like.slots[hop.keys[key]] for key in view.keys]
        keys.append([*holders, *[NO_KEY] * (most - len(holders))])
        by.append([sizes[0], *strides(sizes, view.name)[1:], *[0] * (most - len(holders))])
        if outside:
            others.append((number, view.name, tuple((column, packed.opened[column.name]) for column in outside)))
        lists |= {each.qualified: (number, packed.opened[each.name]) for each in outside if each.dtype in LISTS}
    return Step(
        heads=_integers(heads, HEAD),
        keys=_integers(keys, most),
        strides=_integers(by, most),
        wanted=_integers(wanted, 2),
        others=tuple(others),
        calls=wired(hop, like, Beside(lists, texts)),
    )


def _integers(rows: Sequence[Sequence[int]], width: int) -> Ints:
    return np.array(rows, np.int64).reshape(len(rows), width)


def _check(packed: Sequence[str], columns: Sequence[Column], snapshot: OnlineSnapshot) -> None:
    for column in columns:
        if column.qualified not in packed:
            raise DataError(
                f"column {column.qualified}: not in online version {snapshot.version}, run `talentml materialize`"
            )


def _place(view: str, columns: Sequence[tuple[Column, Opened]], places: Ints, table: Table) -> None:
    """Columns that are in no matrix: left where they are."""
    for column, opened in columns:
        table.others[column.qualified] = Stored(view, column.name, opened, places)


def given_names(given: Given) -> Sequence[str]:
    """The names of what is given."""
    return [] if given is None else list(given.columns if isinstance(given, pl.DataFrame) else given)


def put_given(table: Table, given: Given) -> None:
    """Add the given values that the table has a column for. Raises DataError unless there is one, or one a row."""
    for name in given_names(given):
        if name in table.declared:
            table.put(table.declared[name], _one_a_row(table.declared[name], given[name], table.height))  # type: ignore[index]


def _one_a_row(column: Column, value: Any, rows: int) -> pl.Series:
    is_list = column.dtype in LISTS
    many = isinstance(value, pl.Series | np.ndarray) or (isinstance(value, list | tuple) and not is_list)
    series = typed(column, value if many else [value])
    if len(series) == 1:
        series = series.new_from_index(0, rows)
    if len(series) != rows:
        raise DataError(f"given {column.qualified}: {len(series)} values, allowed: 1 or {rows}")
    return series
