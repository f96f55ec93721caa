"""Airflow over its REST API, for the admin routes and `make demo`: trigger a run, wait for its end, read its tasks."""

import json
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from http.client import HTTPException
from typing import Any
from urllib.error import HTTPError
from urllib.parse import quote, unquote, urlsplit
from urllib.request import Request, urlopen

import stamina

from feature_repo.errors import ServingError
from feature_repo.settings import Settings
from feature_repo.sources.launches import silently
from feature_repo.sources.servers import address

ENDED = ("success", "failed")
# What a task may end as when all is well; a refusal by the gate is a skipped task.
GREEN = ("success", "skipped")
UNDER_WAY = ("queued", "running")
"""What a run is in until it ends."""
INTERNAL, TAKEN = 500, 409


class BusyError(ServingError):
    """Airflow could not serve a request that it may serve when asked again."""


class TakenError(ServingError):
    """Airflow has a run of that name already."""


def dag_of(product: str) -> str:
    """The DAG that trains, judges and deploys a product."""
    return f"talentml_{product}"


@dataclass(frozen=True)
class Task:
    """One task of a run: its state (None before it is scheduled), tries, and seconds of the last try."""

    name: str
    state: str | None
    tries: int
    seconds: float | None


@dataclass(frozen=True)
class Run:
    """A run of a DAG and its tasks, in the order in which they started."""

    dag: str
    name: str
    state: str
    tasks: tuple[Task, ...]

    @property
    def is_green(self) -> bool:
        """Whether the run succeeded and each of its tasks ended well."""
        return self.state == "success" and all(task.state in GREEN for task in self.tasks)


class Airflow:
    """A client of one Airflow. Raises ServingError that names the route and what was answered."""

    def __init__(self, url: str, seconds: float = 30, attempts: int = 5) -> None:
        """url: http://user:password@host:port. seconds: of a request; attempts: while Airflow's database is locked."""
        parts = urlsplit(url)
        self.page = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"
        self._login = {"username": unquote(parts.username or ""), "password": unquote(parts.password or "")}
        self._seconds, self._attempts = seconds, attempts
        self._token = ""

    @classmethod
    def of(cls, settings: Settings, seconds: float = 30, attempts: int = 5) -> "Airflow":
        """The Airflow of the settings or of the home. Raises SourceError when none runs."""
        return cls(address(settings, "airflow"), seconds, attempts)

    def dags(self) -> dict[str, bool]:
        """Each DAG that Airflow has parsed -> whether it is paused."""
        return {dag["dag_id"]: dag["is_paused"] for dag in self._call("GET", "/api/v2/dags?limit=1000")["dags"]}

    def import_errors(self) -> dict[str, str]:
        """Each file of the DAGs' folder that cannot be parsed -> its traceback."""
        rows = self._call("GET", "/api/v2/importErrors?limit=1000")["import_errors"]
        return {row["filename"]: row["stack_trace"] for row in rows}

    def unpause(self, dag: str, seconds: float = 90) -> None:
        """Let a DAG run, waiting for Airflow to parse it first. A ServingError shows the import errors there are."""
        deadline = time.monotonic() + seconds
        while dag not in self.dags():
            if time.monotonic() > deadline:
                broken = self.import_errors() or "no import error"
                raise ServingError(f"airflow: no DAG {dag} after {seconds:.0f} s, but {sorted(self.dags())}; {broken}")
            time.sleep(0.5)
        if self.dags()[dag]:
            self._call("PATCH", f"/api/v2/dags/{quote(dag)}", {"is_paused": False})

    def is_paused(self, dag: str) -> bool:
        """Whether a DAG is paused: its runs would wait until somebody unpauses it."""
        return bool(self._call("GET", f"/api/v2/dags/{quote(dag)}")["is_paused"])

    def under_way(self, dag: str, since: datetime) -> str | None:
        """The newest run that has not ended, or was asked for since then; its id, None where there is none."""
        rows = self._call("GET", f"/api/v2/dags/{quote(dag)}/dagRuns?order_by=-run_after&limit=20")["dag_runs"]
        found = (
            row["dag_run_id"]
            for row in rows
            if row["state"] in UNDER_WAY or datetime.fromisoformat(row["run_after"]) >= since
        )
        return next(found, None)

    def trigger(
        self, dag: str, conf: Mapping[str, Any] | None = None, name: str | None = None, note: str | None = None
    ) -> str:
        """Ask for a run now, with conf for its params; returns the run's id, which is ours: asking twice runs once.

        name: the run's id, one of this instant unless given. Raises TakenError where another call gave it to a run.
        """
        own = name or f"asked__{datetime.now(UTC):%Y-%m-%dT%H:%M:%S.%f}"
        asked = {"dag_run_id": own, "logical_date": None, "conf": dict(conf or {}), "note": note}
        try:
            self._call("POST", f"/api/v2/dags/{quote(dag)}/dagRuns", asked)
        except ServingError as error:
            # The answer may be lost after the run was made.
            if (isinstance(error, TakenError) and name) or not self._has(dag, own):
                raise
        return own

    def _has(self, dag: str, name: str) -> bool:
        try:
            return bool(self.run(dag, name))
        except ServingError:
            return False

    def run(self, dag: str, name: str) -> Run:
        """A run as it is now."""
        path = f"/api/v2/dags/{quote(dag)}/dagRuns/{quote(name)}"
        tasks = self._call("GET", f"{path}/taskInstances?limit=1000")["task_instances"]
        ordered = sorted(tasks, key=lambda task: (task["start_date"] or "~", task["task_id"]))
        rows = (Task(row["task_id"], row["state"], row["try_number"], row["duration"]) for row in ordered)
        return Run(dag, name, str(self._call("GET", path)["state"]), tuple(rows))

    def wait(self, dag: str, name: str, seconds: float, say: Callable[[str], None] = silently) -> Run:
        """A run once it has ended; say is told of each task's change. Raises ServingError when it takes too long."""
        deadline, seen = time.monotonic() + seconds, dict[str, str | None]()
        while True:
            found = self.run(dag, name)
            for task in found.tasks:
                if task.state != seen.get(task.name):
                    say(f"{dag} {task.name}: {task.state}")
                    seen[task.name] = task.state
            if found.state in ENDED:
                return found
            if time.monotonic() > deadline:
                raise ServingError(f"airflow: {dag} {name} is {found.state} after {seconds:.0f} s: {seen}")
            time.sleep(0.5)

    def log(self, run: Run, task: Task) -> str:
        """What the last try of a task wrote."""
        route = f"/api/v2/dags/{quote(run.dag)}/dagRuns/{quote(run.name)}/taskInstances/{quote(task.name)}"
        lines = self._call("GET", f"{route}/logs/{max(task.tries, 1)}?full_content=true")["content"]
        return "\n".join(line if isinstance(line, str) else str(line.get("event", "")) for line in lines)

    def _call(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Any:
        """One request, tried again while the database is locked: Airflow on SQLite says so as an error of its own."""
        for attempt in stamina.retry_context(on=BusyError, attempts=self._attempts, wait_initial=0.5, wait_max=4):
            with attempt:
                return self._answer(method, path, body)
        raise AssertionError("the last attempt returns or raises")

    def _answer(self, method: str, path: str, body: Mapping[str, Any] | None) -> Any:
        if not self._token:
            self._token = self._send("POST", "/auth/token", self._login)["access_token"]
        return self._send(method, path, body)

    def _send(self, method: str, path: str, body: Mapping[str, Any] | None) -> Any:
        headers = {"Content-Type": "application/json", "Accept": "application/json"}
        if self._token:
            headers["Authorization"] = f"Bearer {self._token}"
        asked = Request(self.page + path, None if body is None else json.dumps(body).encode(), headers, method=method)
        try:
            with urlopen(asked, timeout=self._seconds) as answer:
                return _object(answer.read())
        except HTTPError as error:
            raise _kind(error.code)(f"airflow: {method} {path}: {error.code} {_text(error)}") from None
        except (OSError, HTTPException, ValueError) as error:
            raise ServingError(f"airflow at {self.page} does not answer {method} {path}: {error!r}") from None


class _Said(dict[str, Any]):
    """An object of Airflow's. What answers at its address may be something else: a name that is missing says so."""

    def __missing__(self, name: str) -> Any:
        raise ServingError(f"airflow: an answer without {name}, but {sorted(self)[:10]}: is it Airflow 3?")


def _object(answer: bytes) -> _Said:
    """Raises ValueError for anything but a JSON object."""
    found = json.loads(answer, object_hook=_Said)
    if not isinstance(found, _Said):
        raise ValueError(f"{type(found).__name__}, allowed: an object")
    return found


def _text(error: HTTPError) -> str:
    """The beginning of what was said with an error, which may stop within, without what it repeats of the question.

    The note of a run names its caller and the reason, and this goes to the log.
    """
    with suppress(OSError, HTTPException):
        said = error.read()
        with suppress(ValueError):
            said = json.dumps(json.loads(said, object_hook=_without_input)).encode()
        return said.decode(errors="replace")[:500]
    return ""


def _without_input(found: dict[str, Any]) -> dict[str, Any]:
    """As Airflow's FastAPI names what was sent."""
    return {name: value for name, value in found.items() if name != "input"}


def _kind(status: int) -> type[ServingError]:
    return BusyError if status >= INTERNAL else TakenError if status == TAKEN else ServingError
