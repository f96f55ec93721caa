"""How kernels are compiled by numba: import inside functions, 0.4 s.

What is compiled is kept until the kernel's own file changes. Who changes what it imports, such as an inner function or
a constant of another file, removes the `__pycache__` beside it.
"""

from collections.abc import Callable
from typing import Any

from numba import njit

OPTIONS: dict[str, Any] = {"nogil": True, "error_model": "numpy"}


def cached(function: Callable[..., Any], **options: Any) -> Any:
    """Compiled once for all processes, where there is a folder to keep it in: beside the file or in the user's home."""
    try:
        return njit(cache=True, **OPTIONS, **options)(function)
    except RuntimeError:
        return njit(**OPTIONS, **options)(function)


def inner(function: Callable[..., Any], **options: Any) -> Any:
    """Compiled as part of a cached one."""
    return njit(**OPTIONS, **options)(function)
