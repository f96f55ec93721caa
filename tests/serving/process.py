"""The service as its users have it: BentoML in a process of its own, under load, over a line that can be cut."""

import os
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import psutil

from feature_repo.settings import Settings
from serving import launch
from serving.access.auth import Role, issue
from serving.access.keys import make_secret
from serving.client import ASSIGNMENT, Client
from tests.patience import LONG, PATIENT, variables
from tests.ports import free_port

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Server:
    """A running service. started_for: seconds of processor time that its processes took until it was ready."""

    settings: Settings
    url: str
    pid: int
    log: Path
    started_for: float

    def headers(self, subject: str = "portal", role: Role = Role.ENGINEER) -> dict[str, str]:
        """What a caller sends to be known."""
        return {"Authorization": f"Bearer {issue(self.settings, subject, role, timedelta(hours=1))}"}

    def client(self, subject: str = "portal", role: Role = Role.ENGINEER) -> Client:
        """Asks the service, and shows each of its failures."""
        token = issue(self.settings, subject, role, timedelta(hours=1))
        return Client(self.url, token, timeout=LONG, fallback=False)


@contextmanager
def server(settings: Settings, workers: int = 1, limits: Mapping[str, float] = PATIENT) -> Iterator[Server]:
    """The service over a home, able to load tiny models; ended with SIGTERM. limits: those that are not users' own."""
    if settings.jwt_secret is None and settings.jwt_jwks is None and not (settings.root / "jwt_secret").exists():
        make_secret(settings.root)
    port = free_port()
    log = settings.root / f"service-{port}.log"
    command = [part.replace(launch.SERVICE, "tests.serving.served:TalentService") for part in launch.command(port)]
    with log.open("wb") as file:
        process = subprocess.Popen(
            command,
            env={**launch.environment(settings, workers), **variables(limits)},
            cwd=ROOT,
            stdout=file,
            stderr=file,
            start_new_session=True,
        )
    url = f"http://127.0.0.1:{port}"
    try:
        until(lambda: is_ready(url) or process.poll() is not None, LONG)
        assert process.poll() is None, log.read_text()[-3000:]
        yield Server(settings, url, process.pid, log, processor_seconds(process.pid))
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGTERM)
        process.wait(2 * LONG)  # its limits may be LONG themselves


def processor_seconds(pid: int) -> float:
    """What a process and all that it began took so far; unlike the clock's it does not grow with others' work."""
    process = psutil.Process(pid)
    found = process.cpu_times()
    seconds = found.user + found.system + found.children_user + found.children_system
    for each in process.children(recursive=True):
        with suppress(psutil.NoSuchProcess):
            own = each.cpu_times()
            seconds += own.user + own.system + own.children_user + own.children_system
    return float(seconds)


def is_ready(url: str) -> bool:
    """Whether BentoML says that it takes requests."""
    with suppress(httpx.HTTPError):
        return httpx.get(f"{url}/readyz", timeout=10).status_code == 200
    return False


def until(is_so: Callable[[], bool], seconds: float = LONG) -> None:
    """Wait until something is so. Fails when it is not in time; that it takes long on a busy machine is no failure."""
    end = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < end, f"not within {seconds} s"
        time.sleep(0.05)


@dataclass
class Load:
    """Requests from several threads, one after the other in each. answers: (status, body), in order of arrival.

    marks: the collaborative score that each version gives to everybody.
    """

    server: Server
    marks: Mapping[int, float]
    threads: int = 4
    answers: list[tuple[int, dict[str, Any]]] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)

    @contextmanager
    def running(self) -> Iterator["Load"]:
        """Ask all the time while inside."""
        ending = threading.Event()
        askers = [threading.Thread(target=self._ask, args=(ending,)) for _ in range(self.threads)]
        for asker in askers:
            asker.start()
        try:
            yield self
        finally:
            ending.set()
            for asker in askers:
                asker.join()

    def _ask(self, ending: threading.Event) -> None:
        with httpx.Client(base_url=self.server.url, headers=self.server.headers(), timeout=LONG) as client:
            while not ending.is_set():
                try:
                    answer = client.post(ASSIGNMENT, json={"task_id": "T60", "explain": False})
                    self.answers.append((answer.status_code, answer.json()))
                except (httpx.HTTPError, ValueError) as error:
                    self.failures.append(repr(error))

    @property
    def versions(self) -> list[int | None]:
        """Who answered, in order. Fails for any status but 200, and where the scores are not the named version's."""
        found = []
        for status, body in self.answers:
            assert status == 200, body
            marks = {candidate["collaborative_score"] for candidate in body["candidates"]}
            assert marks == {self.marks[body["model"]["version"]]}, body
            found.append(body["model"]["version"])
        return found


class Line:
    """Forwards a loopback port to a server, until it is cut."""

    def __init__(self, url: str) -> None:
        target = urlsplit(url)
        self._target = (target.hostname or "127.0.0.1", target.port or 80)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._open: set[socket.socket] = set()
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def cut(self) -> None:
        """Refuse new connections and break the open ones."""
        for each in (self._listener, *self._open):
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                near, _ = self._listener.accept()
                far = socket.create_connection(self._target)
                self._open |= {near, far}
                for pair in ((near, far), (far, near)):
                    threading.Thread(target=self._copy, args=pair, daemon=True).start()

    def _copy(self, source: socket.socket, sink: socket.socket) -> None:
        with suppress(OSError):
            while content := source.recv(65_536):
                sink.sendall(content)
            sink.shutdown(socket.SHUT_WR)
