"""What the kernels of this package share, compiled by numba: import inside functions, 0.4 s."""

import numpy as np

from feature_repo.compiled import inner
from training.shap.forest import Ints

ROUND = 16  # rows are filled up to a multiple: what loops over lanes take at once, fewer are left to plain code
ZERO = float(np.float32(1e-35))  # what LightGBM takes for zero


@inner
def is_in(value: float, words: Ints, first_word: int, last_word: int) -> bool:
    """Whether a category is in a set. It is cut to a whole number, as LightGBM does; missing ones are in no set."""
    if not -1.0 < value < 2147483648.0:
        return False
    category = int(value)
    word = first_word + (category >> 5)
    return word < last_word and (words[word] >> (category & 31)) & 1 == 1
