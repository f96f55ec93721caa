"""The kernel that sums up what the words of a title say: import inside functions, 0.4 s.

By numpy these are twelve calls on a few hundred numbers each: 16 us for 100 people and four words, 7 so.
"""

import numpy as np
from numpy.typing import NDArray

from feature_repo.compiled import cached

Floats = NDArray[np.float64]


@cached
def sum_up(counts: Floats, rarity: Floats) -> Floats:
    """The mean share of each row's words, weighed by their rarity, 0 where all weigh nothing; and the greatest share.

    counts: by word mine, then by word others', shape (2 words or more, rows); rarity: shape (words, rows). A word is
    missing where others' is: its share is mine, and its rarity 0.
    """
    words, rows = rarity.shape
    found = np.empty((2, rows))
    for row in range(rows):
        weight, total, most = 0.0, 0.0, -np.inf
        for word in range(words):
            mine, others = counts[word, row], counts[words + word, row]
            rare = 0.0 if np.isnan(rarity[word, row]) else rarity[word, row]
            share = mine / (1.0 if np.isnan(others) else others)
            weight += rare
            total += share * rare
            most = np.maximum(most, share)  # NaN if one is
        found[0, row] = total / weight if weight > 0 else 0.0
        found[1, row] = most
    return found
