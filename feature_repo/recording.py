"""Pair functions of plain arithmetic, written down by calling them once with stand-ins for their columns.

A function over columns is NumPy's: for the 100 rows of a request a call of one takes 5 to 10 us, nearly all of it to
make arrays and to find out what to do. What is written down one kernel does for all columns (program.py): the same
operations in the same order, so the same bits: what a training frame has by a call, as of a function that also reads
lists, a request has by a program. (Of two zeros NumPy's maximum and minimum take the second on x86, as the kernel does;
elsewhere the sign may differ.) A stand-in answers NumPy's protocols for what is no array (NEP 13 and 18) and nothing
else. So whatever else a function does, such as to ask for a length, ends the recording: it is called.
"""

import logging
from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar

import numpy as np
from numpy.lib.mixins import NDArrayOperatorsMixin

LOG = logging.getLogger("talentml.features")
Function = TypeVar("Function", bound=Callable[..., Any])
(
    LOAD, STORE, ADD, SUBTRACT, MULTIPLY, DIVIDE, MAXIMUM, MINIMUM, ABSOLUTE, IS_NAN, GREATER, GREATER_EQUAL, LESS,
    LESS_EQUAL, IS_EQUAL, WHERE, SAME_TEXT, MEAN_RATIO, SHARE_HELD,
) = range(19)  # fmt: skip
"""What is done: a column is read or filled; else by NumPy's function of that name, or one of ours marked as `noted`.

The compiled interpreter has these numbers in its own file, by whose changes alone numba compiles it anew: change both.
"""
UFUNCS: dict[Any, int] = {
    np.add: ADD,
    np.subtract: SUBTRACT,
    np.multiply: MULTIPLY,
    np.divide: DIVIDE,
    np.maximum: MAXIMUM,
    np.minimum: MINIMUM,
    np.absolute: ABSOLUTE,
    np.isnan: IS_NAN,
    np.greater: GREATER,
    np.greater_equal: GREATER_EQUAL,
    np.less: LESS,
    np.less_equal: LESS_EQUAL,
    np.equal: IS_EQUAL,
}
MASKS = frozenset({IS_NAN, GREATER, GREATER_EQUAL, LESS, LESS_EQUAL, IS_EQUAL})
"""What gives true or false: a program has 1 and 0 for these."""

DEEPEST = 100
"""Operations on the result of another: a program is written by functions that call themselves, three times for each."""


class StandIn:
    """For a column of texts or lists: only a function that is marked as `noted` does anything with it."""

    def __init__(self, name: str) -> None:
        self.name = name

    def _refused(self, *_: object) -> Any:
        raise TypeError("a stand-in has no values")

    # else == is plainly False, which would be written down as if it were what the function compares
    __eq__ = __ne__ = __bool__ = __contains__ = __len__ = _refused
    __hash__ = object.__hash__


class Noted(NDArrayOperatorsMixin):
    """For a column of numbers, LOAD by its name; or for what was done to some, and to numbers."""

    def __init__(self, work: int, inputs: tuple[Any, ...]) -> None:
        self.work, self.inputs = work, inputs
        self.depth: int = 1 + max((each.depth for each in inputs if isinstance(each, Noted)), default=0)
        self.is_whole = work in MASKS or (work == WHERE and all(map(_is_whole, inputs[1:])))

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **named: Any) -> Any:
        work = UFUNCS.get(ufunc)
        if method != "__call__" or named or work is None or (work not in MASKS and all(map(_is_whole, inputs))):
            return NotImplemented
        return _noted(work, inputs)

    def __array_function__(self, function: Any, types: Any, inputs: tuple[Any, ...], named: Any) -> Any:
        return NotImplemented if function is not np.where or len(inputs) != 3 or named else _noted(WHERE, inputs)

    def __bool__(self) -> bool:
        raise TypeError("a column is neither true nor false")

    def __array__(self, *_: Any, **__: Any) -> Any:
        raise TypeError("a stand-in has no values")


def _is_whole(given: Any) -> bool:
    """Whether NumPy computes with it as with truth values or whole numbers: two true ones are true, there is no -0."""
    return given.is_whole if isinstance(given, Noted) else isinstance(given, int)


def _noted(work: int, inputs: tuple[Any, ...]) -> Any:
    return Noted(work, inputs) if all(isinstance(each, Noted | float | int) for each in inputs) else NotImplemented


def noted(work: int) -> Callable[[Function], Function]:
    """Mark a function of texts or lists as one that programs do too: of stand-ins it notes that it was called."""

    def mark(function: Function) -> Function:
        @wraps(function)
        def marked(*inputs: Any) -> Any:
            if not isinstance(inputs[0], StandIn):
                return function(*inputs)
            if not all(isinstance(each, StandIn) for each in inputs):
                raise TypeError(f"{function.__name__}: stand-ins beside values")
            return Noted(work, inputs)

        return marked  # type: ignore[return-value]

    return mark


def recorded(function: Callable[..., Any], stand_ins: list[Any]) -> Noted | None:
    """What a function does to its columns; None where that cannot be written down, is nothing, or too deep."""
    try:
        found = function(*stand_ins)
    except Exception as error:  # noqa: BLE001  whatever it says of a stand-in, it is asked again with arrays
        LOG.debug("%s is called, not written down: %r", function, error)
        return None
    is_work = isinstance(found, Noted) and found.work != LOAD and found.depth <= DEEPEST
    return found if is_work else None
