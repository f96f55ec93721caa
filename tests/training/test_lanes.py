"""Sixteen numbers as one: what each lane holds is what its own numbers give."""

import numpy as np

from feature_repo.compiled import inner
from training.shap.lanes import LINE, WIDTH, choose, load, room, spread, store

NOTHING = float("nan")


@inner
def combined(left, right, found):
    """(left - right) * left + 2; 7 where left is at most 3 and -1 where it is more or missing; and 5."""
    store(found, 0, (load(left, 0) - load(right, 0)) * load(left, 0) + 2.0)
    store(found, 1, choose(load(left, 0), 3.0, 7.0, -1.0))
    store(found, 2, spread(5.0))


def test_each_lane_holds_what_its_own_numbers_give():
    left, right, found = room(1), room(1), room(3)
    left[0, :5] = [3.0, 4.0, 0.0, NOTHING, -np.inf]
    right[0, :5] = [1.0, 6.0, 5.0, 1.0, 0.0]
    combined(left, right, found)
    assert np.array_equal(
        found[:, :6],
        [
            [8.0, -6.0, 2.0, NOTHING, np.inf, 2.0],
            [7.0, -1.0, 7.0, -1.0, 7.0, 7.0],
            [5.0, 5.0, 5.0, 5.0, 5.0, 5.0],
        ],
        equal_nan=True,
    )


def test_a_room_is_empty_and_each_of_its_rows_begins_a_line():
    found = room(3)
    assert (found.shape, found.any(), found.ctypes.data % LINE) == ((3, WIDTH), False, 0)
