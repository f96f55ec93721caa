"""At which points, and with which weights, a polynomial on [0, 1] is summed so that the sum is its integral."""

from functools import cache

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def quadratures(largest: int) -> tuple[Floats, Floats]:
    """Of 0 and further points, none to `largest`, which are exact up to twice as high a degree: Gauss-Radau.

    The weights of 0, shape (largest + 1,); the others and their weights, shape (2, largest + 1, largest).
    """
    at_zero, others = np.zeros(largest + 1), np.zeros((2, largest + 1, largest))
    for count in range(largest + 1):
        points, weights = _radau(count + 1)
        at_zero[count] = weights[0]
        others[:, count, :count] = points[1:], weights[1:]
    return at_zero, others


@cache
def _radau(count: int) -> tuple[Floats, Floats]:
    """So many points, the first of them 0, and their weights. Solved once: each takes 0.1 ms of the interpreter.

    Source: Abramowitz & Stegun 1964, 25.4.31, on [-1, 1]; roots are polished by a step of Newton's, as in leggauss.
    """
    legendre = np.polynomial.legendre
    last, both = np.eye(count)[-1], np.append(np.eye(count)[-1], 1.0)
    points = np.sort(legendre.legroots(both).real)
    points -= legendre.legval(points, both) / legendre.legval(points, legendre.legder(both))
    points[0] = -1.0
    weights = (1.0 - points) / (count * legendre.legval(points, last)) ** 2
    return (points + 1.0) / 2.0, weights / 2.0
