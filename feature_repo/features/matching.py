"""A kernel that finds names of lists in lists of the same row: import inside functions, 0.4 s.

Every name is compared with every one beside it, byte by byte: lists hold tens of names, and most differ in length or in
their last byte. 5 skills of a task beside 8 of each of 100 people take 0.02 ms; Arrow's index_in and its like, 0.1.
"""

import numpy as np
from numpy.typing import NDArray

from feature_repo.compiled import cached, inner

Ints = NDArray[np.int64]
Bytes = NDArray[np.uint8]
Mask = NDArray[np.bool_]


@cached
def match(
    starts: Ints,
    text_starts: Ints,
    text: Bytes,
    is_name: Mask,
    held_starts: Ints,
    held_text_starts: Ints,
    held_text: Bytes,
    is_held_name: Mask,
    found: Ints,
) -> None:
    """For each name its place among the held names of its row, -1 where it is not there, or is no name itself.

    starts: where each row's names begin, and the end of the last; text_starts: the same of each name's bytes.
    """
    for row in range(len(starts) - 1):
        for place in range(starts[row], starts[row + 1]):
            found[place] = -1
            if not is_name[place]:
                continue
            for held in range(held_starts[row], held_starts[row + 1]):
                if is_held_name[held] and _are_same(
                    text, text_starts[place], text_starts[place + 1],
                    held_text, held_text_starts[held], held_text_starts[held + 1],
                ):  # fmt: skip
                    found[place] = held
                    break


@inner
def _are_same(text: Bytes, start: int, end: int, held_text: Bytes, held_start: int, held_end: int) -> bool:
    """From the end: ids often begin alike. By places: to cut the names out first takes five times as long."""
    if end - start != held_end - held_start:
        return False
    back = 1
    while back <= end - start and text[end - back] == held_text[held_end - back]:
        back += 1
    return back > end - start
