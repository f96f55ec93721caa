"""Whether the service stays calm: ten minutes at 70% of what it can answer, while its model is replaced twenty times.

The home holds a synthetic world and two models of task_assignment fitted on it with different seeds, which are promoted
in turn. What the service with one worker can answer is measured first (wrk, 8 connections). Then questions come at a
fixed rate, each is asked once, and each is about 100 candidates, of whom the best 10 are explained. A swap lasts from
the promotion until the service says that it serves the version, and a second longer.
Ends with status 1 where a request failed, memory grew, or swaps are felt.

    python bench/soak.py [--minutes 10] [--swaps 20] [--share 0.7] [--people 300]
"""

import argparse
import os
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bench import service
from bench.aims import Aims
from bench.home import fitted, promote, published, saved
from bench.load import Load, Question, load_of
from bench.pace import pace
from bench.service import Server
from feature_repo.seed import synthetic
from feature_repo.settings import Settings
from serving.versions import champions
from serving.versions.champions import Promoted
from training.fit import fit_candidate
from training.products import PRODUCTS

NAME = "task_assignment"
QUESTION = Question(10, explain=True)
PARTS = 10
"""Of the time: memory in the last one is compared with that in the second one."""
MOST_GROWTH, MOST_TIMES = 0.05, 2.0
SECONDS_TO_SERVE, AFTERWARDS = 5.0, 1.0
Swap = tuple[float, float]
"""From when to when, by time.monotonic."""


def versions(settings: Settings, count: int) -> list[Promoted]:
    """So many versions: two models, in turn."""
    one = fitted(settings, [NAME])[NAME]
    other = fit_candidate(PRODUCTS[NAME], settings.root, synthetic.UNTIL, seed=43)
    return [saved(settings, (one, other)[number % 2], number + 1) for number in range(count)]


def capacity(server: Server, load: Load, seconds: float) -> float:
    """Answers a second over 8 connections, the median of three runs after one to warm up."""
    runs = [load.put(server.url, QUESTION, 8, seconds, seed) for seed in range(4)]
    return statistics.median(run.per_second for run in runs[1:])


def swapped(settings: Settings, server: Server, version: Promoted) -> Swap:
    """Promote, and wait until it serves. The follower may write across ours: then it is said again."""
    begun = said = time.monotonic()
    promote(settings, **{NAME: version})
    while _wanted(settings) != version.number or not service.serves(server.url, settings):
        if time.monotonic() - said > SECONDS_TO_SERVE:
            said = time.monotonic()
            promote(settings, **{NAME: version})
        time.sleep(0.1)
    return begun, time.monotonic() + AFTERWARDS


def _wanted(settings: Settings) -> int:
    return champions.read(settings.root).wanted[NAME].number


@contextmanager
def watched(memory: Callable[[], int]) -> Iterator[list[tuple[float, int]]]:
    """What is held each second, with the time, until the end of the block."""
    found: list[tuple[float, int]] = []
    over = threading.Event()

    def watch() -> None:
        while not over.wait(1):
            found.append((time.monotonic(), memory()))

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        yield found
    finally:
        over.set()
        watcher.join()


def swap_on_time(
    settings: Settings, server: Server, wanted: Sequence[Promoted], begin: float, seconds: float
) -> list[Swap]:
    """The versions, one after the other, evenly over the time."""
    found = []
    for place, version in enumerate(wanted):
        time.sleep(max(0.0, begin + (place + 0.5) * seconds / len(wanted) - time.monotonic()))
        found.append(swapped(settings, server, version))
    return found


def report(answers: NDArray[np.void], swaps: Sequence[Swap], held: NDArray[np.float64], aims: Aims) -> None:
    """held: bytes at evenly spaced times, shape (times,)."""
    ms = 1e3 * answers["seconds"]
    in_swap = np.any([(answers["due"] >= begin) & (answers["due"] <= end) for begin, end in swaps], axis=0)
    print(f"{'':<20}{'answers':>9}{'p50 ms':>9}{'p99 ms':>9}{'most ms':>9}")
    for name, rows in {"between swaps": ~in_swap, "during swaps": in_swap}.items():
        p50, p99, most = np.percentile(ms[rows], [50, 99, 100])
        print(f"{name:<20}{rows.sum():>9,}{p50:>9.1f}{p99:>9.1f}{most:>9.1f}")
    parts = [part.mean() / 1e6 for part in np.array_split(held, PARTS)]
    print(f"MB held, per tenth of the time: {' '.join(f'{part:.0f}' for part in parts)}\n")
    aims.at_most("failed requests", float((~answers["is_good"]).sum()), 0)
    aims.at_most("memory: last minute beside the second, relative", abs(parts[-1] / parts[1] - 1), MOST_GROWTH)
    times = np.percentile(ms[in_swap], 99) / np.percentile(ms[~in_swap], 99)
    aims.at_most("p99 during swaps: times that between them", float(times), MOST_TIMES)


def run(settings: Settings, minutes: float, swaps: int, share: float) -> int:
    """Start the service, load it, swap; 1 where an aim is missed."""
    first, *others = versions(settings, swaps + 1)
    promote(settings, **{NAME: first})
    load, seconds, aims = load_of(settings), 60 * minutes, Aims()
    with service.ours(settings) as server:
        most = capacity(server, load, 5)
        print(f"{most:.0f} answers/s at most, load average {os.getloadavg()[0]:.1f}; asked for {share * most:.0f}/s")
        print(f"for {minutes:g} minutes, with {swaps} swaps\n", flush=True)
        asking = pace(load, server.url, QUESTION, share * most, seconds, settings.root / "answers.npy")
        process = asking.start()
        with watched(lambda: server.memory) as held:
            found = swap_on_time(settings, server, others, asking.begin, seconds)
            process.wait(seconds + 60)
    within = [memory for at, memory in held if asking.begin <= at <= asking.begin + seconds]
    report(asking.answers(), found, np.array(within, np.float64), aims)
    print(f"\nload average {os.getloadavg()[0]:.1f} after")
    return aims.status()


def main() -> int:
    """Make the home, and soak it."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--swaps", type=int, default=20)
    parser.add_argument("--share", type=float, default=0.7)
    parser.add_argument("--people", type=int, default=300)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        return run(published(Path(folder), given.people), given.minutes, given.swaps, given.share)


if __name__ == "__main__":
    sys.exit(main())
