"""How the splits of trees read their columns: so prepared, each is one comparison, `value <= threshold`.

What is missing goes where a split wants it to go, as it reads as less than all thresholds or as NaN, and of categories
0 stands for those that go left. Prepared once for all splits that read a column alike.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from training.shap.forest import CATEGORICAL, DEFAULT_LEFT, MISSING_NONE, MISSING_ZERO, Floats, Ints

READ = np.dtype([(name, np.int64) for name in ("feature", "kind", "first_word", "last_word")])
"""Each set of categories reads its column in its own way. Words: see forest.py."""
WHOLE, ZERO_LEFT, ZERO_RIGHT, NAN_LEFT, NAN_RIGHT, CATEGORY = range(6)
"""What a split takes for missing and where that goes: nothing, as it reads NaN as 0; zeros and NaN; or NaN alone."""


def reads(splits: NDArray[Any]) -> tuple[NDArray[Any], Ints]:
    """The ways in which nodes that are splits read, each once, and the place of each node's among them."""
    decision = splits["decision"]
    is_left, missing, is_category = decision & DEFAULT_LEFT > 0, decision >> 2, decision & CATEGORICAL > 0
    zero, nan = np.where(is_left, ZERO_LEFT, ZERO_RIGHT), np.where(is_left, NAN_LEFT, NAN_RIGHT)
    kind = np.select([missing == MISSING_NONE, missing == MISSING_ZERO], [WHOLE, zero], nan)
    found = np.zeros(len(splits), READ)
    found["feature"], found["kind"] = splits["feature"], np.where(is_category, CATEGORY, kind)
    for name in ("first_word", "last_word"):
        found[name] = np.where(is_category, splits[name], 0)
    return _distinct(found)


def thresholds(splits: NDArray[Any]) -> Floats:
    """What is compared with what they read."""
    found: Floats = np.where(splits["decision"] & CATEGORICAL > 0, 0.0, splits["threshold"])
    return found


def _distinct(reads: NDArray[Any]) -> tuple[NDArray[Any], Ints]:
    """As np.unique with its inverse, which compares records one by one: 0.13 ms for 2,800 splits, not 2."""
    order = np.lexsort([reads[name] for name in ("last_word", "first_word", "kind", "feature")])
    ordered = reads[order]
    is_new = np.append(True, ordered[1:] != ordered[:-1])[: len(reads)]
    place = np.empty(len(reads), np.int64)
    place[order] = np.cumsum(is_new) - 1
    return ordered[is_new], place
