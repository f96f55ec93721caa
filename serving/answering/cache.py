"""Answers that were given in the last hour, to be given again to the same question while nothing has changed.

In the worker's memory, not in Redis: an answer of 100 rows is found in 0.01 ms here, a Redis on the same machine takes
longer to ask than the answer takes to make, and would be one more server that can be down.
"""

import time
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field
from operator import is_
from typing import NamedTuple

import orjson
from pydantic import BaseModel

from serving.answering.bodies import Said
from serving.answering.messages import Rows
from serving.limits import LIMITS, Limits

HEAD_BYTES = 2_000
"""Memory of what an answer begins with."""
Key = tuple[str, bytes, str | None]
"""The route's path, the parsed request with its defaults as JSON, the experiment's arm."""
Basis = Sequence[object]
"""What an answer was made from: the champions, the snapshot. Compared by identity: each is replaced, never changed."""


class Kept(NamedTuple):
    """An answer, and the features of its rows as the prediction log's messages hold them: half as large as the table.

    The table itself goes, and the next one is made in its memory, which the processor still has at hand.
    """

    said: Said
    rows: Rows

    @property
    def size(self) -> int:
        """About how many bytes of memory it holds."""
        return HEAD_BYTES + self.said.size + self.rows.size


def key(path: str, request: BaseModel, arm: str | None = None) -> Key:
    """Of a question. No digest: that took twice as long, and ids are a fiftieth of an answer with its features."""
    return path, orjson.dumps(vars(request), default=vars), arm


class _Entry(NamedTuple):
    """size: the bytes that it counts for; until: an instant of time.monotonic()."""

    kept: Kept
    size: int
    until: float


@dataclass
class Cache:
    """Of one worker; for its event loop's thread only. The least recently used goes first where room is needed.

    What has had its time goes then too, or when it is asked for: with cachetools an answer took 8 us more to keep.
    An answer of another basis than the newest is neither found nor kept: a promotion, a rollback or a new snapshot
    empties the cache, and the models that its answers were made from can go.
    """

    limits: Limits = LIMITS
    basis: Basis = ()
    bytes: int = 0
    """What its entries count for."""
    _kept: OrderedDict[Key, _Entry] = field(default_factory=OrderedDict)

    def find(self, wanted: Key, basis: Basis) -> Kept | None:
        """The answer to a question that is asked on this basis; None where there is none."""
        if not self._is_current(basis):
            self.basis, self.bytes, self._kept = tuple(basis), 0, OrderedDict()
        found = self._kept.get(wanted)
        if found is None:
            return None
        if time.monotonic() >= found.until:
            self._drop(wanted)
            return None
        self._kept.move_to_end(wanted)
        return found.kept

    def keep(self, asked: Key, kept: Kept, basis: Basis) -> None:
        """Keep an answer for an hour, unless the basis was replaced meanwhile or it is larger than the whole cache.

        Each counts for its share of the bytes at least, which bounds the number of entries too.
        """
        size = max(kept.size + len(asked[1]), self.limits.cache_bytes // self.limits.cache_entries)
        if not self._is_current(basis) or size > self.limits.cache_bytes:
            return
        if asked in self._kept:
            self._drop(asked)
        while self.bytes + size > self.limits.cache_bytes:
            self._drop(next(iter(self._kept)))
        self.bytes += size
        self._kept[asked] = _Entry(kept, size, time.monotonic() + self.limits.cache_seconds)

    def _drop(self, one: Key) -> None:
        self.bytes -= self._kept.pop(one).size

    def __len__(self) -> int:
        return len(self._kept)

    def _is_current(self, basis: Basis) -> bool:
        return len(self.basis) == len(basis) and all(map(is_, self.basis, basis))
