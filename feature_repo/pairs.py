"""Pair columns: the same pure functions over the rows of a training frame and over the candidates of a request.

A function's value in a row depends on that row only. So functions of plain arithmetic are written down and done by one
kernel (program.py). Columns that are made by one other function are computed by one call over all their rows, one
column after another; and a column of texts or lists that are the same in all rows, such as the words of the only task's
title, is computed for one row. The values are those of a call of each function, bit for bit (bench/pairs.py compares
them). What can be decided without values is decided once for all questions of a form.
"""

import inspect
from collections.abc import Sequence
from typing import Any

import numpy as np

from feature_repo.calls import Alone, Arguments, Block, Call, Programmed, Read, Together
from feature_repo.column import Column
from feature_repo.names import Texts
from feature_repo.once import shared
from feature_repo.plan import Hop, Pair
from feature_repo.program import NO_LISTS, NOTHING, Beside, Ints, program
from feature_repo.recording import LOAD, Noted, StandIn, recorded
from feature_repo.table import Table


def wired(hop: Hop, table: Table, beside: Beside = NOTHING) -> tuple[Call, ...]:
    """The calls of a hop, for tables of the same slots. beside: what programs may read beside numbers.

    A column comes into the last program, but where it needs what is computed after that.
    """
    calls: list[Call | list[tuple[int, Noted]]] = []
    written: list[tuple[int, Noted]] | None = None
    later: set[str] = set()
    stand_ins = StandIns(table, beside)
    with shared():
        for group in hop.calls:
            found = stand_ins.noted(group)
            if not found:
                calls += _called(group, table)
                later |= {pair.column.qualified for pair in group}
                continue
            if written is None or not later.isdisjoint(name for pair in group for name in pair.inputs):
                written, later = [], set()
                calls.append(written)
            written += found
    programs = (Programmed(program(each, table.slots, beside)) if isinstance(each, list) else each for each in calls)
    return tuple(programs)


class StandIns:
    """For columns: the same one for all functions, so that they may share what they note of it."""

    def __init__(self, table: Table, beside: Beside) -> None:
        self.table, self.beside = table, beside
        self._kept: dict[str, Any] = {}

    def noted(self, pairs: Sequence[Pair]) -> list[tuple[int, Noted]]:
        """What each column's function does, and the row that it fills; nothing where one cannot be written down."""
        found = []
        for pair in pairs:
            inputs = [self._of(pair, place) for place in range(len(pair.inputs))]
            noted = None if any(each is None for each in inputs) else recorded(pair.column.function, inputs)
            if noted is None or not self.table.is_number(pair.column.qualified):
                return []
            found.append((self.table.slots[pair.column.qualified], noted))
        return found

    def _of(self, pair: Pair, place: int) -> Any:
        """Of texts by whether this function takes their codes, whatever another one takes of the same column."""
        name = pair.inputs[place]
        is_text = name in self.beside.texts and _takes_codes(pair.column, place)
        if not (self.table.is_number(name) or name in self.beside.lists or is_text):
            return None
        if name not in self._kept:
            self._kept[name] = Noted(LOAD, (name,)) if self.table.is_number(name) else StandIn(name)
        return self._kept[name]


def _called(call: tuple[Pair, ...], table: Table) -> Sequence[Call]:
    names = [(*pair.inputs, pair.column.qualified) for pair in call]
    if len(call) == 1 or not all(table.is_number(name) for each in names for name in each):
        return [_alone(pair, table) for pair in call]
    *inputs, outputs = (_block([table.slots[name] for name in each]) for each in zip(*names, strict=True))
    return [Together(call[0].column, tuple(inputs), outputs)]


def _block(slots: Sequence[int]) -> Block:
    side_by_side = range(slots[0], slots[0] + len(slots))
    return side_by_side if list(side_by_side) == list(slots) else np.array(slots)


def side_by_side(hops: Sequence[Hop], names: Sequence[str]) -> list[str]:
    """Names of numbers in an order in which what one call reads or fills stands together, as far as that can be."""
    calls = ([(*pair.inputs, pair.column.qualified) for pair in call] for hop in hops for call in hop.calls)
    read = (name for call in calls if len(call) > 1 for block in zip(*call, strict=True) for name in block)
    known = set(names)
    return list(dict.fromkeys([*(name for name in read if name in known), *names]))


def _alone(pair: Pair, table: Table) -> Alone:
    inputs = tuple(_input(pair, place, table) for place in range(len(pair.inputs)))
    name = pair.column.qualified
    slot = table.slots[name] if table.is_number(name) else None
    return Alone(pair.column, inputs, slot, any(isinstance(each, Read) and not each.is_coded for each in inputs))


def _input(pair: Pair, place: int, table: Table) -> int | Read:
    name = pair.inputs[place]
    if table.is_number(name):
        return table.slots[name]
    return Read(name, name in table.names and _takes_codes(pair.column, place))


def _takes_codes(column: Column, place: int) -> bool:
    """Whether a function declares a parameter as Texts."""
    parameters = list(inspect.signature(column.function).parameters.values())
    return place < len(parameters) and bool(parameters[place].annotation == Texts)


def compute(calls: Sequence[Call], table: Table, places: Ints = NO_LISTS) -> None:
    """Add the calls' columns to the table. places: of lists in the snapshot's columns, for programs."""
    if len(calls) == 1 and isinstance(calls[0], Programmed):  # as of most requests: 2 us less
        calls[0].program.run(table.numbers, places)
        return
    given = Arguments(table, places)
    with shared():
        for call in calls:
            call.compute(given)
