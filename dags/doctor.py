"""What this machine has for the platform, what is missing, and the exact command that installs it."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from feature_repo.errors import SourceError
from feature_repo.settings import Settings
from feature_repo.sources import servers
from feature_repo.sources.engines import MISSING, engines
from feature_repo.sources.engines.engine import program
from feature_repo.sources.launches import Say, silently

PYTHONS = ((3, 11), (3, 12))
# Measured on the demo: six servers 2.6 GB, a training verb 0.6; environment 2.1 GB, a home 1.
MEMORY_GB, DISK_GB, CORES = 4.0, 5.0, 2
PACKAGES = ("mlflow", "airflow", "bentoml", "feast", "great_expectations", "evidently", "lightgbm")
GIB = 1024**3
APT = "apt-get install -y --no-install-recommends"
# The core packages start no server of the system's own, as mariadb-server does.
MARIADB = ("mariadb-server-core", "mariadb-client-core")
EXTRAS = {
    "redis-server": "only to share rate limits between machines",
    "wrk": "only to load the service in the bench",
}
"""Programs that nothing breaks without, each in the package of its name."""


@dataclass(frozen=True)
class Finding:
    """One thing examined. fix: the command or setting that mends it, empty where nothing is wrong."""

    name: str
    is_ok: bool
    found: str
    needed: str
    fix: str = ""


def examine(settings: Settings) -> list[Finding]:
    """Everything the platform needs of a machine, in the order in which a fresh one would meet it."""
    sources = [_source(settings, name) for name in servers.SOURCES]
    machine = [_system(), _python(), *_environment(), _packages(), _cores(), _memory(), _disk(settings)]
    return [*machine, *sources, *_extras()]


def install_missing(say: Say = silently) -> None:
    """Install by the system's packages what is missing of MariaDB and of EXTRAS; only root may.

    Raises SourceError with the command to run, when there is no MariaDB and we may not install it or it fails.
    """
    is_allowed = os.getuid() == 0 and shutil.which("apt-get") is not None
    if not (program("mariadbd") or program("mysqld")):
        if not is_allowed:
            raise SourceError(f"mysql: no server is installed, and only root may install one here: {mariadb_command()}")
        say("installing MariaDB by apt-get")
        if failure := _install(*MARIADB):
            raise SourceError(f"mysql: {failure}")
    extras = [name for name in EXTRAS if program(name) is None]
    if extras and is_allowed:
        say(f"installing {' and '.join(extras)} by apt-get")
        if failure := _install(*extras):
            say(f"not installed, and not needed by the platform: {failure}")


def _install(*packages: str) -> str:
    """Install packages; gives what went wrong, empty where nothing did."""
    install, failure = f"{APT} {' '.join(packages)}", ""
    for command in (install, "apt-get update", install):  # A fresh image has no lists of packages yet.
        done = subprocess.run(
            command.split(), env={**os.environ, "DEBIAN_FRONTEND": "noninteractive"}, capture_output=True, text=True
        )
        failure = "" if done.returncode == 0 else f"{command}: {done.stderr.strip()[-500:]}"
        if not failure and command == install:
            break
    return failure


def mariadb_command() -> str:
    """The command that installs a MariaDB on this kind of system, for a user to run."""
    apt = f"sudo {APT} {' '.join(MARIADB)}"
    known = {"apt-get": apt, "dnf": "sudo dnf install mariadb-server", "zypper": "sudo zypper in mariadb"}
    return next((text for tool, text in known.items() if shutil.which(tool)), MISSING["mysql"])


def _system() -> Finding:
    is_linux = sys.platform == "linux" and Path("/proc/self/stat").exists()
    return Finding("system", is_linux, sys.platform, "Linux with /proc", "" if is_linux else "run it on Linux")


def _python() -> Finding:
    found, needed = ".".join(map(str, sys.version_info[:3])), " or ".join(f"{a}.{b}" for a, b in PYTHONS)
    is_ok = sys.version_info[:2] in PYTHONS
    return Finding("python", is_ok, found, needed, "" if is_ok else "uv venv --python 3.11")


def _environment() -> Iterator[Finding]:
    """Python without its bytecode compiles everything again in each process: imports take twice as long."""
    if os.environ.get("PYTHONDONTWRITEBYTECODE"):
        fix = "unset PYTHONDONTWRITEBYTECODE"
        yield Finding("bytecode", False, "PYTHONDONTWRITEBYTECODE is set", "not set", fix)


def _packages() -> Finding:
    missing = [name for name in PACKAGES if find_spec(name) is None]
    found = f"missing: {', '.join(missing)}" if missing else f"all {len(PACKAGES)} there"
    fix = "uv pip install -r requirements.lock && uv pip install --no-deps -e ." if missing else ""
    return Finding("packages", not missing, found, ", ".join(PACKAGES), fix)


def _cores() -> Finding:
    found = len(os.sched_getaffinity(0))
    return Finding("cores", found >= CORES, str(found), f"{CORES} or more", "" if found >= CORES else "more cores")


def _memory() -> Finding:
    found = available_memory() / GIB
    is_ok = found >= MEMORY_GB
    fix = "" if is_ok else "end other programs, or start fewer servers"
    return Finding("memory", is_ok, f"{found:.1f} GB available", f"{MEMORY_GB:.0f} GB", fix)


def available_memory() -> int:
    """Bytes that may still be taken: of the machine, or of the container where it allows less."""
    meminfo = dict(line.split(":") for line in Path("/proc/meminfo").read_text().splitlines())
    machine = int(meminfo["MemAvailable"].split()[0]) * 1024
    limit, used = (_number(Path("/sys/fs/cgroup") / name) for name in ("memory.max", "memory.current"))
    return machine if limit is None or used is None else min(machine, limit - used)


def _number(path: Path) -> int | None:
    text = path.read_text().strip() if path.exists() else ""
    return int(text) if text.isdigit() else None


def _disk(settings: Settings) -> Finding:
    nearest = next(folder for folder in (settings.root, *settings.root.parents) if folder.exists())
    found = shutil.disk_usage(nearest).free / GIB
    is_ok = found >= DISK_GB
    fix = "" if is_ok else "TALENTML_HOME on a disk with more room"
    return Finding("disk", is_ok, f"{found:.1f} GB free at {nearest}", f"{DISK_GB:.0f} GB", fix)


def _source(settings: Settings, name: str) -> Finding:
    """What would stand behind a source; nothing is started."""
    needed = "an address, a binary, docker compose, or a stand-in"
    if (given := servers.given(settings, name)) is not None:
        return Finding(
            name, given.is_up, f"{given.place}, {given.description}", needed, "" if given.is_up else "start it"
        )
    try:
        found = next(engines(settings, name), None)
    except SourceError as error:
        return Finding(name, False, str(error), needed, MISSING[name])
    if found is None:
        return Finding(name, False, "nothing", needed, mariadb_command() if name == "mysql" else MISSING[name])
    return Finding(name, True, found.description, needed)


def _extras() -> Iterator[Finding]:
    """What may be missing: never a fault."""
    for name, use in EXTRAS.items():
        yield Finding(name, True, str(program(name) or "nothing"), use)
