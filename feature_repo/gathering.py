"""Kernels that find the rows of entities in the packed online copy and read them: import inside functions, 0.4 s.

One call reads what all views of a question hold about all its rows: 36 views for 100 candidates of task_assignment take
0.02 ms; a call of numpy per view and step, 0.6. A question is about one task, say, and many people. So a view of tasks
is searched once, and one of people and tasks holds the people of that task side by side: their places are noted in a
table, and looked up there. Searching for each person's place takes 0.06 ms, most of it for branches not foreseen; to
compare what the table holds with what was looked for 0.007.
"""

import numpy as np
from numpy.typing import NDArray

from feature_repo.compiled import cached, inner

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
NO_KEY = -1
FIRST_CODE, ROWS, FIRST_NUMBER, FIRST_WANTED, AFTER_WANTED, HEAD = range(6)
"""Of a view: where its codes and numbers begin, how many rows it has, which columns are wanted of it."""
NOT_ASKED, NOT_SHARED, SHARED = range(3)
SOURCE, TARGET = range(2)
"""Of a wanted column: its place in the view, and its row in the result."""


TABLED = 4  # entities of a group for each row asked about: a table of more takes longer than searching for the rows


@cached
def gather(
    heads: Ints, keys: Ints, strides: Ints, wanted: Ints, codes: Ints, stored: Floats, numbers: Floats, places: Ints
) -> None:
    """Fill the rows of numbers that are wanted, and places: each row's place in each view, its last where unknown.

    heads: shape (views, HEAD). keys, strides: shape (views, most keys): the rows of numbers that hold the keys' codes,
    of which views may fill some for those after them, and by what these are multiplied to make a view's own code.
    numbers: shape (columns, rows); places: (views, rows).
    """
    known = np.full(len(numbers), NOT_ASKED, np.int8)
    table = np.empty(1 + (np.max(strides[:, 0]) if len(strides) else 0), np.int64)
    for view in range(len(heads)):
        head, found = heads[view], places[view]
        first = head[FIRST_CODE]
        own = codes[first : first + head[ROWS]]
        is_one_group = _are_shared(keys[view, 1:], numbers, known)
        is_one = is_one_group and _are_shared(keys[view, :1], numbers, known)
        if is_one_group:
            _find_in_group(own, keys[view], strides[view], numbers, table, found[:1] if is_one else found)
        else:
            _find(own, keys[view], strides[view], numbers, found)
        if is_one:
            found[:] = found[0]
        for each in range(head[FIRST_WANTED], head[AFTER_WANTED]):
            begin = head[FIRST_NUMBER] + wanted[each, SOURCE] * (head[ROWS] + 1)
            target = numbers[wanted[each, TARGET]]
            if is_one:
                target[:] = stored[begin + found[0]]
            else:
                for row in range(len(found)):
                    target[row] = stored[begin + found[row]]


@inner
def _are_shared(keys: Ints, numbers: Floats, known: NDArray[np.int8]) -> bool:
    """Whether all rows have the same code, and one at all, of each of the keys. known: what was found out by now."""
    for key in keys:
        if key == NO_KEY:
            continue
        if known[key] == NOT_ASKED:
            known[key] = _kind(numbers[key])
        if known[key] == NOT_SHARED:
            return False
    return True


@inner
def _kind(codes: Floats) -> int:
    for code in codes:  # up to the first that differs: (codes == codes[0]).all() makes an array, 2 us for 14 keys
        if code != codes[0]:
            return NOT_SHARED
    return SHARED if len(codes) else NOT_SHARED


@inner
def _find_in_group(codes: Ints, keys: Ints, strides: Ints, numbers: Floats, table: Ints, found: Ints) -> None:
    """As _find, where all rows share all keys but the first. table: room for a place of each first key."""
    begin = np.int64(0)
    for place in range(1, len(keys)):
        if keys[place] != NO_KEY:
            begin += np.int64(numbers[keys[place], 0]) * strides[place]
    firsts = numbers[keys[0]]
    if len(found) == 1:
        found[0] = _known_place(codes, begin, firsts[0], 0, len(codes))
        return
    low, high = _group(codes, begin, strides[0])
    if high - low > TABLED * len(found):
        for row in range(len(found)):
            found[row] = _known_place(codes, begin, firsts[row], low, high)
        return
    for row in range(len(found)):  # the table also holds what was there before
        table[_entry(firsts[row], table)] = len(codes)
    for place in range(low, high):
        table[codes[place] - begin] = place
    for row in range(len(found)):
        found[row] = table[_entry(firsts[row], table)]


@inner
def _entry(first: float, table: Ints) -> int:
    """Where the table has the place of a first key, the last where it is missing; no branch to foresee wrongly."""
    return len(table) - 1 if np.isnan(first) else int(first)


@inner
def _known_place(codes: Ints, begin: int, first: float, low: int, high: int) -> int:
    """The place of a code, the last where it is not there."""
    if np.isnan(first):
        return len(codes)
    wanted = begin + np.int64(first)
    place = _place(codes, wanted, low, high)
    return place if place < high and codes[place] == wanted else len(codes)


@inner
def _find(codes: Ints, keys: Ints, strides: Ints, numbers: Floats, found: Ints) -> None:
    """Codes of entities that share all keys but the first stand together: looked for once while these are the same."""
    together, low, high = np.int64(-1), np.int64(0), np.int64(0)
    for row in range(len(found)):
        found[row] = len(codes)
        begin, is_known = np.int64(0), not np.isnan(numbers[keys[0], row])
        for place in range(1, len(keys)):
            if keys[place] != NO_KEY:
                code = numbers[keys[place], row]
                is_known = is_known and not np.isnan(code)
                begin += np.int64(code) * strides[place] if is_known else 0
        if not is_known:
            continue
        if begin != together:
            together = begin
            low, high = _group(codes, begin, strides[0])
        found[row] = _known_place(codes, begin, numbers[keys[0], row], low, high)


@inner
def _group(codes: Ints, begin: int, width: int) -> tuple[int, int]:
    """Where the codes from begin on stand, fewer than begin + width: there are at most as many, as each is there once.

    Each step of a search waits for memory, so what is known of the places beforehand is not searched for.
    """
    low = _place(codes, begin, 0, len(codes)) if begin > 0 else 0
    high = min(low + width, len(codes))
    if low < high and codes[high - 1] >= begin + width:
        high = _place(codes, begin + width, low, high)
    return low, high


@inner
def _place(codes: Ints, wanted: int, low: int, high: int) -> int:
    """The first place from low to high whose code is not less."""
    while low < high:
        middle = (low + high) >> 1
        if codes[middle] < wanted:
            low = middle + 1
        else:
            high = middle
    return low
