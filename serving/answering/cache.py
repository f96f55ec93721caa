"""Answers that were given in the last hour, to be given again to the same question while nothing has changed.

In the worker's memory, not in Redis: an answer of 100 rows is found in 0.01 ms here, a Redis on the same machine takes
longer to ask than the answer takes to make, and would be one more server that can be down.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from operator import attrgetter, is_
from typing import NamedTuple

from cachetools import LRUCache
from pydantic import BaseModel
from pydantic_core import to_json

from serving.answering.bodies import Body
from serving.answering.messages import Rows
from serving.limits import LIMITS, Limits

HEAD_BYTES = 2_000
"""Memory of what an answer begins with, and of its key."""
Key = tuple[str, bytes, str | None]
Basis = Sequence[object]
"""What an answer was made from: the champions, the snapshot. Compared by identity: each is replaced, never changed."""


@dataclass(frozen=True)
class Kept:
    """An answer, and the features of its rows as the prediction log's messages hold them: half as large as the table.

    The table itself goes, and the next one is made in its memory, which the processor still has at hand.
    """

    body: Body
    rows: Rows

    @property
    def size(self) -> int:
        """About how many bytes of memory it holds."""
        return HEAD_BYTES + len(self.body.rest) + self.rows.size


def key(path: str, request: BaseModel, arm: str | None = None) -> Key:
    """Of a question: the route's path, the hash of the parsed request with its defaults, the experiment's arm."""
    return path, sha256(to_json(request)).digest(), arm


class _Entry(NamedTuple):
    """size: the bytes that it counts for; until: an instant of time.monotonic()."""

    kept: Kept
    size: int
    until: float


def _empty(limits: Limits) -> "LRUCache[Key, _Entry]":
    # not cachetools' TTLCache, which takes as long again: what has had its time goes when room is needed, like all else
    return LRUCache(limits.cache_bytes, getsizeof=attrgetter("size"))


@dataclass
class Cache:
    """Of one worker; for its event loop's thread only. The least recently used goes first where room is needed.

    An answer of another basis than the newest is neither found nor kept: a promotion, a rollback or a new snapshot
    empties the cache, and the models that its answers were made from can go.
    """

    limits: Limits = LIMITS
    basis: Basis = ()
    _kept: "LRUCache[Key, _Entry]" = field(init=False)

    def __post_init__(self) -> None:
        self._kept = _empty(self.limits)

    def find(self, wanted: Key, basis: Basis) -> Kept | None:
        """The answer to a question that is asked on this basis; None where there is none."""
        if not self._is_current(basis):
            self.basis, self._kept = tuple(basis), _empty(self.limits)
        found = self._kept.get(wanted)
        return found.kept if found and time.monotonic() < found.until else None

    def keep(self, asked: Key, kept: Kept, basis: Basis) -> None:
        """Keep an answer for an hour, unless the basis was replaced meanwhile or it is larger than the whole cache.

        Each counts for its share of the bytes at least, which bounds the number of entries too.
        """
        size = max(kept.size, self.limits.cache_bytes // self.limits.cache_entries)
        if self._is_current(basis) and size <= self.limits.cache_bytes:
            self._kept[asked] = _Entry(kept, size, time.monotonic() + self.limits.cache_seconds)

    def __len__(self) -> int:
        return len(self._kept)

    @property
    def bytes(self) -> int:
        """What its entries count for."""
        return int(self._kept.currsize)

    def _is_current(self, basis: Basis) -> bool:
        return len(self.basis) == len(basis) and all(map(is_, self.basis, basis))
