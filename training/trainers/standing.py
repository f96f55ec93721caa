"""Kernels that set people beside tasks by who did what, and compare the rows of a group with each other.

Compiled by numba: import inside functions, 0.4 s. In one file, as numba compiles what a kernel calls anew only where
the kernel's own file changed. Sums go over the rows in their order, so that a row's number is the same in a batch of
many groups. Exponentials are left to numpy, whose last bit numba's own do not have.
"""

import numpy as np
from numpy.typing import NDArray

from feature_repo.compiled import cached, inner

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Groups = NDArray[np.int64]
BLOCK, LANES = 8, 2
LEAST_SPREAD = 1e-9
NO_EVIDENCE = 0.5


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


@cached
def powers_of(
    content: Floats, group: Groups, steepness: float,
    codes: Floats, slots: Ints, first: Ints, places: Ints, people: Floats, attributes: Floats,
) -> Floats:  # fmt: skip
    """The powers by the affinities, by one call: each takes 2 us to make, and 5 where nothing is warm."""
    found: Floats = powers(content, affinity(codes, slots, first, places, people, attributes), group, steepness)
    return found


@cached
def powers(content: Floats, affinity: Floats, group: Groups, steepness: float) -> Floats:
    """What e is raised to, shape (2, rows): how far each content is below its group's best; and less the standing.

    group: from 0 on, for each row. A standing is told in standard deviations from the mean of the group's known
    affinities, times the steepness; NaN where there is no affinity.
    """
    found = np.empty((2, len(group)))
    best = np.full(group.max() + 1 if len(group) else 0, -np.inf)
    for row in range(len(group)):
        best[group[row]] = max(best[group[row]], content[row])
    for row in range(len(group)):
        found[0, row] = content[row] - best[group[row]]
    _stand(affinity, group, len(best), found[1])
    found[1] *= -steepness
    return found


@inner
def _stand(values: Floats, group: Groups, groups: int, found: Floats) -> None:
    known, total, squares = np.zeros(groups), np.zeros(groups), np.zeros(groups)
    for row in range(len(values)):
        if np.isfinite(values[row]):
            known[group[row]] += 1
            total[group[row]] += values[row]
    known = np.maximum(known, 1.0)
    for row in range(len(values)):
        found[row] = values[row] - total[group[row]] / known[group[row]]
        if np.isfinite(values[row]):
            squares[group[row]] += found[row] * found[row]
    spread = np.sqrt(squares / known) + LEAST_SPREAD
    for row in range(len(values)):
        found[row] /= spread[group[row]]


@cached
def weigh(raised: Floats, group: Groups, content: float, collaborative: float) -> Floats:
    """The scores, and what they are the weighted sum of, shape (3, rows): shares of each group, and likings.

    raised: e to the powers, shape (2, rows). A liking is 0 to 1, NO_EVIDENCE where there is no standing.
    """
    found = np.empty((3, len(group)))
    total = np.zeros(group.max() + 1 if len(group) else 0)
    for row in range(len(group)):
        total[group[row]] += raised[0, row]
    for row in range(len(group)):
        share = raised[0, row] / total[group[row]]
        liking = NO_EVIDENCE if np.isnan(raised[1, row]) else 1 / (1 + raised[1, row])
        found[:, row] = content * share + collaborative * liking, share, liking
    return found
