"""Detached processes: they outlive the command that starts them, and only they are ever ended.

A pid is trusted with its start time and the boot it belongs to. What a killed leader leaves behind is known by a mark
in its environment, by the log it writes to, or by its session and working folder. Linux only: all is read from /proc.
"""

import contextlib
import itertools
import os
import random
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

PROC = Path("/proc")
MARK = "TALENT_SERVER_LOG"  # Inherited by all that a server starts, such as the verbs that Airflow's tasks run.
# Below the kernel's range for outgoing connections, one of which could otherwise hold a port of ours at a restart.
PORTS = range(15_000, 32_000)


@dataclass(frozen=True)
class Running:
    """A process: its pid, and the instant of its start as boot id and clock ticks."""

    pid: int
    stamp: str

    @property
    def is_alive(self) -> bool:
        """Whether this very process runs; a zombie does not, nor does a stranger that got the same pid."""
        return stamp(self.pid) == self.stamp


def spawn(
    command: Sequence[str | Path],
    log: Path,
    *,
    cwd: Path,
    environment: Mapping[str, str] | None = None,
    user: tuple[int, int] | None = None,
) -> Running:
    """Start a command in a session of its own, with no input and all output appended to log, mode 0600.

    user: uid and gid to run as; only root may give it.
    """
    child = _opened(command, log, cwd, environment, user)
    child.returncode = 0  # Detached on purpose: its end is read from /proc, so no warning when this object goes.
    return Running(child.pid, stamp(child.pid) or "gone")


def finish(command: Sequence[str | Path], log: Path, *, cwd: Path, user: tuple[int, int] | None = None) -> int:
    """Run a command to its end as spawn would, so that the next start finds it should this one be killed.

    Returns its exit status.
    """
    with _opened(command, log, cwd, None, user) as child:
        return child.wait()


def _opened(
    command: Sequence[str | Path],
    log: Path,
    cwd: Path,
    environment: Mapping[str, str] | None,
    user: tuple[int, int] | None,
) -> "subprocess.Popen[bytes]":
    log.parent.mkdir(parents=True, exist_ok=True)
    identity: dict[str, Any] = {} if user is None else {"user": user[0], "group": user[1], "extra_groups": []}
    with log.open("ab") as output:
        log.chmod(0o600)
        return subprocess.Popen(
            [str(part) for part in command],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            cwd=cwd,
            env={**(os.environ if environment is None else environment), MARK: str(log)},
            start_new_session=True,
            **identity,
        )


def stamp(pid: int) -> str | None:
    """The start of a process as boot id and clock ticks since boot; None when it is gone or a zombie."""
    fields = _stat(pid)
    return f"{(PROC / 'sys/kernel/random/boot_id').read_text().strip()}:{fields[19]}" if fields else None


def _stat(pid: int) -> list[str] | None:
    """The fields of /proc/<pid>/stat after the command's name (state, parent, group, session, ...); None as above."""
    try:
        fields = (PROC / str(pid) / "stat").read_text().rpartition(") ")[2].split()
    except OSError:
        return None
    return None if fields[0] == "Z" else fields


def members(log: Path, running: Running | None = None) -> set[int]:
    """The pids of a server: its leader, what bears its mark or writes to its log, and all in their sessions."""
    sessions = {pid: int(fields[3]) for pid in _pids() if (fields := _stat(pid))}
    ours = {session for pid, session in sessions.items() if _is_marked(pid, log) or _writes(pid, log)}
    if running is not None and (running.is_alive or _left_orphans(running, sessions, log)):
        ours.add(running.pid)
    ours.discard(os.getsid(0))
    return {pid for pid, session in sessions.items() if session in ours}


def children(pid: int) -> set[int]:
    """The processes that a process has started itself and that still run."""
    return {child for child in _pids() if (fields := _stat(child)) and int(fields[1]) == pid}


def _is_marked(pid: int, log: Path) -> bool:
    try:
        return f"{MARK}={log}".encode() in (PROC / str(pid) / "environ").read_bytes().split(b"\0")
    except OSError:  # Gone meanwhile, or another user's.
        return False


def _left_orphans(running: Running, sessions: Mapping[int, int], log: Path) -> bool:
    """Whether a dead leader's session still has members that work in the server's folder.

    Airflow's processes that name themselves overwrite their environment, and with it the mark.
    """
    if running.pid in sessions:
        return False
    left = [pid for pid, session in sessions.items() if session == running.pid]
    folder = log.parents[1] / log.stem
    return any(_target(PROC / str(pid) / "cwd").removesuffix(" (deleted)") == str(folder) for pid in left)


def _pids() -> list[int]:
    return [int(entry.name) for entry in PROC.iterdir() if entry.name.isdigit()]


def _writes(pid: int, log: Path) -> bool:
    """Whether the standard output or error of a process is log, be it deleted since."""
    folder = PROC / str(pid) / "fd"
    return any(_target(folder / number).removesuffix(" (deleted)") == str(log) for number in "12")


def _target(link: Path) -> str:
    try:
        return str(link.readlink())
    except OSError:  # Gone meanwhile, or another user's.
        return ""


def end(log: Path, running: Running | None = None, grace: float = 10.0) -> int:
    """End every process of a server: SIGTERM, then SIGKILL after grace seconds. Returns how many there were."""
    found = members(log, running)
    for number, patience in ((signal.SIGTERM, grace), (signal.SIGKILL, 5.0)):
        for pid in members(log, running):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)
        if wait_until(lambda: not members(log, running), patience):
            break
    return len(found)


def free_port(preferred: int | None = None) -> int:
    """A loopback port that is free now; the preferred one if it is. Another may take it first: check, and retry."""
    return preferred if preferred and not is_taken(preferred) else free_ports(1)[0]


def free_ports(count: int) -> list[int]:
    """That many different loopback ports that are free now."""
    free = (port for port in random.sample(PORTS, 200) if not is_taken(port))
    found = list(itertools.islice(free, count))
    if len(found) < count:
        raise OSError(f"fewer than {count} free loopback ports from {PORTS.start} to {PORTS.stop}")
    return found


def is_taken(port: int) -> bool:
    """Whether a server cannot bind this loopback port now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return True
    return False


def listens(pids: Collection[int], port: int) -> bool:
    """Whether one of these processes listens on a port; so that another's server is not taken for ours."""
    inodes = {f"socket:[{inode}]" for inode in _listeners(port)}
    return any(_target(link) in inodes for pid in pids for link in _entries(PROC / str(pid) / "fd"))


def _entries(folder: Path) -> Iterator[Path]:
    with contextlib.suppress(OSError):
        yield from folder.iterdir()


def _listeners(port: int) -> list[str]:
    """The inodes of sockets in state LISTEN (0A) on a port."""
    tables = [PROC / "net" / name for name in ("tcp", "tcp6")]
    rows = [row.split() for table in tables if table.exists() for row in table.read_text().splitlines()[1:]]
    return [row[9] for row in rows if row[3] == "0A" and int(row[1].rpartition(":")[2], 16) == port]


def tail(log: Path, lines: int = 15) -> str:
    """The last lines of a log, for an error message."""
    text = log.read_bytes()[-20_000:].decode(errors="replace") if log.exists() else "(no log)"
    return "\n".join(text.splitlines()[-lines:])


def wait_until(is_so: Callable[[], bool], seconds: float, unless: Callable[[], bool] = lambda: False) -> bool:
    """Whether is_so came true within seconds; given up as soon as unless does."""
    deadline = time.monotonic() + seconds
    while not (found := is_so()) and time.monotonic() < deadline and not unless():
        time.sleep(0.1)
    return found
