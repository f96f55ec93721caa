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

from typing import Any

import numpy as np
from numpy.typing import NDArray

from feature_repo.compiled import cached, inner
from training.shap.forest import CATEGORICAL, MISSING_ZERO, Floats, Ints
from training.shap.kernels import ZERO, is_in
from training.shap.lanes import WIDTH, at_most, load, room, store

OFF, MORE, GAIN, FACTORS = 0, 1, 2, 3
LEFT_LEAF, RIGHT_LEAF = 1, 2  # bits of a split's `leaves`


@cached
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


@cached
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
                table[OFF], table[MORE], table[GAIN] = off * scale, point * scale, node.share / (off * on)


@cached
def add_contributions(
    splits: NDArray[Any],
    first: Ints,
    words: Ints,
    orders: Ints,
    first_factor: Ints,
    factors: Floats,
    asked: Floats,
    found: Floats,
) -> None:
    """Add each column's contribution over the trees to what is found, WIDTH rows at a time.

    splits: a tree's from first[tree] on. orders, first_factor, factors: as tabulated. asked: shape (features, rows);
    found: (rows, classes, features + 1).
    """
    classes, features = found.shape[1], len(asked)
    widest, order = 2 * np.diff(first).max() + 1, orders.max()
    columns, sums = room(features), room(classes * features)
    met, carried = room(widest), room(widest * order)
    met[0] = 1.0
    for begin in range(0, asked.shape[1], WIDTH):
        rows = min(WIDTH, asked.shape[1] - begin)
        _lay_out(asked[:, begin : begin + rows], columns)
        sums[:] = 0.0
        for tree in range(len(first) - 1):
            part = splits[first[tree] : first[tree + 1]]
            table = factors[first_factor[tree] : first_factor[tree + 1]]
            if len(part):
                _descend(part, words, table, np.uint64(orders[tree]), columns, met, carried)
                _ascend(part, table, np.uint64(orders[tree]), met, carried, sums[tree % classes * features :])
        for lane in range(rows):
            for kind in range(classes):
                for feature in range(features):
                    found[begin + lane, kind, feature] += sums[kind * features + feature, lane]


@inner
def _lay_out(asked: Floats, columns: Floats) -> None:
    """Rows in lanes, what LightGBM takes for zero as zero. Lanes without a row hold what was there before."""
    for feature in range(len(columns)):
        for lane in range(asked.shape[1]):
            value = asked[feature, lane]
            columns[feature, lane] = 0.0 if abs(value) <= ZERO else value


@inner
def _decide(split: Any, words: Ints, column: Floats, met: Floats) -> None:
    """1 for rows that a split sends left, which needs more than a comparison: by categories, or as 0 is missing."""
    for lane in range(WIDTH):
        if split.decision & CATEGORICAL:
            met[lane] = 1.0 if is_in(column[lane], words, split.first_word, split.last_word) else 0.0
        elif column[lane] == 0.0 or np.isnan(column[lane]):
            met[lane] = 1.0 if split.nan_left else 0.0
        else:
            met[lane] = 1.0 if column[lane] <= split.threshold else 0.0


# Places are unsigned: where one may be negative, each use of it is checked for that first. What both ways share is
# written out: a function of so many arrays is called, with lanes that go through memory (0.29 ms instead of 0.06).
@inner
def _descend(
    part: NDArray[Any], words: Ints, table: Floats, order: np.uint64, columns: Floats, met: Floats, carried: Floats
) -> None:
    """Make met 1 where a row meets all edges of a feature so far; fill carried, the product of factors to a split.

    To leaves nothing is carried: half of all edges, which are needed once, going up.
    """
    for q in range(order):
        carried[q] = 1.0
    for place in range(len(part)):
        split, left, right = part[place], np.uint64(2 * place + 1), np.uint64(2 * place + 2)
        if split.decision & CATEGORICAL or split.decision >> 2 == MISSING_ZERO:
            _decide(split, words, columns[split.feature], met[left])
            is_left = load(met, left)
        else:
            is_left = at_most(load(columns, split.feature), split.threshold, split.nan_left != 0)
        up, above = np.uint64(split.up), np.uint64(split.above)
        met_up = load(met, up)
        met_left = is_left * met_up
        met_right = met_up - met_left
        store(met, left, met_left)
        store(met, right, met_right)
        for q in range(order):
            product = load(carried, above * order + q)
            if up > 0:
                product = product * _inverse(table, up * order + q, met_up)
            to_left, to_right = left * order + q, right * order + q
            if not split.leaves & LEFT_LEAF:
                store(carried, to_left, product * (met_left * table[to_left, MORE] + table[to_left, OFF]))
            if not split.leaves & RIGHT_LEAF:
                store(carried, to_right, product * (met_right * table[to_right, MORE] + table[to_right, OFF]))


@inner
def _inverse(table: Floats, place: np.uint64, met: Any) -> Any:
    """1 / f of an edge."""
    off = 1.0 / table[place, OFF]
    return met * (1.0 / (table[place, OFF] + table[place, MORE]) - off) + off


@inner
def _ascend(part: NDArray[Any], table: Floats, order: np.uint64, met: Floats, carried: Floats, sums: Floats) -> None:
    """Turn carried into sums over the leaves below a split, and add what its edges contribute to their feature."""
    for place in range(len(part) - 1, -1, -1):
        split, left, right = part[place], np.uint64(2 * place + 1), np.uint64(2 * place + 2)
        up, above = np.uint64(split.up), np.uint64(split.above)
        met_up, met_left, met_right = load(met, up), load(met, left), load(met, right)
        found = load(sums, split.feature)
        for q in range(order):
            from_left, from_right = left * order + q, right * order + q
            product = load(carried, above * order + q)
            if up > 0:
                product = product * _inverse(table, up * order + q, met_up)
            if split.leaves & LEFT_LEAF:
                on_left = product * (met_left * table[from_left, MORE] + table[from_left, OFF])
            else:
                on_left = load(carried, from_left)
            if split.leaves & RIGHT_LEAF:
                on_right = product * (met_right * table[from_right, MORE] + table[from_right, OFF])
            else:
                on_right = load(carried, from_right)
            store(carried, above * order + q, on_left + on_right)
            gain_up = met_up * table[up * order + q, GAIN]
            found = found + on_left * (met_left * table[from_left, GAIN] - gain_up)
            found = found + on_right * (met_right * table[from_right, GAIN] - gain_up)
        store(sums, split.feature, found)
