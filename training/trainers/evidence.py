"""The kernel that sets people beside tasks by who did what, compiled by numba: import inside functions, 0.4 s."""

import numpy as np
from numpy.typing import NDArray

from feature_repo.compiled import cached, inner

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
BLOCK, LANES = 8, 2


@cached
def affinity(codes: Floats, slots: Ints, first: Ints, places: Ints, people: Floats, attributes: Floats) -> Floats:
    """Per row the product of the person's vector and the mean of the task's known attributes'; NaN where unknown.

    codes: shape (slots, rows), NaN where missing; slots: of the person and of each attribute. places: what the codes of
    each slot stand for, from first[n] on, the last one for NaN: a row of people, or of attributes, which end with one
    of nothing.
    """
    rows, nobody, nothing = codes.shape[1], len(people), len(attributes) - 1
    found, task = np.full(rows, np.nan), np.empty(people.shape[1])
    now, known = np.full(len(slots), -1), 0
    for row in range(rows):
        is_alike = row > 0  # one task and its candidates
        for n in range(1, len(slots)):
            place = _place(codes[slots[n], row], first[n], first[n + 1], places)
            is_alike = is_alike and place == now[n]
            now[n] = place
        if not is_alike:
            known = int(np.sum(now[1:] < nothing))
            task[:] = attributes[now[1]]
            for n in range(2, len(slots)):
                task += attributes[now[n]]
        person = _place(codes[slots[0], row], first[0], first[1], places)
        if person < nobody and known:
            found[row] = _product(people[person], task) / known
    return found


@inner
def _place(code: float, begin: int, end: int, places: Ints) -> int:
    place: int = places[end - 1 if np.isnan(code) else begin + int(code)]
    return place


@inner
def _product(left: Floats, right: Floats) -> float:
    """The inner product, added up in the order of numpy's einsum: in its last bit too it is what it was by that."""
    even, odd = 0.0, 0.0
    whole = len(left) // BLOCK * BLOCK
    for begin in range(0, whole, BLOCK):
        for place in range(begin + BLOCK - LANES, begin - 1, -LANES):
            even += left[place] * right[place]
            odd += left[place + 1] * right[place + 1]
    for place in range(whole, len(left) - 1, LANES):
        even += left[place] * right[place]
        odd += left[place + 1] * right[place + 1]
    if len(left) % LANES:
        even += left[-1] * right[-1]
    return even + odd
