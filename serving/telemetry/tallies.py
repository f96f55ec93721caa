"""Numbers that change with every answer: kept in memory, and put where other workers see them now and then.

prometheus_client shares numbers through files. Each change takes a lock, asks for the process id and packs two doubles
into a map, and a histogram looks for the bucket: 1 to 3 us where all of it is in the processor's caches, twice that
between answers, ten times an answer. A change here takes .2 us.
"""

from bisect import bisect_right
from collections.abc import Callable, Sequence
from functools import cache
from itertools import pairwise
from typing import Generic, Protocol, TypeVar

from prometheus_client import Counter, Gauge, Histogram


class Tally(Protocol):
    """What was not shared yet."""

    def share(self) -> None:
        """Put it where others see it."""


Each = TypeVar("Each", bound=Tally)


class Family(Generic[Each]):
    """Tallies by their labels, found in .1 us: prometheus_client's `labels` takes 1.3."""

    def __init__(self, tally: Callable[..., Each]) -> None:
        self._tally = tally
        self._all: list[Each] = []
        self.labels: Callable[..., Each] = cache(self._added)

    def _added(self, *labels: str) -> Each:
        self._all.append(found := self._tally(*labels))
        return found

    def share(self) -> None:
        """Put all of them where others see them."""
        for each in self._all[:]:
            each.share()


class Noted:
    """Numbers that were noted and not shared yet.

    They wait in a list, in which threads need no lock: to add them up at once, behind one, took five times as long
    between answers.
    """

    def __init__(self) -> None:
        self.waiting: list[float] = []
        self._note = self.waiting.append

    def _taken(self) -> list[float]:
        """All that wait, which wait no more; others may note more meanwhile. For one thread at a time."""
        taken = self.waiting[:]
        del self.waiting[: len(taken)]
        return taken


class Count(Noted):
    """What a counter is to grow by."""

    def __init__(self, counter: Counter) -> None:
        super().__init__()
        self._counter = counter

    def inc(self, amount: float = 1.0) -> None:
        """Count so many more."""
        self._note(amount)

    def share(self) -> None:
        """Let the counter grow."""
        if more := sum(self._taken()):
            self._counter.inc(more)


class Level:
    """What a gauge is to say."""

    def __init__(self, gauge: Gauge) -> None:
        self._gauge, self._shared = gauge, 0.0
        self._now = 0.0

    def set(self, value: float) -> None:
        """Say something else from now on."""
        self._now = value

    def share(self) -> None:
        """Let the gauge say it."""
        if (now := self._now) != self._shared:
            self._gauge.set(now)
            self._shared = now


class Seconds(Histogram):
    """A histogram that takes many observations at once, for which prometheus_client has no way."""

    def add(self, counts: Sequence[int], total: float) -> None:
        """counts: by bucket, the last that above all bounds; total: the sum of what was observed."""
        self._sum.inc(total)
        for bucket, count in zip(self._buckets, counts, strict=True):
            if count:
                bucket.inc(count)


class Spread(Noted):
    """What a histogram is to grow by."""

    def __init__(self, histogram: Seconds, bounds: Sequence[float]) -> None:
        super().__init__()
        self._histogram, self._bounds = histogram, bounds
        self.observe: Callable[[float], None] = self._note  # of seconds

    def share(self) -> None:
        """Let the histogram grow: each observation counts in the first bucket whose bound is no less."""
        if observed := sorted(self._taken()):
            up_to = [0, *(bisect_right(observed, bound) for bound in self._bounds), len(observed)]
            self._histogram.add([end - begin for begin, end in pairwise(up_to)], sum(observed))
