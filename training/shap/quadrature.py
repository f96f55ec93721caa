"""Kernels of exact TreeSHAP by Gauss-Legendre quadrature, compiled by numba: import inside functions, 0.4 s.

For a leaf of value v whose path holds D distinct features, with z_j the product of the cover ratios of feature j's
edges and o_j 1 where a row meets them all, else 0:

    phi_j += (o_j - z_j) * integral over t in [0, 1] of  v * product over i != j of  f_i,   f_i = z_i (1 - t) + o_i t

Under the integral is a polynomial of degree D - 1, so ceil(D / 2) points are exact. Leaves below an edge share its
factor: products are carried down the tree, sums over leaves back up, and an edge is paid once, not once per leaf below.
A later edge of a feature takes the place of the earlier one on the path, `up`: f of one replaces f of the other.

With S the sum below an edge, it contributes S (o - z) / f = S (o gain - 1 / (1 - t)), where gain = 1 / (f (1 - t)) as
if o were 1. What it takes from the earlier edge has the same last term, so only gains remain. Above the first edge of
a feature nothing is tested: o = z = 1, which needs no case of its own.

Source: Lundberg et al. 2020 for the values; Yu et al. 2022, Linear TreeSHAP, for the sums carried up.
"""

from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from feature_repo import compiled
from training.shap.forest import CATEGORICAL, MISSING_ZERO, Floats, Ints
from training.shap.kernels import is_in

ROUND = 8  # rows are filled up to a multiple: 8 doubles fill a vector register
LANES = 64  # rows side by side; 100 rows of 200 trees x 31 leaves: 9.7 ms with 16 lanes, 6.4 with 32, 3.3 with 64
ZERO = float(np.float32(1e-35))  # what LightGBM takes for zero
OFF, MORE, OFF_INVERSE, ON_INVERSE, GAIN, FACTORS = 0, 1, 2, 3, 4, 5
_cached, _inner = (partial(each, fastmath={"contract"}) for each in (compiled.cached, compiled.inner))


@_cached
def measure(nodes: NDArray[Any], first: Ints, distinct: Ints) -> None:
    """Number edges, find the earlier ones of their features and their shares.

    The edges below a tree's split number s are 2 s + 1 and 2 s + 2; 0 stands for none, as above the root. above: the
    edge above a node. up: of a split, the latest edge above it that tests its feature. share: z of the edge above, the
    part of the rows that it and the earlier edges of its feature let through. distinct: the most features on a path.
    """
    for tree in range(len(first) - 1):
        part = nodes[first[tree] : first[tree + 1]]
        part[0].share = 1.0
        depth, share = np.zeros(len(part), np.int64), np.ones(len(part))  # of edges
        for place in range(len(part) // 2):
            node = part[place]
            node.up = node.above
            while node.up > 0 and part[(node.up - 1) // 2].feature != node.feature:
                node.up = part[(node.up - 1) // 2].above
            for edge, child in ((2 * place + 1, part[node.left]), (2 * place + 2, part[node.right])):
                child.above = edge
                depth[edge] = depth[node.above] + (node.up == 0)
                share[edge] = child.share = share[node.up] * child.count / node.count
        distinct[tree] = depth.max()


@_cached
def add_contributions(
    nodes: NDArray[Any],
    first: Ints,
    words: Ints,
    points: Floats,
    weights: Floats,
    orders: Ints,
    columns: Floats,
    sums: Floats,
) -> None:
    """Add each column's contribution over the trees to sums.

    points, weights: quadrature on [0, 1], a row per order; orders: per tree. columns: shape (features, rows), rows a
    multiple of ROUND; sums: shape (classes, features, rows).
    """
    widest, order = np.diff(first).max(), orders.max()
    factors, met = np.empty((widest, order, FACTORS)), np.empty((widest, LANES))
    carried = np.empty((widest, order, LANES))
    for tree in range(len(first) - 1):
        part = nodes[first[tree] : first[tree + 1]]
        if len(part) == 1:
            continue
        order = orders[tree]
        _tabulate(part, points[order], weights[order], order, factors)
        for begin in range(0, columns.shape[1], LANES):
            lanes = min(LANES, columns.shape[1] - begin)
            _descend(part, words, columns, begin, lanes, order, factors, met, carried)
            _ascend(part, begin, lanes, order, factors, met, carried, sums[tree % sums.shape[0]])


@_inner
def _tabulate(part: NDArray[Any], points: Floats, weights: Floats, order: int, factors: Floats) -> None:
    """Per edge and point what depends on no row.

    OFF: its factor f where it is not met, MORE: what f has more where it is; a leaf's hold its value and the weight.
    """
    for place in range(len(part)):
        node = part[place]
        table, share = factors[node.above], node.share
        for q in range(order):
            off, on = share * (1.0 - points[q]), share * (1.0 - points[q]) + points[q]
            scale = node.value * weights[q] if node.left < 0 else 1.0
            table[q, OFF], table[q, MORE] = off * scale, points[q] * scale
            table[q, OFF_INVERSE], table[q, ON_INVERSE] = 1.0 / off, 1.0 / on
            table[q, GAIN] = share * table[q, OFF_INVERSE] * table[q, ON_INVERSE]


@_inner
def _descend(
    part: NDArray[Any],
    words: Ints,
    columns: Floats,
    begin: int,
    lanes: int,
    order: int,
    factors: Floats,
    met: Floats,
    carried: Floats,
) -> None:
    """Fill met, 1 where a row meets all of a feature's edges so far, and carried, the product of factors to a node."""
    met[0], carried[0, :order] = 1.0, 1.0
    for place in range(len(part) // 2):
        up, above, left, right = part[place].up, part[place].above, 2 * place + 1, 2 * place + 2
        _decide(part[place], left, words, columns[part[place].feature, begin : begin + lanes], met)
        for q in range(order):
            off_up, on_up = factors[up, q, OFF_INVERSE], factors[up, q, ON_INVERSE]
            off_left, more_left = factors[left, q, OFF], factors[left, q, MORE]
            off_right, more_right = factors[right, q, OFF], factors[right, q, MORE]
            for lane in range(lanes):
                product = carried[above, q, lane] * (on_up if met[up, lane] > 0.0 else off_up)
                carried[left, q, lane] = product * (off_left + met[left, lane] * more_left)
                carried[right, q, lane] = product * (off_right + met[right, lane] * more_right)


@_inner
def _decide(node: Any, left: int, words: Ints, column: Floats, met: Floats) -> None:
    """Fill met of the two edges below a split: left and the next."""
    threshold, nan_left, up = node.threshold, float(node.nan_left), node.up
    if node.decision & CATEGORICAL:
        for lane in range(len(column)):
            met[left, lane] = 1.0 if is_in(column[lane], words, node.first_word, node.last_word) else 0.0
    else:
        zero_left = nan_left if node.decision >> 2 == MISSING_ZERO else 1.0 if threshold >= 0.0 else 0.0
        for lane in range(len(column)):
            value = column[lane]
            is_left = zero_left if value == 0.0 else 1.0 if value <= threshold else 0.0
            met[left, lane] = nan_left if np.isnan(value) else is_left
    for lane in range(len(column)):
        met[left + 1, lane] = met[up, lane] * (1.0 - met[left, lane])
        met[left, lane] *= met[up, lane]


@_inner
def _ascend(
    part: NDArray[Any], begin: int, lanes: int, order: int, factors: Floats, met: Floats, carried: Floats, sums: Floats
) -> None:
    """Turn carried into sums over the leaves below a node, and add what its edges contribute to their feature."""
    for place in range(len(part) // 2 - 1, -1, -1):
        node = part[place]
        up, above, left, right = node.up, node.above, 2 * place + 1, 2 * place + 2
        added = sums[node.feature, begin : begin + lanes]  # a slice: with begin + lane inside, nothing is vectorised
        for q in range(order):
            gain_left, gain_right, gain_up = factors[left, q, GAIN], factors[right, q, GAIN], factors[up, q, GAIN]
            for lane in range(lanes):
                on_left, on_right = carried[left, q, lane], carried[right, q, lane]
                both = on_left + on_right
                found = on_left * met[left, lane] * gain_left + on_right * met[right, lane] * gain_right
                carried[above, q, lane] = both
                added[lane] += found - both * met[up, lane] * gain_up
