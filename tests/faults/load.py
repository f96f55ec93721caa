"""Connections that ask again as soon as they are answered, whatever the answer says; run in a process of its own.

Each question once: where the request holds %08d that becomes its number, else a kept answer would be given again.
"""

import asyncio
import itertools
import json
import sys
import time
from dataclasses import asdict, dataclass, field
from urllib.parse import urlsplit


@dataclass
class Tally:
    """What was answered. seconds: how long the answers with status 200 took, sorted."""

    statuses: dict[str, int] = field(default_factory=dict)
    seconds: list[float] = field(default_factory=list)
    without_retry_after: int = 0
    broken: int = 0

    def add(self, head: bytes, seconds: float) -> None:
        """Count an answer."""
        status = head.split()[1].decode()
        self.statuses[status] = self.statuses.get(status, 0) + 1
        if status == "200":
            self.seconds.append(seconds)
        elif b"\r\nretry-after: " not in head.lower():
            self.without_retry_after += 1


async def load(url: str, request: bytes, connections: int, seconds: float) -> Tally:
    """Ask over so many connections for so long."""
    tally, end = Tally(), time.monotonic() + seconds
    numbers = itertools.count(time.time_ns() // 1000 % 50_000_000)
    place = urlsplit(url)

    async def ask() -> None:
        reader, writer = await asyncio.open_connection(place.hostname, place.port)
        while (begun := time.monotonic()) < end:
            writer.write(request % next(numbers))
            head = await reader.readuntil(b"\r\n\r\n")
            await reader.readexactly(int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0]))
            tally.add(head, time.monotonic() - begun)
        writer.close()

    done = await asyncio.gather(*(ask() for _ in range(connections)), return_exceptions=True)
    tally.broken = sum(isinstance(each, BaseException) for each in done)
    tally.seconds.sort()
    return tally


if __name__ == "__main__":
    print(
        json.dumps(
            asdict(asyncio.run(load(sys.argv[1], sys.stdin.buffer.read(), int(sys.argv[2]), float(sys.argv[3]))))
        )
    )
