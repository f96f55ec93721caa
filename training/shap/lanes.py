"""Sixteen numbers side by side as one value of a kernel: what numba compiles to the processor's widest registers.

A loop over 16 rows costs more to enter than to run: numba checks before each whether its arrays overlap, and how many
rows there are. SHAP values of 10 rows took 0.21 ms by such loops, and take 0.05 by these.
"""

import operator
from collections.abc import Callable
from typing import Any

import numpy as np
from llvmlite import ir
from numba import extending
from numba.core import types

from feature_repo.compiled import inner
from training.shap.forest import Floats

WIDTH = 16
LINE = 64  # bytes that the processor fetches at once: what lies across two takes a third more time
_DOUBLE, _VECTOR = ir.DoubleType(), ir.VectorType(ir.DoubleType(), WIDTH)
_FIRST = ir.Constant(ir.VectorType(ir.IntType(32), WIDTH), [0] * WIDTH)
instruction: Callable[[Callable[..., Any]], Any] = extending.intrinsic


class Lanes(types.Type):
    """A number of each of WIDTH rows. `+`, `-` and `*` take two of these, or one and a number for all rows."""


LANES = Lanes("Lanes")


@extending.register_model(Lanes)
class _Model(extending.models.PrimitiveModel):  # type: ignore[misc]
    def __init__(self, manager: Any, kind: Any) -> None:
        super().__init__(manager, kind, _VECTOR)


@inner
def room(rows: int) -> Floats:
    """Zeros, shape (rows, WIDTH), each row on lines of its own."""
    space = np.zeros(rows * WIDTH + LINE // 8)
    begin = -space.ctypes.data % LINE // 8
    return space[begin : begin + rows * WIDTH].reshape((rows, WIDTH))


@instruction
def load(_: Any, room: Any, row: Any) -> Any:
    """A row of a room."""

    def code(context: Any, builder: Any, signature: Any, given: Any) -> Any:
        return builder.load(_place(context, builder, signature, given), align=8)

    return LANES(room, row), code


@instruction
def store(_: Any, room: Any, row: Any, lanes: Any) -> Any:
    """Fill a row of a room."""

    def code(context: Any, builder: Any, signature: Any, given: Any) -> Any:
        builder.store(given[2], _place(context, builder, signature, given), align=8)
        return context.get_dummy_value()

    return types.void(room, row, lanes), code


@instruction
def spread(_: Any, number: Any) -> Any:
    """The same number for all rows."""

    def code(context: Any, builder: Any, signature: Any, given: Any) -> Any:
        del context, signature
        return _spread(builder, given[0])

    return LANES(number), code


@instruction
def choose(_: Any, lanes: Any, limit: Any, yes: Any, no: Any) -> Any:
    """One number for rows where theirs is at most so large, another for others and those of NaN."""

    def code(context: Any, builder: Any, signature: Any, given: Any) -> Any:
        del context, signature
        found, limit, yes, no = given[0], *(_spread(builder, each) for each in given[1:])
        return builder.select(builder.fcmp_ordered("<=", found, limit), yes, no)

    return LANES(lanes, limit, yes, no), code


def _place(context: Any, builder: Any, signature: Any, given: Any) -> Any:
    room = context.make_array(signature.args[0])(context, builder, given[0])
    return builder.bitcast(
        builder.gep(room.data, [builder.mul(given[1], ir.Constant(given[1].type, WIDTH))]), _VECTOR.as_pointer()
    )


def _spread(builder: Any, number: Any) -> Any:
    """A number for all rows."""
    if number.type == _VECTOR:
        return number
    nothing = ir.Constant(_VECTOR, ir.Undefined)
    first = builder.insert_element(nothing, number, ir.Constant(ir.IntType(32), 0))
    return builder.shuffle_vector(first, nothing, _FIRST)


def _means(symbol: Callable[..., Any], name: str) -> None:
    @instruction
    def combined(_: Any, left: Any, right: Any) -> Any:
        def code(context: Any, builder: Any, signature: Any, given: Any) -> Any:
            del context, signature
            sides = (_spread(builder, each) for each in given)
            return getattr(builder, name)(*sides, flags=("contract",))  # a product and a sum by one instruction

        return LANES(left, right), code

    def of_two(left: Any, right: Any) -> Any:
        return combined(left, right)

    def allowed(left: Any, right: Any) -> Any:
        return of_two if {left, right} <= {LANES, types.float64} and LANES in (left, right) else None

    extending.overload(symbol, strict=False)(allowed)


_means(operator.add, "fadd")
_means(operator.sub, "fsub")
_means(operator.mul, "fmul")
