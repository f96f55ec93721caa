"""Kernels that find the rows of entities in the packed online copy and read them: import inside functions, 0.4 s.

One call reads what all views of a hop hold about all rows of a request: 36 views for 100 candidates of task_assignment
take 0.05 ms; a call of numpy per view and step, 0.6.
"""

import numpy as np
from numpy.typing import NDArray

from feature_repo.compiled import cached, inner

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
NO_KEY = -1
FIRST_CODE, ROWS, FIRST_NUMBER, WIDTH, FIRST_WANTED, AFTER_WANTED, HEAD = range(7)
"""Of a view: where its codes and numbers begin, how many rows and columns it has, which columns are wanted of it."""
SOURCE, TARGET = range(2)
"""Of a wanted column: its place in the view, and its row in the result."""


@cached
def gather(
    heads: Ints, keys: Ints, strides: Ints, wanted: Ints, codes: Ints, stored: Floats, numbers: Floats, places: Ints
) -> None:
    """Fill the rows of numbers that are wanted, and places: each row's place in each view, its last where unknown.

    heads: shape (views, HEAD). keys, strides: shape (views, most keys): the rows of numbers that hold the keys' codes,
    and by what these are multiplied to make a view's own code. numbers: shape (columns, rows); places: (views, rows).
    """
    for view in range(len(heads)):
        head, found = heads[view], places[view]
        first = head[FIRST_CODE]
        _find(codes[first : first + head[ROWS]], keys[view], strides[view], numbers, found)
        for each in range(head[FIRST_WANTED], head[AFTER_WANTED]):
            begin, target = head[FIRST_NUMBER] + wanted[each, SOURCE], numbers[wanted[each, TARGET]]
            for row in range(len(found)):
                target[row] = stored[begin + found[row] * head[WIDTH]]


@inner
def _find(codes: Ints, keys: Ints, strides: Ints, numbers: Floats, found: Ints) -> None:
    """Codes of entities that share all keys but the first stand together: looked for once while these are the same.

    So is a place while all keys are: half of a question's views are about its task only, which is that of all rows.
    """
    together, low, high = np.int64(-1), np.int64(0), np.int64(0)
    last, place_of_last = np.int64(-1), np.int64(0)
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
            low, high = _place(codes, begin, 0, len(codes)), _place(codes, begin + strides[0], 0, len(codes))
        wanted = begin + np.int64(numbers[keys[0], row])
        if wanted != last:
            last, place_of_last = wanted, np.int64(_place(codes, wanted, low, high))
            if place_of_last == high or codes[place_of_last] != wanted:
                place_of_last = np.int64(len(codes))
        found[row] = place_of_last


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
