"""Locks of ours across processes and machines; MLflow's alias moves have no compare-and-swap.

Both kinds end with their holder, however it ends: the kernel frees a file lock, PostgreSQL a session's.
"""

import fcntl
import hashlib
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Engine, text
from sqlalchemy.exc import OperationalError

from feature_repo.errors import RegistryError

SECONDS = 600.0
POLL = 0.02


@contextmanager
def alone(engine: Engine, root: Path, name: str, seconds: float = SECONDS) -> Iterator[None]:
    """Hold the lock of this name; others wait for up to `seconds`.

    With PostgreSQL the platform's database holds it, for all machines; with SQLite a file in the home does.
    Not reentrant. Raises RegistryError when the wait is over.
    """
    shared = engine.dialect.name == "postgresql"
    with _session_lock(engine, name, seconds) if shared else _file_lock(root, name, seconds):
        yield


@contextmanager
def _file_lock(root: Path, name: str, seconds: float) -> Iterator[None]:
    path = root / "run" / f"{name}.lock"
    path.parent.mkdir(parents=True, exist_ok=True)
    until = time.monotonic() + seconds
    with path.open("w") as file:
        while not _taken(file.fileno()):
            if time.monotonic() > until:
                raise _too_long(name, seconds)
            time.sleep(POLL)
        yield


def _taken(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


@contextmanager
def _session_lock(engine: Engine, name: str, seconds: float) -> Iterator[None]:
    key = int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big", signed=True)
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text(f"set lock_timeout = {int(seconds * 1000)}"))
        try:
            connection.execute(text("select pg_advisory_lock(:key)"), {"key": key})
        except OperationalError:
            raise _too_long(name, seconds) from None
        try:
            yield
        finally:
            # Closed, not pooled: the end of the session frees the lock also where unlocking failed.
            connection.invalidate()


def _too_long(name: str, seconds: float) -> RegistryError:
    return RegistryError(f"lock {name}: held by another run for more than {seconds:.0f} s")
