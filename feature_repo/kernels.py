"""Modules of kernels, imported when they are first needed: numba takes 0.4 s.

Once: an import within a function takes 0.5 us a call, where nothing is warm 2.
"""

from functools import cache
from importlib import import_module

kernels = cache(import_module)
"""The module of that name."""
