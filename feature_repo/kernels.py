"""Modules of kernels, imported when they are first needed: numba takes 0.4 s; and what they are given.

Once: an import within a function takes 0.5 us a call, where nothing is warm 2.
"""

from functools import cache
from importlib import import_module

import numpy as np
from numpy.typing import NDArray

kernels = cache(import_module)
"""The module of that name."""


def of_one_kind(numbers: NDArray[np.float64]) -> NDArray[np.float64]:
    """The array as kernels are compiled for, mostly itself; for another kind they would be compiled in a request."""
    is_so = numbers.flags.carray and numbers.dtype == np.float64
    return numbers if is_so else np.require(numbers, np.float64, ["C", "W"])
