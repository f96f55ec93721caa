"""Starting one server of a home: a free port, a detached process, a record of it, and a wait until it answers."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from pydantic import SecretStr

from feature_repo.errors import SourceError, TalentError
from feature_repo.settings import Settings
from feature_repo.sources import processes
from feature_repo.sources.ledger import Ledger, Server

ATTEMPTS = 3  # A port may be taken between its choice and the server's bind.
PATIENCE = 5.0  # Seconds between two lines that say we still wait.

Say = Callable[[str], None]


def silently(_line: str) -> None:
    """Progress that nobody reads."""


@dataclass(frozen=True)
class Launch:
    """How a server starts: command, address, working folder, and the uid and gid it runs as where not ours."""

    command: list[str]
    url: str
    cwd: Path
    user: tuple[int, int] | None = None
    environment: Mapping[str, str] | None = None


@dataclass(frozen=True)
class Plan:
    """A server to be started. prepare: makes its folder and command for a port; complaint: why it is not ready, or "".

    owns_port: whether one of its own processes must be the one that listens. error: raised when it does not come up.
    """

    name: str
    kind: str
    description: str
    prepare: Callable[[int], Launch]
    complaint: Callable[[Server], str]
    seconds: float = 180.0
    owns_port: bool = True
    error: type[TalentError] = SourceError


def launched(settings: Settings, plan: Plan, say: Say = silently) -> Server:
    """The server of this plan, once it answers; another port is tried where a stranger was faster on the first.

    What is left of an earlier one is ended first. Raises plan.error with the last lines of its log.
    """
    log = log_of(settings, plan.name)
    old = Ledger(settings).read().get(plan.name)
    end(settings, plan.name, grace=3.0)  # What hangs, or what a killed start left behind, would hold the data.
    preferred = urlsplit(old.url.get_secret_value()).port if old else None
    say(f"{plan.name}: starting {plan.description}")
    for attempt in range(ATTEMPTS):
        port = processes.free_port(preferred if attempt == 0 else None)
        server = _spawned(settings, plan, port, log)
        complaint = _waited(server, plan, port, say)
        if not complaint:
            return server
        end(settings, plan.name)
        if not processes.is_taken(port):
            break
    raise plan.error(f"{server} did not answer on port {port}: {complaint}; the end of {log}:\n{processes.tail(log)}")


def end(settings: Settings, name: str, grace: float = 10.0) -> int:
    """End one server's processes, by force after grace seconds, and forget it; returns how many there were."""
    ledger = Ledger(settings)
    server = ledger.read().get(name)
    count = processes.end(log_of(settings, name), server.running if server else None, grace)
    if server is not None:
        ledger.drop(name)
    return count


def log_of(settings: Settings, name: str) -> Path:
    """The log of one server of a home."""
    return settings.root / "logs" / f"{name}.log"


def _spawned(settings: Settings, plan: Plan, port: int, log: Path) -> Server:
    """The server's process, recorded before it answers: so that a killed start leaves nothing unknown behind."""
    launch = plan.prepare(port)
    running = processes.spawn(launch.command, log, cwd=launch.cwd, environment=launch.environment, user=launch.user)
    server = Server(plan.name, plan.kind, SecretStr(launch.url), plan.description, running.pid, running.stamp, log)
    Ledger(settings).put(server)
    return server


def _waited(server: Server, plan: Plan, port: int, say: Say) -> str:
    """The last complaint about a server when it is over or its time is up; "" once it is ready."""

    def is_over() -> bool:
        return server.running is None or not server.running.is_alive

    for waited in range(0, int(plan.seconds), int(PATIENCE)):
        if waited:
            say(f"{plan.name}: waited {waited} s of {plan.seconds:.0f} for its answer")
        if processes.wait_until(lambda: not _complaint(server, plan, port), PATIENCE, unless=is_over):
            return ""
        if is_over():
            return "its process ended"
    return _complaint(server, plan, port)


def _complaint(server: Server, plan: Plan, port: int) -> str:
    """Another's server is not taken for ours: nx-27017, for one, has no password to tell it by."""
    pids = set() if server.log is None else processes.members(server.log, server.running)
    if plan.owns_port and not processes.listens(pids, port):
        return "its process does not listen there"
    return plan.complaint(server)
