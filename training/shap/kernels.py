"""What the kernels of this package share, compiled by numba: import inside functions, 0.4 s."""

from functools import partial
from typing import Any

import numpy as np

from feature_repo.compiled import inner
from training.shap.forest import Floats, Ints
from training.shap.reads import CATEGORY, NAN_LEFT, WHOLE, ZERO_LEFT, ZERO_RIGHT

ZERO = float(np.float32(1e-35))  # what LightGBM takes for zero


inlined = partial(inner, inline="always")
"""Written out where it is called: to hand over ten arrays takes as long as to walk through a tree."""


@inlined
def prepare(columns: Floats, slot: int, begin: int, rows: int, read: Any, words: Ints, prepared: Floats) -> None:
    """Some rows of a column as splits read them, see reads.py; what is prepared may have more places."""
    kind, missing = read.kind, np.nan
    if kind == WHOLE:
        missing = 0.0
    elif kind in (ZERO_LEFT, NAN_LEFT):
        missing = -np.inf  # and right NaN, as thresholds may be infinite
    is_zero_missing = kind in (ZERO_LEFT, ZERO_RIGHT)
    for lane in range(rows):
        value = columns[slot, begin + lane]
        if kind == CATEGORY:
            value = 0.0 if _is_in(value, words, read.first_word, read.last_word) else 1.0
        elif abs(value) <= ZERO:
            value = missing if is_zero_missing else 0.0
        elif np.isnan(value):
            value = missing
        prepared[lane] = value


@inner
def _is_in(value: float, words: Ints, first_word: int, last_word: int) -> bool:
    """Whether a category is in a set. It is cut to a whole number, as LightGBM does; missing ones are in no set."""
    if not -1.0 < value < 2147483648.0:
        return False
    category = int(value)
    word = first_word + (category >> 5)
    return word < last_word and (words[word] >> (category & 31)) & 1 == 1
