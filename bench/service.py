"""Servers under test: ours as it is started for others, and what stands beside it; each with one worker or more."""

import math
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import httpx
import psutil  # type: ignore[import-untyped]

from bench import processors
from feature_repo.settings import Settings
from feature_repo.sources.processes import free_port
from serving import launch

ROOT = Path(__file__).parents[1]
MOST_SECONDS = 120.0
"""That a server may take to start."""
ASKED, ROUNDED = 20, 0.001
"""How often each further worker is looked for; seconds to which they say how long they are up."""


@dataclass(frozen=True)
class Server:
    """A running server. started_in: seconds until it was ready."""

    url: str
    pid: int
    started_in: float

    @property
    def memory(self) -> int:
        """Bytes that it and all its processes hold; pages that they share count for each."""
        found = 0
        for each in (psutil.Process(self.pid), *psutil.Process(self.pid).children(recursive=True)):
            with suppress(psutil.NoSuchProcess):
                found += each.memory_info().rss
        return found


@contextmanager
def running(
    command: Sequence[str], url: str, environment: Mapping[str, str], is_ready: Callable[[str], bool]
) -> Iterator[Server]:
    """A process group until the end of the block; its log is shown where it does not start."""
    began = time.monotonic()
    with (Path(environment["TALENTML_HOME"]) / f"server-{url.rpartition(':')[2]}.log").open("w+b") as log:
        process = subprocess.Popen(
            [*processors.for_servers(), *command],
            cwd=ROOT,
            env=dict(environment),
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
        try:
            while not is_ready(url):
                if process.poll() is not None or time.monotonic() - began > MOST_SECONDS:
                    log.seek(0)
                    raise SystemExit(f"{' '.join(command)} does not answer: {log.read()[-3000:].decode()}")
                time.sleep(0.05)
            yield Server(url, process.pid, time.monotonic() - began)
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGTERM)
            process.wait(60)


@contextmanager
def ours(settings: Settings, workers: int = 1) -> Iterator[Server]:
    """The service, ready when each worker serves the champions that are wanted."""
    port = free_port()
    environment = launch.environment(settings, workers)
    command, url = launch.command(port), f"http://127.0.0.1:{port}"
    with running(command, url, environment, lambda url: serves(url, settings, workers)) as found:
        yield found


@contextmanager
def bare(settings: Settings) -> Iterator[Server]:
    """bench/bare.py under uvicorn, with the loop and parser that BentoML's workers take."""
    port = free_port()
    options = f"--factory --port {port} --loop uvloop --http httptools --no-access-log --log-level warning"
    command = [sys.executable, "-m", "uvicorn", "bench.bare:application", *options.split()]
    with running(command, f"http://127.0.0.1:{port}", _plain(settings), answers("/readyz")) as found:
        yield found


@contextmanager
def native(settings: Settings) -> Iterator[Server]:
    """bench/native.py under BentoML."""
    port = free_port()
    command = [sys.executable, "-m", "bentoml", "serve", "bench.native:Native", "--port", str(port)]
    with running(command, f"http://127.0.0.1:{port}", _plain(settings), answers("/readyz")) as found:
        yield found


def answers(path: str) -> Callable[[str], bool]:
    """Whether a path is answered with 200."""

    def does(url: str) -> bool:
        with suppress(httpx.HTTPError):
            return httpx.get(url + path, timeout=2).status_code == 200
        return False

    return does


def serves(url: str, settings: Settings, workers: int = 1) -> bool:
    """Whether so many workers answer, and each serves all champions that are wanted."""
    from serving.versions import champions

    wanted = champions.read(settings.root).wanted
    a_connection_each = httpx.Limits(max_keepalive_connections=0)
    starts = []
    # A plain address needs no certificates. To read them takes 20 ms, which answers that are timed then would feel.
    asking = httpx.Client(base_url=url, timeout=2, limits=a_connection_each, verify=False)
    with suppress(httpx.HTTPError), asking as client:
        for _ in range(1 + ASKED * (workers - 1)):
            before = time.monotonic()
            said = client.get("/api/v1/health").raise_for_status().json()
            if any(said["models"][name]["version"] != each.number for name, each in wanted.items()):
                return False
            starts.append((before - said["uptime_seconds"], time.monotonic() - said["uptime_seconds"]))
    return _apart(starts) >= workers


def _apart(spans: Sequence[tuple[float, float]]) -> int:
    """How many different workers have answered for sure: each says how long it is up, by the clock that all share."""
    found, last = 0, -math.inf
    for begin, end in sorted(spans, key=lambda span: span[1]):
        if begin > last:
            found, last = found + 1, end + ROUNDED
    return found


def _plain(settings: Settings) -> dict[str, str]:
    """The environment of a peer: as ours, and where the modules in bench/ are."""
    return {**launch.environment(settings), "PYTHONPATH": str(ROOT)}
