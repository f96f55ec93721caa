"""The real service with tokens and limits, and ways to ask it that no well-meant client has."""

import socket
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import psutil

from feature_repo.settings import Settings
from serving.access.auth import Role, issue
from serving.access.keys import make_secret
from tests.patience import LONG, PATIENT
from tests.serving import tiny, world
from tests.serving.conftest import promote, promoted
from tests.serving.process import Server, server

RANK = "/api/v1/recommendations/task-assignment"
ESTIMATE = "/api/v1/recommendations/task-performance"
QUESTION = b'{"task_id": "T60", "explain": false}'
UNLIMITED = "1000000/minute"


@dataclass(frozen=True)
class Live:
    """A running service with one worker or more, and who may ask it."""

    settings: Settings
    server: Server

    def token(self, subject: str = "billing", role: Role = Role.SERVICE) -> str:
        """The value of Authorization."""
        return f"Bearer {issue(self.settings, subject, role, timedelta(hours=1))}"

    def client(self, subject: str = "billing") -> httpx.Client:
        """Asks as a subject."""
        headers = {"Authorization": self.token(subject), "Content-Type": "application/json"}
        return httpx.Client(base_url=self.server.url, headers=headers, timeout=LONG)

    @contextmanager
    def line(self, receives: int | None = None) -> Iterator["Line"]:
        """A bare connection. receives: bytes that may wait to be read, as many as usual if None."""
        place = urlsplit(self.server.url)
        with socket.socket() as found:
            found.settimeout(LONG)
            if receives is not None:
                found.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receives)
            found.connect((place.hostname, place.port))
            yield Line(found, self.token())

    @property
    def memory(self) -> int:
        """Bytes that the workers hold in memory; the follower, which is still importing, is not one."""
        family = psutil.Process(self.server.pid).children(recursive=True)
        workers = [each for each in family if "_bentoml_impl.worker.service" in words_of(each)]
        assert workers, [words_of(each) for each in family]
        return sum(each.memory_info().rss for each in workers)


def words_of(process: psutil.Process) -> str:
    """A process's command line, empty where it has ended since it was listed."""
    with suppress(psutil.NoSuchProcess):
        return " ".join(process.cmdline())
    return ""


@dataclass(frozen=True)
class Line:
    """A connection on which anything can be said."""

    socket: socket.socket
    token: str

    def head(self, *lines: str, path: str = RANK, token: str | None = None) -> bytes:
        """The head of a POST with further header lines."""
        given = ("Host: x", f"Authorization: {token or self.token}", "Content-Type: application/json", *lines)
        return "\r\n".join((f"POST {path} HTTP/1.1", *given, "", "")).encode()

    def ask(self, head: bytes, body: bytes = b"") -> int:
        """The status of the answer to what is sent."""
        self.socket.sendall(head + body)
        return self.status()

    def status(self) -> int:
        """The status of the next answer, which is read to its end; 0 where the connection ended."""
        import http.client

        answer = http.client.HTTPResponse(self.socket)
        try:
            answer.begin()
            answer.read()
        except (http.client.HTTPException, OSError):
            return 0
        return answer.status

    def question(self) -> int:
        """The status of the answer to a question that is well asked."""
        return self.ask(self.head(f"Content-Length: {len(QUESTION)}"), QUESTION)


@contextmanager
def live(home: Path, workers: int = 1, limits: Mapping[str, float] = PATIENT, **given: Any) -> Iterator[Live]:
    """The service over a small world with tiny models as champions."""
    tiny.install()
    world.copy(home)
    promote(home, promoted(home, 3))
    make_secret(home)
    settings = Settings(home=home, _env_file=None, **given)
    with server(settings, workers, limits) as found:
        yield Live(settings, found)


def seconds_of(question: Any, times: int = 10) -> float:
    """The least of a few durations: the machine's other work does not count."""
    found = []
    for _ in range(times):
        begun = time.perf_counter()
        question()
        found.append(time.perf_counter() - begun)
    return min(found)
