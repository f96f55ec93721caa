"""Kernels that find texts among others by a table of their hashes: import inside functions, 0.4 s.

100 ids take 2.5 us, and not much more where the table was not looked at lately: the processor looks for several at
once. A dict of Python's takes 4, and then 25, as it goes from the table to an entry, to its text and to its value.
"""

import numpy as np
from numpy.typing import NDArray

from feature_repo.compiled import cached, inner

Bytes = NDArray[np.uint8]
Floats = NDArray[np.float64]
Places = NDArray[np.int32]
NOBODY = -1
BASIS, PRIME = -3750763034362895579, 1099511628211
"""Source: Fowler, Noll & Vo, FNV-1a of 64 bits."""


@cached
def tabled(keys: Bytes) -> Places:
    """Where each text is, by its hash, or at the next free place; at least twice as many places as texts.

    keys: shape (texts, width), zeros after each text, which holds none itself.
    """
    size = 2
    while size < 2 * len(keys):
        size *= 2
    table = np.full(size, NOBODY, np.int32)
    for place in range(len(keys)):
        at = _read(keys[place], 0)[1] & (size - 1)
        while table[at] != NOBODY:
            at = (at + 1) & (size - 1)
        table[at] = place
    return table


@cached
def find(wanted: Bytes, table: Places, keys: Bytes, found: Floats) -> bool:
    """The place of each text, NaN where it is none of the keys. wanted: one text after the other, a zero between.

    Returns whether each is one.
    """
    begin, are_all = 0, True
    for text in range(len(found)):
        end, code = _read(wanted, begin)
        found[text] = _place(wanted, begin, end - begin, code, table, keys)
        begin, are_all = end + 1, are_all and not np.isnan(found[text])
    return are_all


@inner
def _read(texts: Bytes, begin: int) -> tuple[int, np.int64]:
    """Where a text ends, and its hash."""
    end, code = begin, np.int64(BASIS)
    for place in range(begin, len(texts)):  # a counted loop: of any other, places are taken for negative ones too
        if texts[place] == 0:
            break
        code = (code ^ np.int64(texts[place])) * PRIME
        end = place + 1
    return end, code ^ (code >> 32)


@inner
def _place(wanted: Bytes, begin: int, size: int, code: np.int64, table: Places, keys: Bytes) -> float:
    width, last = keys.shape[1], len(table) - 1
    if size > width:
        return np.nan
    at = code & last
    while table[at] != NOBODY:
        key, is_same = table[at], True
        for place in range(size):
            is_same = is_same and wanted[begin + place] == keys[key, place]
        if is_same and (size == width or keys[key, size] == 0):
            return float(key)
        at = (at + 1) & last
    return np.nan
