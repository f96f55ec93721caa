"""The kernel that sums up what the words of a title say: import inside functions, 0.4 s.

By numpy these are twelve calls on a few hundred numbers each: 16 us for 100 people and four words, 7 so.
"""

import numpy as np
from numpy.typing import NDArray

from feature_repo.compiled import cached

Floats = NDArray[np.float64]


@cached
def sum_up(mine: Floats, others: Floats, rarity: Floats, mean: Floats, best: Floats) -> None:
    """The mean share of each row's words, weighed by their rarity, 0 where all weigh nothing; and the greatest share.

    mine, others, rarity: shape (words, rows). A word is missing where others is: its share is mine, and its rarity 0.
    """
    for row in range(len(mean)):
        weight, total, most = 0.0, 0.0, -np.inf
        for word in range(len(mine)):
            rare = 0.0 if np.isnan(rarity[word, row]) else rarity[word, row]
            share = mine[word, row] / (1.0 if np.isnan(others[word, row]) else others[word, row])
            weight += rare
            total += share * rare
            most = np.maximum(most, share)  # NaN if one is
        mean[row] = total / weight if weight > 0 else 0.0
        best[row] = most
