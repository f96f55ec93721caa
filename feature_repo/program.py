"""Pair columns as a program: what their functions do, as steps that one call of a kernel does for all rows.

The 35 pair columns of a request about 100 candidates took eight calls of functions and 67 us; as a program, 14.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from feature_repo.kernels import kernels
from feature_repo.lists import Opened, OpenLists, joined
from feature_repo.names import Names
from feature_repo.recording import LOAD, MEAN_RATIO, SAME_TEXT, SHARE_HELD, STORE, Noted, StandIn

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
NO_LISTS = np.empty((0, 0), np.int64)
BLOCK = 512  # rows at once, of a table without room beside its slots: their columns stay in the cache


@dataclass(frozen=True)
class Beside:
    """What programs read beside numbers: lists of the view whose places are in that row, and texts by their codes."""

    lists: Mapping[str, tuple[int, Opened]] = field(default_factory=dict)
    texts: Mapping[str, Names] = field(default_factory=dict)


NOTHING = Beside()


@dataclass(frozen=True)
class Program:
    """steps: see interpreter.py. What they work on is a matrix, so that nothing is copied but into a second column:
    the slots, from row `first` on the constants, numbers that functions name, and then registers for what is between.

    recodes: codes of texts among other texts, one table after the other. lists, spans, entries: of all lists that it
    reads. filled: the rows of the matrix that it fills.
    """

    steps: Ints
    constants: Floats
    first: int
    registers: int
    recodes: Floats
    lists: Ints
    spans: Ints
    entries: Floats
    filled: list[int]

    @property
    def height(self) -> int:
        """The rows of the matrix that it works on."""
        return self.first + len(self.constants) + self.registers

    def run(self, numbers: Floats, places: Ints) -> None:
        """Fill rows of numbers, at least the slots. places: of lists in their columns, shape (views, rows)."""
        if len(numbers) >= self.height:
            self._run(numbers, places)
            return
        for begin in range(0, numbers.shape[1], BLOCK):
            part = slice(begin, begin + BLOCK)
            room = np.empty((self.height, numbers[:, part].shape[1]))
            room[: self.first] = numbers[: self.first, part]
            self._run(room, np.ascontiguousarray(places[:, part]))
            numbers[self.filled, part] = room[self.filled]

    def _run(self, room: Floats, places: Ints) -> None:
        lists = self.lists, self.spans, self.entries, places
        kernels("feature_repo.interpreter").run(self.steps, self.constants, self.first, self.recodes, *lists, room)


def program(columns: Sequence[tuple[int, Noted]], slots: Mapping[str, int], beside: Beside = NOTHING) -> Program:
    """What fills the slots by what was noted of each. slots: of the columns of numbers, and of codes of texts."""
    first = 1 + max([*slots.values(), *(slot for slot, _ in columns)])
    writer = _Writer(slots, beside, [found for _, found in columns], first)
    for slot, found in columns:
        writer.store(slot, found)
    lists = [beside.lists[name] for name in writer.lists]
    whole = joined(*(opened for _, opened in lists)) if lists else None
    return Program(
        steps=np.array(writer.steps, np.int64),
        constants=np.array(writer.constants, np.float64),
        first=first,
        registers=writer.registers,
        recodes=np.concatenate([np.empty(0), *writer.recodes]),
        lists=np.array([*zip((row for row, _ in lists), whole.first, strict=True)], np.int64) if whole else NO_LISTS,
        spans=whole.spans if whole else NO_LISTS,
        entries=whole.entries if whole else np.empty(0),
        filled=[slot for slot, _ in columns],
    )


class _Writer:
    """Writes steps; what two columns share is done once, and a register is free again after its last use."""

    def __init__(self, slots: Mapping[str, int], beside: Beside, wanted: Sequence[Noted], first: int) -> None:
        self.slots, self.beside, self.first = slots, beside, first
        self.steps: list[tuple[int, ...]] = []
        self.recodes: list[Floats] = []
        self.lists: dict[str, int] = {}
        self.registers = 0
        self._uses: Counter[int] = Counter()
        self._known: dict[int, int] = {}
        self._free: list[int] = []
        constants: dict[str, float] = {}
        self._count(wanted, constants)
        self.constants = list(constants.values())
        self._constant = {name: first + place for place, name in enumerate(constants)}

    def _count(self, inputs: Sequence[Any], constants: dict[str, float]) -> None:
        """How often each is used, and which numbers are named."""
        for each in inputs:
            if isinstance(each, Noted):
                self._uses[id(each)] += 1
                if self._uses[id(each)] == 1:
                    self._count(each.inputs, constants)
            elif isinstance(each, int | float):
                constants.setdefault(float(each).hex(), float(each))  # 0 and -0 are two

    def store(self, slot: int, found: Noted) -> None:
        """Write what fills a slot: computed there, but where it was needed before."""
        if id(found) in self._known:
            self._step(STORE, slot, [self._known[id(found)]])
        else:
            self._compute(found, slot)
        self._release([found])

    def _operand(self, given: Noted | float) -> int:
        """Where an input is, computed now where it is not yet."""
        if not isinstance(given, Noted):
            return self._constant[float(given).hex()]
        if given.work == LOAD:
            return self.slots[given.inputs[0]]
        if id(given) not in self._known:
            self._compute(given)
        return self._known[id(given)]

    def _compute(self, noted: Noted, slot: int | None = None) -> None:
        operands = self._operands(noted)
        target = self._known[id(noted)] = self._register() if slot is None else slot
        self._step(noted.work, target, operands)
        self._release(noted.inputs)

    def _operands(self, noted: Noted) -> list[int]:
        inputs = noted.inputs
        if noted.work == SAME_TEXT:
            return self._texts(*(each.name for each in inputs))
        if noted.work in (MEAN_RATIO, SHARE_HELD):
            return [self.lists.setdefault(each.name, len(self.lists)) for each in inputs]
        return [self._operand(each) for each in inputs]

    def _texts(self, left: str, right: str) -> list[int]:
        """Where two columns' codes are, and where the table begins that has the one's among the other's."""
        begin = sum(map(len, self.recodes))
        self.recodes.append(self.beside.texts[left].recoded(self.beside.texts[right]))
        return [self.slots[left], self.slots[right], begin]

    def _step(self, work: int, target: int, operands: Sequence[int]) -> None:
        self.steps.append((work, target, *operands, *[operands[0]] * (4 - len(operands))))

    def _register(self) -> int:
        if self._free:
            return self._free.pop()
        self.registers += 1
        return self.first + len(self.constants) + self.registers - 1

    def _release(self, inputs: Sequence[Any]) -> None:
        for each in inputs:
            if isinstance(each, Noted):
                self._uses[id(each)] -= 1
                place = self._known.get(id(each), 0)
                if not self._uses[id(each)] and place >= self.first:
                    self._free.append(place)


def alone(work: int, *lists: OpenLists) -> Floats:
    """What one step does to lists."""
    names = [f"{place}" for place in range(len(lists))]
    rows = {name: (place, each.opened) for place, (name, each) in enumerate(zip(names, lists, strict=True))}
    found = np.empty((1, len(lists[0])))
    step = Noted(work, tuple(map(StandIn, names)))
    program([(0, step)], {}, Beside(rows)).run(found, np.array([each.places for each in lists]))
    filled: Floats = found[0]
    return filled
