"""Who asks has a processor of its own, servers have the others: callers are on other machines.

Left to the system wrk at times stood behind a process of the server's own that writes its log: the 99th percentile over
one connection was 2.1 to 3.5 ms, and 1.3 to 2.0 with wrk apart.
"""

import os
from collections.abc import Iterable

FEWEST = 3
"""Processors; with fewer nobody has one of its own."""


def for_servers() -> list[str]:
    """What a server's command begins with."""
    return _only(sorted(os.sched_getaffinity(0))[:-1])


def for_load() -> list[str]:
    """What the command of whoever asks begins with."""
    return _only(sorted(os.sched_getaffinity(0))[-1:])


def _only(processors: Iterable[int]) -> list[str]:
    if len(os.sched_getaffinity(0)) < FEWEST:
        return []
    return ["taskset", "--cpu-list", ",".join(map(str, processors))]
