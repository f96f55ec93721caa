"""Kernels over the rows of an answer: import inside functions, 0.4 s."""

import numpy as np
from numpy.typing import NDArray

from feature_repo.compiled import cached
from serving.answering.columns import BETWEEN

Bytes = NDArray[np.uint8]
Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Places = NDArray[np.uint64]
"""Unsigned: what could be negative numba counts from the end, and no byte is copied beside another. 6 us, not 18."""

LINE_END = BETWEEN[1]


@cached
def weave(text: Bytes, ends: Places, streams: Ints, begins: Places, rows: int, woven: Bytes) -> int:
    """Rows of fixed parts, with a value after each part but some; returns how many bytes they are.

    text: the parts, of which `ends` tells the ends; then streams of values, which begin at `begins` (it is moved on),
    each value followed by BETWEEN. streams: after each part, whose value comes next, -1 for none. woven: room for all.
    """
    at, one, between = np.uint64(0), np.uint64(1), np.uint64(len(BETWEEN) - 1)
    for _ in range(rows):
        place = np.uint64(0)
        for part in range(len(ends)):
            size = ends[part] - place
            for byte in range(size):
                woven[at + byte] = text[place + byte]
            at, place = at + size, place + size
            stream = streams[part]
            if stream >= 0:
                value = begins[stream]
                while text[value] != LINE_END:
                    woven[at] = text[value]
                    at += one
                    value += one
                at -= one  # the comma of BETWEEN
                begins[stream] = value + between
    return int(at)


@cached
def agree(members: Floats, greatest: float, sure: Floats) -> None:
    """1 - min(2 * variance of a row's members as shares of the greatest score, .5); NaN without two that are finite.

    members: shape (members, rows). By NumPy 100 rows of two took 9 us, without one that is missing.
    Source: REQUIREMENTS 3.
    """
    for row in range(members.shape[1]):
        count, total, squares = 0, 0.0, 0.0
        for member in range(members.shape[0]):
            if np.isfinite(members[member, row]):
                count += 1
                total += members[member, row] / greatest
        for member in range(members.shape[0]):
            if np.isfinite(members[member, row]):
                off = members[member, row] / greatest - total / count
                squares += off * off
        sure[row] = 1 - min(2 * (squares / count), 0.5) if count > 1 else np.nan
