"""A kernel that finds the largest contributions of rows, compiled by numba: import inside functions, 0.4 s.

Of 10 rows x 71 columns the first five take 2 us, by sorting all with numpy 12.
"""

import numpy as np
from numpy.typing import NDArray

from feature_repo.compiled import cached

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@cached
def strongest(values: Floats, places: Ints, amounts: Floats) -> bool:
    """Fill in each row's largest values, whatever their sign, largest first, and of equals the first; and their places.

    values: shape (rows, columns); places, amounts: shape (rows, as many as are wanted), zeros. Values of 0 are left
    out. False where a value is not finite; then what is filled in means nothing.
    """
    wanted = places.shape[1]
    for row in range(len(values)):
        for column in range(values.shape[1]):
            value = values[row, column]
            if not np.isfinite(value):
                return False
            rank = wanted
            while rank > 0 and abs(value) > abs(amounts[row, rank - 1]):
                rank -= 1
                if rank + 1 < wanted:
                    places[row, rank + 1], amounts[row, rank + 1] = places[row, rank], amounts[row, rank]
            if rank < wanted:
                places[row, rank], amounts[row, rank] = column, value
    return True
