"""Questions at a fixed rate, whatever the answers take, in a process of its own: the load of bench/soak.py.

A question that is due while all connections wait for answers is asked late, and its time counts from when it was due.

    python bench/pace.py '{"url": ..., "token": ..., ...}'    the fields of Pace; prints where the answers are
"""

import asyncio
import itertools
import json
import random
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from urllib.parse import urlsplit

import numpy as np
from numpy.typing import NDArray

from bench import processors
from bench.load import CANDIDATES, Load, Question
from bench.ranker import PATH

ANSWERED = np.dtype([("due", np.float64), ("seconds", np.float64), ("is_good", np.bool_)])
"""An answer. due: by time.monotonic, which all processes share. is_good: it has status 200 and comes from a model."""
CONNECTIONS = 16
"""Fewer than a worker works on at once: nobody is turned away while others wait."""
NEXT_LINE, END = b"\r\n", b"\r\n\r\n"


@dataclass(frozen=True)
class Pace:
    """per_second: questions. begin: when the first one is due (time.monotonic). into: the file for the answers."""

    url: str
    token: str
    people: str
    tasks: str
    limit: int
    explain: bool
    per_second: float
    begin: float
    seconds: float
    into: str

    def start(self) -> "subprocess.Popen[bytes]":
        """A process that asks."""
        return subprocess.Popen([*processors.for_load(), sys.executable, __file__, json.dumps(asdict(self))])

    def answers(self) -> NDArray[np.void]:
        """What it found."""
        found: NDArray[np.void] = np.load(self.into)
        return found


def pace(load: Load, url: str, question: Question, per_second: float, seconds: float, into: Path) -> Pace:
    """Begins in three seconds: a process takes one to start."""
    people, tasks = str(load.people), str(load.tasks)
    return Pace(
        url, load.token, people, tasks, **asdict(question), per_second=per_second, begin=time.monotonic() + 3,
        seconds=seconds, into=str(into),
    )  # fmt: skip


def requests(wanted: Pace) -> Iterator[bytes]:
    """Different ones, for ever."""
    people, tasks = (Path(path).read_text().splitlines() for path in (wanted.people, wanted.tasks))
    chance = random.Random(wanted.begin)
    given = {"limit": wanted.limit, "explain": wanted.explain}
    head = f"POST {PATH} HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer {wanted.token}\r\n"
    while True:
        body = json.dumps({"task_id": chance.choice(tasks), "candidates": chance.sample(people, CANDIDATES), **given})
        yield f"{head}Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n{body}".encode()


class Connection:
    """One connection, made anew where it broke."""

    def __init__(self, url: str) -> None:
        self._place = urlsplit(url)
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def ask(self, request: bytes) -> bool:
        """Whether the answer is a good one."""
        try:
            if self._streams is None:
                self._streams = await asyncio.open_connection(self._place.hostname, self._place.port)
            reader, writer = self._streams
            writer.write(request)
            head = await reader.readuntil(END)
            body = await reader.readexactly(_length(head))
        except (OSError, asyncio.IncompleteReadError) as error:
            print(f"{error!r}", file=sys.stderr)
            self._streams = None
            return False
        is_good = head.split(NEXT_LINE)[0].split()[1] == b"200" and b'"source":"model"' in body
        if not is_good:
            print(head.split(NEXT_LINE)[0], body[:300], file=sys.stderr)
        return is_good


def _length(head: bytes) -> int:
    lines = (line.partition(b":") for line in head.split(NEXT_LINE))
    return next(int(value) for name, _, value in lines if name.lower() == b"content-length")


async def asked(wanted: Pace) -> list[tuple[float, float, bool]]:
    """Ask until the time is over."""
    count = int(wanted.seconds * wanted.per_second)
    turns = zip(itertools.islice(itertools.count(), count), requests(wanted), strict=False)
    found: list[tuple[float, float, bool]] = []

    async def keep_asking() -> None:
        connection = Connection(wanted.url)
        for turn, request in turns:
            due = wanted.begin + turn / wanted.per_second
            await asyncio.sleep(due - time.monotonic())
            is_good = await connection.ask(request)
            found.append((due, time.monotonic() - due, is_good))

    await asyncio.gather(*(keep_asking() for _ in range(CONNECTIONS)))
    return found


if __name__ == "__main__":
    given = Pace(**json.loads(sys.argv[1]))
    np.save(given.into, np.array(asyncio.run(asked(given)), ANSWERED))
