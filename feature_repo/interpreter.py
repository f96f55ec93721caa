"""The kernel that works through a program: import inside functions, 0.4 s. What the arrays hold: program.py.

A step goes over a block of rows, whose columns so stay in the cache: 260 steps take 8 us for 100 rows.
"""

import numpy as np
from numpy.typing import NDArray

from feature_repo.compiled import cached, inner

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
(
    LOAD, STORE, ADD, SUBTRACT, MULTIPLY, DIVIDE, MAXIMUM, MINIMUM, ABSOLUTE, IS_NAN, GREATER, GREATER_EQUAL, LESS,
    LESS_EQUAL, IS_EQUAL, WHERE, SAME_TEXT, MEAN_RATIO, SHARE_HELD,
) = range(19)  # fmt: skip
"""The work of recording.py, once more: numba compiles anew where this file changed, not one that it imports."""
WORK, TARGET, FIRST, SECOND, THIRD, FOURTH, STEP = range(7)
"""Of a step: what is done, where to, and of what: rows of the room, but for texts and lists."""
PLACES, SPANS, LIST = range(3)
"""Of a column of lists: its row of places, and where its spans begin."""
BLOCK = 512


@cached
def run(
    steps: Ints, constants: Floats, registers: int, recodes: Floats,
    lists: Ints, spans: Ints, entries: Floats, places: Ints, numbers: Floats,
) -> None:  # fmt: skip
    """Do the steps for all rows of numbers, shape (slots, rows), by way of a room for a block of rows."""
    rows = numbers.shape[1]
    room = np.empty((len(constants) + registers, min(rows, BLOCK)))
    for n in range(len(constants)):
        room[n] = constants[n]
    for begin in range(0, rows, BLOCK):
        count = min(BLOCK, rows - begin)
        for n in range(len(steps)):
            # rows by their numbers: one that is handed over as an array takes 10 ns more, and a step 20
            work, target, left, right, third = steps[n, :FOURTH]
            if work == LOAD:
                source = numbers[left, begin:]
                for row in range(count):
                    room[target, row] = source[row]
            elif work == STORE:
                filled = numbers[target, begin:]
                for row in range(count):
                    filled[row] = room[left, row]
            elif work < WHERE:
                _arithmetic(work, room, target, left, right, count)
            elif work == WHERE:
                for row in range(count):
                    yes, no = room[right, row], room[third, row]
                    room[target, row] = yes if room[left, row] != 0 else no
            elif work == SAME_TEXT:
                _same_text(room[left], room[right], recodes[third:], room[target, :count])
            else:
                _lists(work, lists, steps[n, FIRST:], spans, entries, places[:, begin:], room[target, :count])


@inner
def _arithmetic(work: int, room: Floats, target: int, left: int, right: int, count: int) -> None:
    rows = range(count)
    if work == ADD:
        for row in rows:
            room[target, row] = room[left, row] + room[right, row]
    elif work == SUBTRACT:
        for row in rows:
            room[target, row] = room[left, row] - room[right, row]
    elif work == MULTIPLY:
        for row in rows:
            room[target, row] = room[left, row] * room[right, row]
    elif work == DIVIDE:
        for row in rows:
            room[target, row] = room[left, row] / room[right, row]
    elif work == MAXIMUM:  # of two zeros the second, as NumPy's takes: numba's own the first
        for row in rows:
            one, other = room[left, row], room[right, row]
            room[target, row] = one if one > other or np.isnan(one) else other
    elif work == MINIMUM:
        for row in rows:
            one, other = room[left, row], room[right, row]
            room[target, row] = one if one < other or np.isnan(one) else other
    elif work == ABSOLUTE:
        for row in rows:
            room[target, row] = abs(room[left, row])
    else:
        _compare(work, room, target, left, right, count)


@inner
def _compare(work: int, room: Floats, target: int, left: int, right: int, count: int) -> None:
    rows = range(count)
    if work == IS_NAN:
        for row in rows:
            room[target, row] = np.isnan(room[left, row])
    elif work == GREATER:
        for row in rows:
            room[target, row] = room[left, row] > room[right, row]
    elif work == GREATER_EQUAL:
        for row in rows:
            room[target, row] = room[left, row] >= room[right, row]
    elif work == LESS:
        for row in rows:
            room[target, row] = room[left, row] < room[right, row]
    elif work == LESS_EQUAL:
        for row in rows:
            room[target, row] = room[left, row] <= room[right, row]
    elif work == IS_EQUAL:
        for row in rows:
            room[target, row] = room[left, row] == room[right, row]


@inner
def _lists(work: int, lists: Ints, of: Ints, spans: Ints, entries: Floats, places: Ints, found: Floats) -> None:
    if work == MEAN_RATIO:
        _mean_ratio(lists, of, spans, entries, places, found)
    else:
        _share_held(lists, of, spans, entries, places, found)


@inner
def _same_text(codes: Floats, others: Floats, recodes: Floats, found: Floats) -> None:
    """1 where two texts are the same, 0 where not, NaN where one is missing. recodes: of codes among the others."""
    for row in range(len(found)):
        found[row] = codes[row] + others[row]
        if not np.isnan(found[row]):
            found[row] = 1.0 if recodes[int(codes[row])] == others[row] else 0.0


@inner
def _mean_ratio(lists: Ints, of: Ints, spans: Ints, entries: Floats, places: Ints, found: Floats) -> None:
    """The mean over the wanted names of the amount held, 0 where there is none, over the amount asked for, at most 1.

    NaN where nothing is wanted. of: which lists are the names wanted, what is asked for, the names held and amounts.
    """
    wanted, asked, held, amounts = lists[of[0]], lists[of[1]], lists[of[2]], lists[of[3]]
    for row in range(len(found)):
        names, asks = _span(wanted, row, spans, places), _span(asked, row, spans, places)
        has, levels = _span(held, row, spans, places), _span(amounts, row, spans, places)
        count = names[1] - names[0]
        first, total = np.nan, 0.0
        for nth in range(count):
            ask = entries[asks[0] + nth] if asks[0] + nth < asks[1] else np.nan
            ratio = _amount(entries[names[0] + nth], has, levels, entries) / ask
            ratio = 1.0 if ratio > 1.0 else ratio
            if nth == 0:
                first = ratio
            else:
                total += ratio
        # the first comes last, as in numpy's reduceat: a sum of up to 8 has the bits that it had by that
        found[row] = (first + total) / count


@inner
def _share_held(lists: Ints, of: Ints, spans: Ints, entries: Floats, places: Ints, found: Floats) -> None:
    """Of how many of the wanted names an amount above 0 is held: a share, NaN where nothing is wanted."""
    wanted, held, amounts = lists[of[0]], lists[of[1]], lists[of[2]]
    for row in range(len(found)):
        names, has = _span(wanted, row, spans, places), _span(held, row, spans, places)
        levels, hits = _span(amounts, row, spans, places), 0
        for name in range(names[0], names[1]):
            hits += _amount(entries[name], has, levels, entries) > 0
        found[row] = hits / (names[1] - names[0]) if names[1] > names[0] else np.nan


@inner
def _span(column: Ints, row: int, spans: Ints, places: Ints) -> tuple[int, int]:
    """Where the entries of a row's list begin and end."""
    place = column[SPANS] + places[column[PLACES], row]
    return spans[place, 0], spans[place, 1]


@inner
def _amount(name: float, held: tuple[int, int], amounts: tuple[int, int], entries: Floats) -> float:
    """The amount beside the name among those held, 0 where it is not there; NaN is no name."""
    for place in range(held[0], held[1]):
        if entries[place] == name:
            amount = amounts[0] + place - held[0]
            return entries[amount] if amount < amounts[1] else 0.0
    return 0.0
