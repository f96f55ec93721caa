"""What runs for a home: servers.json, readable by its owner only, as addresses hold passwords."""

import contextlib
import fcntl
import json
import os
import secrets
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from feature_repo.errors import SettingsError
from feature_repo.settings import Settings
from feature_repo.sources import processes
from feature_repo.sources.probes import accepts, place


@dataclass(frozen=True)
class Server:
    """A server of one home. kind: settings, binary, compose, stand-in or platform.

    pid and stamp say which process; pid is None where this home did not start it.
    """

    name: str
    kind: str
    url: SecretStr
    description: str
    pid: int | None = None
    stamp: str = ""
    log: Path | None = None

    def __str__(self) -> str:
        return f"{self.name}: {self.description}"

    @property
    def place(self) -> str:
        """host:port, which is all of the address that may be shown."""
        return place(self.url)

    @property
    def running(self) -> processes.Running | None:
        return None if self.pid is None else processes.Running(self.pid, self.stamp)

    @property
    def is_up(self) -> bool:
        """Whether its process lives, where it is ours, and its port accepts connections."""
        return (self.running is None or self.running.is_alive) and accepts(self.url)


class Ledger:
    """servers.json of a home: its servers by name. Every change is one atomic rename under a lock."""

    def __init__(self, settings: Settings) -> None:
        self.path = settings.root / "servers.json"

    def read(self) -> dict[str, Server]:
        """The recorded servers; whether they still run is another question. Raises SettingsError if unreadable."""
        if not self.path.exists():
            return {}
        try:
            return {name: _server(row) for name, row in json.loads(self.path.read_text()).items()}
        except (ValueError, KeyError, TypeError) as error:
            raise SettingsError(f"{self.path}: not what this version writes ({error}); remove it") from None

    def put(self, server: Server) -> None:
        self._change(lambda servers: {**servers, server.name: server})

    def drop(self, name: str) -> None:
        self._change(lambda servers: {key: server for key, server in servers.items() if key != name})

    def _change(self, change: Callable[[dict[str, Server]], dict[str, Server]]) -> None:
        with locked(self.path.with_name("run") / "ledger.lock"):
            rows = {name: _row(server) for name, server in change(self.read()).items()}
            private(draft := self.path.with_suffix(".draft"), json.dumps(rows, indent=1))
            draft.replace(self.path)


def _row(server: Server) -> dict[str, Any]:
    log = None if server.log is None else str(server.log)
    return {**asdict(server), "url": server.url.get_secret_value(), "log": log}


def _server(row: dict[str, Any]) -> Server:
    log = None if row["log"] is None else Path(row["log"])
    return Server(**{**row, "url": SecretStr(row["url"]), "log": log})


@contextlib.contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold an exclusive lock on a file, across processes and threads; the kernel frees it when its holder dies."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def private(path: Path, text: str) -> None:
    """Write a file that only its owner may read, from its first byte on."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)


def password(settings: Settings, name: str) -> str:
    """The home's own random password for a server: 32 hexadecimal digits, made when first asked for."""
    path = settings.root / "run" / f"{name}.password"
    if not path.exists():
        private(draft := path.with_suffix(".draft"), secrets.token_hex(16))
        draft.replace(path)
    return path.read_text()
