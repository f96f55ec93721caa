"""Which items a request that names none is answered from: the first of two stages, the model being the second."""

from collections.abc import Callable, Sequence

import numpy as np
import polars as pl
from numpy.typing import NDArray

from feature_repo.column import Column
from feature_repo.entities import Entity
from feature_repo.neighbours import Neighbours
from training.route import Choose, Ids, Pool, Published

MOST = 300
"""So many items are ranked, the nearest first; where there are no more, all of them are."""

Among = Callable[[Published], pl.Series]


def nearest(among: Among, items: Entity, vector: Column, asked: Column) -> Pool:
    """The items whose vectors are nearest to the subject's.

    among: the ids of all items that come into question, the best first where nothing is known of the subject. vector:
    of an item; asked: of the subject, which is the other entity of the product.
    """

    def pool(published: Published) -> Choose:
        ids = among(published)
        found = published.read(pl.DataFrame({items.key: ids}), [vector]).drop_nulls(vector.qualified)
        index = Neighbours.build(found[items.key].to_numpy(), _matrix(found[vector.qualified]))
        first: list[str] = ids.head(MOST).to_list()
        if found.height:  # the first search of a process compiles for most of a second: now, not in a request
            index.search(found[vector.qualified][0].to_numpy(), 1)

        def choose(subject: Ids) -> Sequence[str]:
            [query] = published.read(pl.DataFrame(dict(subject)), [asked])[asked.qualified]
            if query is None or not found.height:
                return first
            near: list[str] = index.search(query.to_numpy(), MOST).keys[0].tolist()
            return near if len(near) == MOST else [*dict.fromkeys([*near, *first])][:MOST]

        return choose

    return pool


def _matrix(vectors: pl.Series) -> NDArray[np.float32]:
    if not len(vectors):
        return np.empty((0, 1), np.float32)
    return vectors.explode().to_numpy().astype(np.float32).reshape(len(vectors), -1)
