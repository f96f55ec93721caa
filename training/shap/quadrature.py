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

LANES = 64  # at most, side by side; more leave the fastest memory
OFF, MORE, OFF_INVERSE, ON_INVERSE, GAIN, FACTORS = 0, 1, 2, 3, 4, 5
ONE = np.uint64(1)
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
def tabulate(
    nodes: NDArray[Any], first: Ints, points: Floats, weights: Floats, orders: Ints, first_factor: Ints, factors: Floats
) -> None:
    """Per edge and point what depends on no row; the edges of a tree from first_factor[tree] on, FACTORS a point.

    OFF: its factor f where it is not met, MORE: what f has more where it is; a leaf's hold its value and the weight.
    """
    for tree in range(len(first) - 1):
        order = orders[tree]
        for node in nodes[first[tree] : first[tree + 1]]:
            for q in range(order):
                table, point = factors[first_factor[tree] + node.above * order + q], points[order, q]
                off, on = node.share * (1.0 - point), node.share * (1.0 - point) + point
                scale = node.value * weights[order, q] if node.left < 0 else 1.0
                table[OFF], table[MORE] = off * scale, point * scale
                table[OFF_INVERSE], table[ON_INVERSE] = 1.0 / off, 1.0 / on
                table[GAIN] = node.share * table[OFF_INVERSE] * table[ON_INVERSE]


@_cached
def add_contributions(
    nodes: NDArray[Any],
    first: Ints,
    words: Ints,
    orders: Ints,
    first_factor: Ints,
    factors: Floats,
    columns: Floats,
    sums: Floats,
) -> None:
    """Add each column's contribution over the trees to sums.

    orders, first_factor, factors: as tabulated. columns: shape (blocks of rows, features, rows of a block), of these a
    multiple of ROUND; sums: shape (blocks, classes, features, rows of a block).
    """
    widest, order, lanes = np.diff(first).max(), orders.max(), columns.shape[2]
    met, carried = np.empty((widest, lanes)), np.empty((widest, order, lanes))
    for tree in range(len(first) - 1):
        part, order = nodes[first[tree] : first[tree + 1]], orders[tree]
        if len(part) == 1:
            continue
        table = factors[first_factor[tree] : first_factor[tree + 1]].reshape((len(part), order, FACTORS))
        for block in range(len(columns)):
            _decide(part, words, lanes, columns[block], met)
            _descend(part, table, order, lanes, met, carried)
            _ascend(part, table, order, lanes, met, carried, sums[block, tree % sums.shape[1]])


# Loops over lanes name whole arrays, by unsigned places, and decisions have their own loop: rows of arrays as variables
# are counted references, which took a third of all time, and a place that may be negative keeps a loop from vectors.
@_inner
def _decide(part: NDArray[Any], words: Ints, lanes: int, columns: Floats, met: Floats) -> None:
    """Fill met of the edge left of each split: 1 for rows that go there."""
    for place in range(len(part) // 2):
        node, left = part[place], np.uint64(2 * place + 1)
        feature, threshold, nan_left = np.uint64(node.feature), node.threshold, float(node.nan_left)
        if node.decision & CATEGORICAL:
            first_word, last_word = node.first_word, node.last_word
            for lane in range(lanes):
                met[left, lane] = 1.0 if is_in(columns[feature, lane], words, first_word, last_word) else 0.0
        else:
            zero_left = nan_left if node.decision >> 2 == MISSING_ZERO else 1.0 if threshold >= 0.0 else 0.0
            for lane in range(lanes):
                value = columns[feature, lane]
                is_left = zero_left if value == 0.0 else 1.0 if value <= threshold else 0.0
                met[left, lane] = nan_left if np.isnan(value) else is_left


@_inner
def _descend(part: NDArray[Any], factors: Floats, order: int, lanes: int, met: Floats, carried: Floats) -> None:
    """Make met 1 where a row meets all edges of a feature so far; fill carried, the product of factors to a node."""
    met[0], carried[0] = 1.0, 1.0
    for place in range(len(part) // 2):
        node, left = part[place], np.uint64(2 * place + 1)
        up, above, right = np.uint64(node.up), np.uint64(node.above), left + ONE
        for lane in range(lanes):
            met[right, lane] = met[up, lane] * (1.0 - met[left, lane])
            met[left, lane] *= met[up, lane]
        for q in range(order):
            off_up, on_up = factors[up, q, OFF_INVERSE], factors[up, q, ON_INVERSE]
            off_left, more_left = factors[left, q, OFF], factors[left, q, MORE]
            off_right, more_right = factors[right, q, OFF], factors[right, q, MORE]
            for lane in range(lanes):
                product = carried[above, q, lane] * (on_up if met[up, lane] > 0.0 else off_up)
                carried[left, q, lane] = product * (off_left + met[left, lane] * more_left)
                carried[right, q, lane] = product * (off_right + met[right, lane] * more_right)


@_inner
def _ascend(
    part: NDArray[Any], factors: Floats, order: int, lanes: int, met: Floats, carried: Floats, sums: Floats
) -> None:
    """Turn carried into sums over the leaves below a node, and add what its edges contribute to their feature."""
    for place in range(len(part) // 2 - 1, -1, -1):
        node, left = part[place], np.uint64(2 * place + 1)
        feature, up, above, right = np.uint64(node.feature), np.uint64(node.up), np.uint64(node.above), left + ONE
        for q in range(order):
            gain_left, gain_right, gain_up = factors[left, q, GAIN], factors[right, q, GAIN], factors[up, q, GAIN]
            for lane in range(lanes):
                on_left, on_right = carried[left, q, lane], carried[right, q, lane]
                both = on_left + on_right
                found = on_left * met[left, lane] * gain_left + on_right * met[right, lane] * gain_right
                carried[above, q, lane] = both
                sums[feature, lane] += found - both * met[up, lane] * gain_up
