"""The kernel that works through a program: import inside functions, 0.4 s. What the arrays hold: program.py.

A step goes over all rows, few enough for their columns to stay in the cache: 130 steps take 6 us for 100 rows.
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


@cached
def run(
    steps: Ints, constants: Floats, first: int, recodes: Floats,
    lists: Ints, spans: Ints, entries: Floats, places: Ints, room: Floats,
) -> None:  # fmt: skip
    """Do the steps for all rows of the room, shape (slots and what is beside them, rows): see program.py."""
    count, known, levels = room.shape[1], (-1, -1, -1), np.empty((0, 0))
    for n in range(len(constants)):
        room[first + n] = constants[n]
    for n in range(len(steps)):
        # rows by their numbers: one that is handed over as an array takes 10 ns more, and a step 20
        work, target, left, right, third = steps[n, :FOURTH]
        if work == STORE:
            for row in range(count):
                room[target, row] = room[left, row]
        elif work < WHERE:
            _arithmetic(work, room, target, left, right, count)
        elif work == WHERE:
            for row in range(count):
                yes, no = room[right, row], room[third, row]
                room[target, row] = yes if room[left, row] != 0 else no
        elif work == SAME_TEXT:
            _same_text(room[left], room[right], recodes[third:], room[target])
        else:
            held = (left, third, steps[n, FOURTH]) if work == MEAN_RATIO else (left, right, third)
            if held != known:
                levels, known = _levels(lists, held, spans, entries, places), held
            if work == MEAN_RATIO:
                _mean_ratio(lists[left], lists[right], levels, spans, entries, places, room[target])
            else:
                _share_held(lists[left], levels, spans, places, room[target])


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
def _same_text(codes: Floats, others: Floats, recodes: Floats, found: Floats) -> None:
    """1 where two texts are the same, 0 where not, NaN where one is missing. recodes: of codes among the others."""
    for row in range(len(found)):
        found[row] = codes[row] + others[row]
        if not np.isnan(found[row]):
            found[row] = 1.0 if recodes[int(codes[row])] == others[row] else 0.0


@inner
def _levels(lists: Ints, of: tuple[int, int, int], spans: Ints, entries: Floats, places: Ints) -> Floats:
    """The amount beside each wanted name among those held, 0 where it is not there; shape (rows, most wanted).

    of: which lists are the names wanted, the names held and their amounts. Once for all steps that ask: 5 us each.
    """
    wanted, held, amounts = lists[of[0]], lists[of[1]], lists[of[2]]
    rows, most = places.shape[1], 0
    for row in range(rows):
        names = _span(wanted, row, spans, places)
        most = max(most, names[1] - names[0])
    found = np.zeros((rows, most))
    for row in range(rows):
        names, has = _span(wanted, row, spans, places), _span(held, row, spans, places)
        levels = _span(amounts, row, spans, places)
        for nth in range(names[1] - names[0]):
            found[row, nth] = _amount(entries[names[0] + nth], has, levels, entries)
    return found


@inner
def _mean_ratio(
    wanted: Ints, asked: Ints, levels: Floats, spans: Ints, entries: Floats, places: Ints, found: Floats
) -> None:
    """The mean over the wanted names of the amount held, 0 where there is none, over the amount asked for, at most 1.

    NaN where nothing is wanted. wanted, asked: the names, and what is asked for; levels: what is held of each.
    """
    for row in range(len(found)):
        names, asks = _span(wanted, row, spans, places), _span(asked, row, spans, places)
        count = names[1] - names[0]
        first, total = np.nan, 0.0
        for nth in range(count):
            ask = entries[asks[0] + nth] if asks[0] + nth < asks[1] else np.nan
            ratio = levels[row, nth] / ask
            ratio = 1.0 if ratio > 1.0 else ratio
            if nth == 0:
                first = ratio
            else:
                total += ratio
        # the first comes last, as in numpy's reduceat: a sum of up to 8 has the bits that it had by that
        found[row] = (first + total) / count


@inner
def _share_held(wanted: Ints, levels: Floats, spans: Ints, places: Ints, found: Floats) -> None:
    """Of how many of the wanted names an amount above 0 is held: a share, NaN where nothing is wanted."""
    for row in range(len(found)):
        begin, end = _span(wanted, row, spans, places)
        hits = 0
        for nth in range(end - begin):
            hits += levels[row, nth] > 0
        found[row] = hits / (end - begin) if end > begin else np.nan


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
