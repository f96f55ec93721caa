"""Kernels that compare the rows of a group with each other, compiled by numba: import inside functions, 0.4 s.

Sums go over the rows in their order, so that a row's number is the same in a batch of many groups. Exponentials are
left to numpy, whose last bit numba's own do not have.
"""

import numpy as np
from numpy.typing import NDArray

from feature_repo.compiled import cached, inner

Floats = NDArray[np.float64]
Groups = NDArray[np.int64]
LEAST_SPREAD = 1e-9
NO_EVIDENCE = 0.5


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
