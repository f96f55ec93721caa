"""What an engine is: a server that can stand behind a source, and how it is started in a folder of its own."""

import os
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from feature_repo.errors import SourceError
from feature_repo.sources.launches import Launch

USER = "talentml"
# Debian keeps servers where a plain user's PATH does not look.
SYSTEM_FOLDERS = "/usr/sbin:/usr/local/sbin:/usr/libexec"


@dataclass(frozen=True)
class Site:
    """Where one server lives: a folder of its own, a loopback port, the home's password for it, its log."""

    folder: Path
    port: int
    password: str
    log: Path


@dataclass(frozen=True)
class Engine:
    """A server that can stand behind a source. kind: binary, compose or stand-in.

    prepare makes its folder and its command. seconds: how long it may take until it answers.
    """

    kind: str
    description: str
    prepare: Callable[[Site], Launch]
    seconds: float = 180.0


def program(name: str) -> Path | None:
    """A program on PATH or in the system's own folders."""
    found = shutil.which(name) or shutil.which(name, path=SYSTEM_FOLDERS)
    return Path(found) if found else None


def output(*command: str | Path) -> str:
    """What a short command prints. Raises SourceError when it cannot be run."""
    try:
        return subprocess.run([str(part) for part in command], capture_output=True, text=True, timeout=20).stdout
    except (OSError, subprocess.TimeoutExpired) as error:
        raise SourceError(f"{command[0]}: cannot be run: {error}") from error


def owned(folder: Path, user: tuple[int, int] | None = None) -> Path:
    """A folder that only its owner may enter, who is user where given."""
    folder.mkdir(parents=True, exist_ok=True)
    if user is not None:
        os.chown(folder, *user)
    folder.chmod(0o700)
    return folder
