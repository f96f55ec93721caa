"""The online snapshot that requests are answered from: who and what is in it, and what to ask about by default."""

import logging
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any

import polars as pl

from feature_repo.column import Column
from feature_repo.digests import check_digests
from feature_repo.entities import Entity
from feature_repo.online import OnlineSnapshot
from feature_repo.packing import SNAPSHOT
from feature_repo.reader import Given, Spine
from feature_repo.retrieval import facts, online_frame, online_table
from feature_repo.table import Table
from serving.limits import LIMITS
from training.product import Product
from training.route import Choose, Ids, Route

LOG = logging.getLogger("talentml.serving")
Known = Mapping[Entity, frozenset[str]]


@dataclass(frozen=True)
class Published:
    """One snapshot. known: the ids of each entity that some stream lists. pools: by the path of a route.

    published_at: when it was, in s since 1970. named: those all of whose names in the snapshot are known;
    two may share a key, and one of them have fewer.
    """

    home: Path
    snapshot: OnlineSnapshot
    published_at: float
    known: Known = field(default_factory=dict)
    pools: Mapping[str, Choose] = field(default_factory=dict)
    named: frozenset[Entity] = frozenset()

    @property
    def is_stale(self) -> bool:
        """Whether it should have been replaced long ago: what a model was trained on no longer looks like this."""
        return time.time() - self.published_at > LIMITS.stale_days * 86_400

    @property
    def at(self) -> datetime:
        """The instant at which the features stand."""
        return self.snapshot.at

    def facts(self, stream: str, *, first: bool = False) -> pl.LazyFrame:
        """A stream's rows, of the version that the snapshot was packed from: a publish moves two links in turn."""
        version = self.snapshot.offline_version
        return facts(self.home, stream, self.snapshot.as_of, first=first, version=version)

    def read(self, spine: pl.DataFrame, columns: Sequence[Column], given: Any = None) -> pl.DataFrame:
        """The spine with the columns' values."""
        return online_frame(self.snapshot, spine, columns, given)

    def table(self, spine: Spine, rows: int, columns: Sequence[Column], given: Given = None) -> Table:
        """As read, before anybody needs a frame."""
        return online_table(self.snapshot, spine, rows, columns, given)

    def candidates(self, path: str, subject: Ids) -> Sequence[str]:
        """What a request that names no items is answered from, the likeliest first."""
        choose = self.pools.get(path)
        return choose(subject)[: LIMITS.candidates] if choose else ()

    def knows(self, entity: Entity, name: str) -> bool:
        """Whether the entity was listed when the snapshot was made."""
        known = self.known.get(entity)  # one look: an entity's hash takes .5 us
        return known is None or name in known


def opened(home: Path, products: Sequence[Product]) -> Published:
    """What is published now, checked and read once, with all that the products' routes need to know of it.

    Read, as it is mapped into memory and a request must not wait for a disk: 10 MB take 23 ms, from the disk 56.
    """
    snapshot = OnlineSnapshot.open(home)
    check_digests(snapshot.folder)
    plain = Published(home, snapshot, (snapshot.folder / SNAPSHOT).stat().st_mtime)
    entities = {entity for product in products for entity in product.entities if entity.listed}
    known = {entity: _ids(plain, entity) for entity in entities}
    names = {entity.key: snapshot.names[entity.key].texts for entity in known if entity.key in snapshot.names}
    named = frozenset(entity for entity, ids in known.items() if ids.issuperset(names.get(entity.key, [None])))
    pools: dict[str, Choose] = {}
    # Pools may ask each other, so they share what is being made.
    whole = replace(plain, known=known, pools=pools, named=named)
    routes = [route for product in products for route in product.routes]
    pools.update((route.path, _pool(whole, route)) for route in routes if route.pool)
    return whole


def _ids(published: Published, entity: Entity) -> frozenset[str]:
    listed = (published.facts(stream).select(pl.col(key)).collect().to_series() for stream, key in entity.listed)
    return frozenset().union(*listed)


def _pool(published: Published, route: Route) -> Choose:
    """A pool that cannot be made is empty: the other routes answer all the same."""
    assert route.pool is not None
    try:
        return route.pool(published)
    except Exception:
        LOG.exception("%s: no pool of items", route.path)
        return lambda _: ()
