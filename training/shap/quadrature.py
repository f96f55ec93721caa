"""Kernels of exact TreeSHAP by Gauss-Radau quadrature, compiled by numba: import inside functions, 0.4 s.

For a leaf of value v whose path holds D distinct features, with z_j the product of the cover ratios of feature j's
edges and o_j 1 where a row meets them all, else 0:

    phi_j += (o_j - z_j) * integral over t in [0, 1] of  v * product over i != j of  f_i,   f_i = z_i + t (o_i - z_i)

Under the integral is a polynomial of degree D - 1. At t = 0 it depends on no row; D // 2 further points are exact.

At each point a split has a reach, the product of f over the features above it, which is carried down the tree; and a
worth, the sum over the leaves below of v and the factors between, which is carried up. Its two edges share the reach:
with f_up of the latest earlier edge of its feature (1 where there is none) the left one's part is g = f / f_up, the
right one's 1 - g. So with gap, the left side's worth less the right side's, worth = right + g gap; and the split adds

    integral of  reach / f_up * gap * ((o - z of the left edge) - g (o - z of the earlier edge))

to its feature: the earlier edge gave what the second part takes back, and without one it is 0.

Source: Lundberg et al. 2020 for the values; Yu et al. 2022, Linear TreeSHAP, for what is carried.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from feature_repo.compiled import cached, inner
from training.shap.forest import Floats, Ints
from training.shap.kernels import inlined, prepare
from training.shap.lanes import WIDTH, choose, load, room, spread, store

OFF, MORE, ONE = np.uint64(0), np.uint64(1), np.uint64(1)
"""1 / f of an earlier edge where a row does not meet it, and what it has more where a row does."""


@cached
def measure(nodes: NDArray[Any], first: Ints, splits: NDArray[Any], trees: NDArray[Any], distinct: Ints) -> None:
    """Fill in what splits are told of the tree: sides, values, shares, earlier edges, and what t = 0 gives.

    See treeshap.SPLIT; still lacks the weight of t = 0. distinct: the most features on a path of each tree.
    """
    for tree in range(len(trees)):
        part, own = nodes[first[tree] : first[tree + 1]], splits[trees[tree].first : trees[tree].last]
        above, depth, share = np.zeros(len(part), np.int64), np.zeros(len(part), np.int64), np.ones(len(part))
        for place in range(len(own)):
            node, split = part[place], own[place]
            up = above[place]
            while up != 0 and part[abs(up) - 1].feature != node.feature:
                up = above[abs(up) - 1]
            earlier = part[abs(up) - 1]
            split.up, split.share_up = up, 1.0
            if up != 0:
                split.share_up = share[earlier.left if up > 0 else earlier.right]
            for edge, child in ((place + 1, node.left), (-place - 1, node.right)):
                above[child], depth[child] = edge, depth[place] + (up == 0)
                share[child] = split.share_up * part[child].count / node.count
            split.share = share[node.left]
        distinct[tree] = depth.max()
        _weigh(part, own)


@inner
def _weigh(part: NDArray[Any], own: NDArray[Any]) -> None:
    """At t = 0 all factors are shares: a split's reach that of the rows above it, a side's worth the mean of these."""
    means = part["value"].copy()
    for place in range(len(own) - 1, -1, -1):
        node, split = part[place], own[place]
        left, right = part[node.left], part[node.right]
        if node.left < len(own):
            split.left = node.left + 1
        else:
            split.left_value = left.value
        if node.right < len(own):
            split.right = node.right + 1
        else:
            split.right_value = right.value
        split.still = node.count / part[0].count / split.share_up * (means[node.left] - means[node.right])
        means[place] = (means[node.left] * left.count + means[node.right] * right.count) / node.count


@cached
def add_contributions(
    splits: NDArray[Any],
    trees: NDArray[Any],
    reads: NDArray[Any],
    words: Ints,
    points: Floats,
    inverses: Floats,
    columns: Floats,
    places: Ints,
    found: Floats,
) -> None:
    """Add each column's contribution over the trees to what is found, WIDTH rows at a time.

    points: and their weights, of 0 to the most that a tree has, see points.py. inverses: of earlier edges, a point
    each. columns: shape (slots, rows); places: the slot of each feature; found: (rows, classes, features + 1).
    """
    widest, most = np.max(trees["last"] - trees["first"]) + 1, points.shape[2]  # one place is of leaves
    prepared, sums = room(len(reads)), room(found.shape[1] * len(reads))
    away, away_up = room(widest), room(widest)
    reach, worth, inverse = room(widest * most), room(widest * most), room(widest * most)
    for begin in range(0, columns.shape[1], WIDTH):
        rows = min(WIDTH, columns.shape[1] - begin)
        for place in range(len(reads)):  # lanes without a row hold what was there before
            read = reads[place]
            prepare(columns, places[read.feature], begin, rows, read, words, prepared[place])
        sums[:] = 0.0
        for tree in trees:
            first_sum = np.uint64(tree.target * len(reads))
            _descend(splits, tree, points, inverses, prepared, away, away_up, reach, inverse)
            _ascend(splits, tree, points, first_sum, away, away_up, reach, inverse, worth, sums)
        for kind in range(found.shape[1]):
            for place in range(len(reads)):
                feature = reads[place].feature
                for lane in range(rows):
                    found[begin + lane, kind, feature] += sums[kind * len(reads) + place, lane]


# Places are unsigned: where one may be negative, each use of it is checked for that first. Splits count from 1.
@inlined
def _descend(
    splits: NDArray[Any],
    tree: Any,
    points: Floats,
    inverses: Floats,
    prepared: Floats,
    away: Floats,
    away_up: Floats,
    reach: Floats,
    inverse: Floats,
) -> None:
    """Fill in how far o is from z for the left edge of each split and for the earlier one, and the reaches."""
    order, before = np.uint64(tree.order), np.uint64(tree.first) - ONE
    for q in range(order):
        store(reach, order + q, spread(points[1, order, q]))
    for place in range(np.uint64(tree.first), np.uint64(tree.last)):
        split, at = splits[place], place - before
        left, right, share = np.uint64(split.left), np.uint64(split.right), split.share
        if split.up == 0:
            apart = choose(load(prepared, np.uint64(split.column)), split.threshold, 1.0 - share, -share)
            store(away, at, apart)
            for q in range(order):
                reached = load(reach, at * order + q)
                to_left = reached * (apart * points[0, order, q] + share)
                store(reach, left * order + q, to_left)
                store(reach, right * order + q, reached - to_left)
            continue
        up = np.uint64(abs(split.up))
        apart_up = load(away, up)
        if split.up < 0:
            apart_up = spread(0.0) - apart_up
            if splits[before + up].up != 0:
                apart_up = apart_up + load(away_up, up)
        met_up = apart_up + split.share_up
        apart = choose(load(prepared, np.uint64(split.column)), split.threshold, 1.0, 0.0) * met_up - share
        store(away_up, at, apart_up)
        store(away, at, apart)
        for q in range(order):
            reached, table = load(reach, at * order + q), inverses[np.uint64(split.inverse) + q]
            over_up = met_up * table[MORE] + table[OFF]
            store(inverse, at * order + q, over_up)
            to_left = reached * over_up * (apart * points[0, order, q] + share)
            store(reach, left * order + q, to_left)
            store(reach, right * order + q, reached - to_left)


@inlined
def _ascend(
    splits: NDArray[Any],
    tree: Any,
    points: Floats,
    first_sum: np.uint64,
    away: Floats,
    away_up: Floats,
    reach: Floats,
    inverse: Floats,
    worth: Floats,
    sums: Floats,
) -> None:
    """Fill in the worths, and add what each split contributes to its column. Below a leaf, 0, they are zeros."""
    order, last = np.uint64(tree.order), np.uint64(tree.last)
    for back in range(last - np.uint64(tree.first)):
        split, at = splits[last - ONE - back], last - np.uint64(tree.first) - back
        left, right, column = np.uint64(split.left), np.uint64(split.right), first_sum + np.uint64(split.column)
        share, apart, total = split.share, load(away, at), spread(split.still)
        if split.up == 0:
            for q in range(order):
                low = load(worth, right * order + q) + split.right_value
                gap = load(worth, left * order + q) + split.left_value - low
                store(worth, at * order + q, gap * (apart * points[0, order, q] + share) + low)
                total = load(reach, at * order + q) * gap + total
            store(sums, column, apart * total + load(sums, column))
            continue
        given = spread(split.still * share / split.share_up)
        for q in range(order):
            over_up = load(inverse, at * order + q)
            low = load(worth, right * order + q) + split.right_value
            gap = load(worth, left * order + q) + split.left_value - low
            step = gap * ((apart * points[0, order, q] + share) * over_up)
            store(worth, at * order + q, step + low)
            weighed = load(reach, at * order + q) * over_up
            total = weighed * gap + total
            given = weighed * step + given
        store(sums, column, apart * total - load(away_up, at) * given + load(sums, column))
