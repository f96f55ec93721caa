"""The kernel that writes factors: import inside functions, 0.4 s."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from feature_repo.compiled import cached, inner

Bytes = NDArray[np.uint8]
Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Places = NDArray[np.uint64]
"""Unsigned: what could be negative numba counts from the end."""
COMMA, OPENED, CLOSED = (np.uint8(ord(each)) for each in ",[]")
ONE = np.uint64(1)


@cached
def tell(
    text: Bytes, bounds: Places, places: Ints, both: Floats, streams: Bytes, others: Bytes, firsts: Places,
    told: Bytes, ends: Ints,
) -> None:  # fmt: skip
    """Write each row's factors as a list, and where it ends.

    text, bounds: as of phrases.Templates. places, both: as of pick; factors of amount 0 are left out. streams: all
    amounts, then all numbers, then all words, each with a comma behind it. others: the factors that have no template,
    of which `firsts` tells the begins, and the end.
    """
    amounts, numbers, begins = both[0], both[1], _begins(streams, places.size)
    at, other = np.uint64(0), 0
    for row in range(places.shape[0]):
        told[at] = OPENED
        at += ONE
        for rank in range(places.shape[1]):
            amount, place = amounts[row, rank], places[row, rank]
            if amount == 0:
                for stream in range(3):
                    begins[stream] = _after(streams, begins[stream])
                continue
            parts = bounds[place, 1 if amount > 0 else 0]
            if parts[0] == parts[6]:
                at = _copied(others, firsts[other], firsts[other + 1], told, at)
                other += 1
                for stream in range(3):
                    begins[stream] = _after(streams, begins[stream])
            elif np.isnan(numbers[row, rank]):
                at = _copied(text, parts[4], parts[5], told, at)
                at = _value(streams, begins, 0, told, at)
                at = _copied(text, parts[5], parts[6], told, at)
                begins[1], begins[2] = _after(streams, begins[1]), _after(streams, begins[2])
            else:
                at = _copied(text, parts[0], parts[1], told, at)
                at = _value(streams, begins, 1, told, at)
                at = _copied(text, parts[1], parts[2], told, at)
                at = _value(streams, begins, 0, told, at)
                at = _copied(text, parts[2], parts[3], told, at)
                at = _value(streams, begins, 2, told, at)
                at = _copied(text, parts[3], parts[4], told, at)
            told[at] = COMMA
            at += ONE
        if told[at - ONE] == COMMA:
            at -= ONE
        told[at] = CLOSED
        at += ONE
        ends[row] = at


@inner
def _begins(streams: Bytes, count: int) -> Places:
    """Where each of three streams of so many values begins."""
    begins = np.zeros(3, np.uint64)
    for stream in range(1, 3):
        begins[stream] = begins[stream - 1]
        for _ in range(count):
            begins[stream] = _after(streams, begins[stream])
    return begins


@inner
def _copied(text: Bytes, begin: Any, end: Any, told: Bytes, at: Any) -> Any:
    for byte in range(end - begin):
        told[at + byte] = text[begin + byte]
    return at + (end - begin)


@inner
def _value(streams: Bytes, begins: Places, stream: int, told: Bytes, at: Any) -> Any:
    """Copy a stream's next value."""
    begin = begins[stream]
    while streams[begin] != COMMA:
        told[at] = streams[begin]
        at += ONE
        begin += ONE
    begins[stream] = begin + ONE
    return at


@inner
def _after(streams: Bytes, begin: Any) -> Any:
    """Where the value after that which begins there begins."""
    while streams[begin] != COMMA:
        begin += ONE
    return begin + ONE
