"""Questions to rank 100 people for a task, as many as a server answers, by wrk: each is asked once."""

import json
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from bench import processors
from bench.ranker import PATH
from feature_repo.errors import SettingsError
from feature_repo.retrieval import facts
from feature_repo.seed import synthetic
from feature_repo.settings import Settings
from serving.access.auth import Role, issue

SCRIPT = Path(__file__).with_name("load.lua")
CANDIDATES, WORKERS = 100, "worked_on"


@dataclass(frozen=True)
class Question:
    """How it is asked. limit: of the candidates how many are answered with."""

    limit: int
    explain: bool


@dataclass(frozen=True)
class Load:
    """Who asks about what. people, tasks: files of ids, a line each."""

    token: str
    people: Path
    tasks: Path

    def put(self, url: str, question: Question, connections: int, seconds: float, seed: int) -> "Measured":
        """Ask as often as the server answers, over that many connections. Raises SettingsError without wrk."""
        wrk = shutil.which("wrk")
        if wrk is None:
            raise SettingsError("wrk: not found, it is a package of most systems")
        asked = (PATH, self.token, self.people, self.tasks, question.limit, str(question.explain).lower())
        options = ("-t1", f"-c{connections}", f"-d{seconds:g}s", "--timeout", "10s", "-s", SCRIPT, url, "--")
        command = [*processors.for_load(), wrk, *map(str, (*options, seed, *asked))]
        done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
        return Measured(**json.loads(done.stdout.splitlines()[-1]))


@dataclass(frozen=True)
class Measured:
    """What wrk saw. bytes: of all answers; failed: with a status over 399, or not answered; p50, p99: ms."""

    answers: int
    seconds: float
    bytes: int
    failed: int
    p50: float
    p99: float

    @property
    def per_second(self) -> float:
        """Answers."""
        return self.answers / self.seconds


def load_of(settings: Settings) -> Load:
    """A load about the tasks that the home knows, and who worked on one: there is nothing to compute of strangers."""
    token = issue(settings, "bench", Role.ENGINEER, timedelta(hours=2))
    return Load(token, _ids(settings, WORKERS, "person_id"), _ids(settings, "tasks", "task_id"))


def ids(settings: Settings, stream: str, key: str) -> Sequence[str]:
    """Those that a published stream names."""
    found: list[str] = (
        facts(settings.root, stream, synthetic.UNTIL).select(key).unique().collect()[key].sort().to_list()
    )
    return found


def _ids(settings: Settings, stream: str, key: str) -> Path:
    path = settings.root / f"{key}.txt"
    path.write_text("\n".join(ids(settings, stream, key)))
    return path
