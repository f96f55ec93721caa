"""What several columns of one frame are computed from is computed once.

Pair columns stay functions of their arguments: within `shared()` the result of a function marked `once` is kept for
the same argument objects, and forgotten at the end; outside of it nothing is kept.
"""

from collections.abc import Callable
from contextvars import ContextVar
from functools import wraps
from typing import Any, TypeVar

Function = TypeVar("Function", bound=Callable[..., Any])
_KNOWN: ContextVar[dict[Any, Any] | None] = ContextVar("known", default=None)


class shared:  # noqa: N801  named as what it is called like; a generator takes three times as long to enter
    """Keep results until the end of the block; a block within another starts anew."""

    def __enter__(self) -> None:
        self._token = _KNOWN.set({})

    def __exit__(self, *_: object) -> None:
        _KNOWN.reset(self._token)


def once(function: Function) -> Function:
    """A function that is called once for the same argument objects. Nobody may write into them, or into its result."""

    @wraps(function)
    def found(*arguments: Any) -> Any:
        known = _KNOWN.get()
        if known is None:
            return function(*arguments)
        key = (function, *map(id, arguments))
        if key not in known:
            known[key] = function(*arguments), arguments  # kept too, so that no other object gets the id of one
        return known[key][0]

    return found  # type: ignore[return-value]
