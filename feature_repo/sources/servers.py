"""The source servers: which answers for each database, how it starts, where it is.

Per source, the first that answers: the address in the settings; a real binary; docker compose; an embedded stand-in.
"""

import contextlib
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from pydantic import SecretStr

from feature_repo.errors import SourceError
from feature_repo.settings import Settings
from feature_repo.sources.engines import MISSING, engines
from feature_repo.sources.engines.engine import Engine, Site
from feature_repo.sources.launches import Launch, Plan, Say, end, launched, log_of, silently
from feature_repo.sources.ledger import Ledger, Server, locked, password
from feature_repo.sources.probes import answer

__all__ = ["SOURCES", "Ledger", "Server", "address", "given", "locked", "start", "status", "stop"]

SOURCES = ("mysql", "neo4j", "mongodb")


def start(settings: Settings, names: Sequence[str] = SOURCES, say: Say = silently) -> list[Server]:
    """Start the servers of these sources that do not answer yet, side by side; returns all, in the order of names.

    Idempotent, also for calls at the same time. Raises SourceError that names the source, what was tried and its log.
    """
    with locked(_lock(settings)), ThreadPoolExecutor(len(SOURCES)) as pool:
        return list(pool.map(lambda name: _one(settings, name, say), names))


def stop(settings: Settings, names: Sequence[str] = SOURCES) -> list[Server]:
    """End the servers that this home started, with all their processes; returns those. Others are left alone."""
    with locked(_lock(settings)), ThreadPoolExecutor(len(SOURCES)) as pool:
        recorded = Ledger(settings).read()
        ended = list(pool.map(lambda name: end(settings, name), names))
    return [recorded[name] for name, count in zip(names, ended, strict=True) if count and name in recorded]


def status(settings: Settings) -> list[tuple[Server, bool]]:
    """Each source's server and whether it is up, in the order of SOURCES; sources without one are left out."""
    recorded = Ledger(settings).read()
    servers = [given(settings, name) or recorded.get(name) for name in SOURCES]
    return [(server, server.is_up) for server in servers if server is not None]


def address(settings: Settings, name: str) -> str:
    """The URL of a source, mlflow, airflow or service, with its login.

    It is the one in the settings, else that of the server that this home runs.
    Raises SourceError when there is neither, or when the recorded server is down.
    """
    server = given(settings, name)
    if server is not None:
        return server.url.get_secret_value()
    server = Ledger(settings).read().get(name)
    if server is None:
        raise SourceError(f"{name}: no server runs for {settings.root}, start one: talentml servers start")
    if not server.is_up:
        raise SourceError(f"{server} is down, see {server.log}; start it again: talentml servers start")
    return server.url.get_secret_value()


def given(settings: Settings, name: str) -> Server | None:
    """The server at the address in the settings, if they have one."""
    url: SecretStr | str | None = getattr(settings, f"{name}_url")
    if url is None:
        return None
    secret = url if isinstance(url, SecretStr) else SecretStr(url)
    return Server(name, "settings", secret, f"at the address in TALENTML_{name.upper()}_URL")


def _lock(settings: Settings) -> Path:
    return settings.root / "run" / "sources.lock"


def _one(settings: Settings, name: str, say: Say) -> Server:
    server = given(settings, name)
    if server is not None:
        answer(name, server.url)
    else:
        server = _answering(settings, name) or _started(settings, name, say)
    say(f"{server}, at {server.place}")
    return server


def _answering(settings: Settings, name: str) -> Server | None:
    """The recorded server if it answers a query."""
    server = Ledger(settings).read().get(name)
    with contextlib.suppress(SourceError):
        if server is not None and server.is_up and answer(name, server.url):
            return server
    return None


def _started(settings: Settings, name: str, say: Say) -> Server:
    """The first engine that comes up. Raises SourceError when none does."""
    failures = []
    for engine in engines(settings, name):
        try:
            return launched(settings, _plan(settings, name, engine), say)
        except SourceError as error:
            say(str(error))
            failures.append(str(error))
    tried = "\n".join(failures) or "nothing to start is installed"
    raise SourceError(f"{name}: no server came up: {tried}\n{MISSING[name]}")


def _plan(settings: Settings, name: str, engine: Engine) -> Plan:
    def prepare(port: int) -> Launch:
        return engine.prepare(Site(settings.root / name, port, password(settings, name), log_of(settings, name)))

    def complaint(server: Server) -> str:
        try:
            answer(name, server.url)
        except SourceError as error:
            return str(error)
        return ""

    in_container = engine.kind == "compose"
    return Plan(name, engine.kind, engine.description, prepare, complaint, engine.seconds, owns_port=not in_container)
