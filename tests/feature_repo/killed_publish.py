"""Kills publish at many of its file operations: python -m tests.feature_repo.killed_publish HOME.

Feast takes seconds to import, so one process imports it and every attempt is a fork. Attempt n publishes a history that
ends in the value n, is killed, and is run again. Prints per attempt: the values read offline and online after the kill,
those read after the second run, the exit status of the killed process, and the operation.
"""

import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path

import feast  # noqa: F401

from feature_repo import publish as _publish  # noqa: F401
from tests.feature_repo.histories import Row

OPERATIONS = {"open", "os.rename", "os.symlink", "os.mkdir", "os.utime", "os.remove", "os.rmdir", "sqlite3.connect"}
MOVES = {"os.rename", "os.symlink", "os.utime", "os.rmdir"}
OTHERS = 4  # operations of other kinds that are tried, evenly spread


def in_fork(work: Callable[[], object]) -> int:
    """The exit status of work in a child process, negative for the signal that ended it."""
    child = os.fork()
    if child == 0:
        work()
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def publish_value(home: Path, value: int) -> None:
    from tests.feature_repo.homes import published

    rows = [*(Row(("ada",), step, step, step) for step in range(3)), Row(("ada",), 4, 4, value)]
    published(home, {"person": rows, "badge": rows}, as_of=7)


def watched(home: Path, value: int, kill_at: int = 0) -> list[str]:
    """Publish, and kill this process at that file operation in the published folders; returns all operations."""
    seen: list[str] = []

    def watch(event: str, details: tuple[object, ...]) -> None:
        if event in OPERATIONS and str(home) in str(details[0]) and "staged" not in str(details[0]):
            seen.append(event)
            if len(seen) == kill_at:
                os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(watch)
    publish_value(home, value)
    return seen


def report(home: Path) -> None:
    """Read the value through both sides."""
    from feature_repo.online import OnlineSnapshot
    from feature_repo.retrieval import historical_frame, online_frame
    from tests.feature_repo.histories import Question, spine
    from tests.feature_repo.homes import VIEWS, column

    wanted, asked = [column("person__value")], spine([Question(("ada",), 20)], ["person_id"])
    offline = historical_frame(home, asked, wanted, views=VIEWS)["person__value"].item()
    online = online_frame(OnlineSnapshot.open(home), asked, wanted, views=VIEWS)["person__value"].item()
    print(offline, online, end=" ", flush=True)


def attempt(home: Path, value: int, kill_at: int) -> int:
    """Publish and be killed; then, in another process, look, publish again and look. Returns the first exit status."""

    def again() -> None:
        report(home)
        publish_value(home, value)
        report(home)

    status = in_fork(lambda: watched(home, value, kill_at))
    assert in_fork(again) == 0
    return status


def main(home: Path) -> None:
    log = home.with_suffix(".log")
    in_fork(lambda: log.write_text("\n".join(watched(home, 100))))
    operations = log.read_text().split("\n")
    moves = [place for place, name in enumerate(operations, start=1) if name in MOVES]
    others = range(1, len(operations) + 1, max(1, len(operations) // OTHERS))
    for value, operation in enumerate(sorted({*moves, *others}), start=101):
        print(attempt(home, value, operation), operations[operation - 1], flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
