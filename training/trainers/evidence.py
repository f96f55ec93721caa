"""The kernel that gathers who did what, compiled by numba: import inside functions, 0.4 s."""

import numpy as np
from numpy.typing import NDArray

from feature_repo.compiled import cached, inner

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@cached
def gather(
    codes: Floats, slots: Ints, first: Ints, places: Ints, people: Floats, attributes: Floats
) -> tuple[Floats, Floats, Floats]:
    """Per row the person's vector, the sum of the task's attributes', and how many these are; NaN where unknown.

    codes: shape (slots, rows), NaN where missing; slots: of the person and of each attribute. places: what the codes of
    each slot stand for, from first[n] on, the last one for NaN: a row of people, or of attributes, which end with one
    of nothing.
    """
    rows, nobody, nothing = codes.shape[1], len(people), len(attributes) - 1
    persons, tasks = np.empty((rows, people.shape[1])), np.empty((rows, people.shape[1]))
    counts = np.full(rows, np.nan)
    now, known = np.full(len(slots), -1), 0
    for row in range(rows):
        is_alike = row > 0
        for n in range(1, len(slots)):
            place = _place(codes[slots[n], row], first[n], first[n + 1], places)
            is_alike = is_alike and place == now[n]
            now[n] = place
        if is_alike:  # one task and its candidates
            tasks[row] = tasks[row - 1]
        else:
            known = int(np.sum(now[1:] < nothing))
            tasks[row] = attributes[now[1]]
            for n in range(2, len(slots)):
                tasks[row] += attributes[now[n]]
        person = _place(codes[slots[0], row], first[0], first[1], places)
        if person < nobody and known:
            persons[row] = people[person]
            counts[row] = known
        else:
            persons[row] = 0.0
    return persons, tasks, counts


@inner
def _place(code: float, begin: int, end: int, places: Ints) -> int:
    place: int = places[end - 1 if np.isnan(code) else begin + int(code)]
    return place
