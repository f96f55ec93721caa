"""What docs/service.md and docs/experiments.md say is what the code does: numbers, routes, roles, settings, metrics."""

import inspect
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from dags.verbs import experiment as verbs
from feature_repo.settings import Settings
from monitoring import assessment, experiment, feedback, sequential
from serving import client, launch
from serving.access.border import Border
from serving.answering import scoring
from serving.client import calls
from serving.limits import Limits
from serving.routes.api import application
from serving.running import Running
from serving.schemas.replies import Head
from serving.telemetry.metrics import Metrics, exposition
from tests.patience import LONG, PATIENT
from tests.serving import tiny, world
from tests.serving.conftest import headers, promote, promoted, settings_of
from tests.serving.logged import logged
from tests.serving.process import server, until
from training.products import PRODUCTS

DOCS = Path(__file__).parents[1] / "docs"
SERVICE = (DOCS / "service.md").read_text()
EXPERIMENTS = (DOCS / "experiments.md").read_text()
ROLES = ("service", "engineer", "admin", "talent")
USERS = Limits()
Row = tuple[str, ...]


def rows(text: str, *heads: str) -> list[Row]:
    """The rows of every table with these heads."""
    found, inside = [], False
    for line in text.splitlines():
        cells = tuple(cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1])
        inside = (inside and bool(cells)) or cells == heads
        if inside and cells != heads and set(cells[0]) != set("-"):
            found.append(cells)
    return found


def spans(text: str) -> list[str]:
    """What is written as code."""
    return re.findall(r"`([^`]+)`", text)


# --- Numbers

NAMED: dict[str, Any] = {
    **vars(experiment), **vars(assessment), **vars(client),
    "LIMITS": USERS, "calls": calls, "feedback": feedback, "start": verbs.start,
}  # fmt: skip


def named(code: str) -> Any:
    """The value of LIMITS.name, table[key][0], or the default of Callable(parameter)."""
    name, *keys = re.findall(r"[\w.]+", code)
    if code.endswith(")"):
        return inspect.signature(NAMED[name]).parameters[keys[0]].default
    value: Any = NAMED[name.split(".")[0]]
    for part in name.split(".")[1:]:
        value = getattr(value, part)
    for key in keys:
        value = value[int(key) if key.isdigit() else key]
    return value


NUMBERS = [
    *rows(SERVICE, "what", "how much", "is"),
    *rows(SERVICE, "what", "at most", "is"),
    *rows(EXPERIMENTS, "what", "is", "by"),
]


@pytest.mark.parametrize(("what", "said", "code"), NUMBERS, ids=[row[2] for row in NUMBERS])
def test_each_number_is_the_one_in_the_code(what: str, said: str, code: str) -> None:
    (number,) = re.findall(r"^[\d.,]+", said)
    assert float(number.replace(",", "")) == named(*spans(code)), what


def test_numbers_in_sentences_are_those_in_the_code() -> None:
    assert f"{Settings.model_fields['rate_limit'].default} for each `sub`" in SERVICE
    assert f"`warning` above {USERS.slow_seconds:g} s" in SERVICE
    assert f"nothing published for {USERS.stale_days:g} days" in SERVICE


def test_the_times_of_the_sequential_test_are_those_that_were_measured() -> None:
    table = [f"| {' | '.join(row)} |" for row in rows(EXPERIMENTS, *rows_head(sequential.__doc__ or ""))]
    assert len(table) == 4
    measured = re.sub(r" +", " ", sequential.__doc__ or "")
    assert [row for row in table if row not in measured] == []


def rows_head(text: str) -> Row:
    """The heads of the first table."""
    first = next(line for line in text.splitlines() if line.startswith("|"))
    return tuple(cell.strip() for cell in first.split("|")[1:-1])


# --- Names


def test_the_settings_are_those_that_the_service_is_given_with_their_defaults() -> None:
    table = {spans(name)[0]: spans(default) for name, default, _ in rows(SERVICE, "setting", "default", "says")}
    assert set(table) == {*launch.USED, "TALENTML_HOME"}
    for name, shown in table.items():
        default = Settings.model_fields[name.removeprefix("TALENTML_").lower()].default
        assert shown == ([] if default is None else [str(default)]), name


def test_the_metrics_are_those_that_there_are() -> None:
    told = dict(re.findall(r"^# TYPE (\w+) (\w+)$", exposition(Metrics().registry).decode(), re.M))
    table = {spans(name)[0]: kind for name, kind, _ in rows(SERVICE, "metric", "type", "says")}
    assert {name: kind for name, kind in told.items() if not name.endswith("_created")} == table


def test_what_every_answer_has_is_what_its_schema_says() -> None:
    assert {spans(field)[0] for field, _ in rows(SERVICE, "field", "says")} == set(Head.model_fields)


def test_every_reason_for_a_rule_is_named() -> None:
    reasons = (scoring.NO_MODEL, scoring.FAILED, scoring.MISSING, scoring.STALE, scoring.NOTHING)
    assert [reason for reason in reasons if f"`{reason}`" not in SERVICE] == []


# --- Routes and roles, asked of the service

ROUTES = {
    tuple(spans(route)[0].split()): who if who != "everybody" else ", ".join(ROLES)
    for route, who, _ in rows(SERVICE, "route", "who", "gives")
}


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    tiny.install()
    found = world.copy(tmp_path_factory.mktemp("documented") / "home")
    promote(found, promoted(found, 3))
    return found


@pytest.fixture(scope="module")
def asked(home: Path) -> Iterator[TestClient]:
    running = Running(settings_of(home), PRODUCTS)
    running.journal.start()
    app = application(PRODUCTS)
    app.state.running = running
    yield TestClient(Border(app))
    running.journal.close()
    running.judgements.close()
    running.platform.close()


def test_every_route_is_listed_and_no_other(asked: TestClient) -> None:
    paths = asked.get("/openapi.json").json()["paths"]
    assert set(ROUTES) == {(method.upper(), path) for path, operations in paths.items() for method in operations}


@pytest.mark.parametrize("role", [*ROLES, None])
@pytest.mark.parametrize(("method", "path"), ROUTES, ids=[path for _, path in ROUTES])
def test_who_may_ask_is_who_is_named(home: Path, asked: TestClient, method: str, path: str, role: Any) -> None:
    who = ROUTES[method, path]
    shown = headers(settings_of(home), "somebody", role) if role else {}
    place = path.format(prediction_id="0b7f3f0e-9c1e-4c57-b7a5-6a1a2f6f3f1c", name="career", skill_id="go")
    status = asked.request(method, place, json={} if method == "POST" else None, headers=shown).status_code
    if "without a token" in who:
        assert status == 200
    elif role is None:
        assert status == 401
    else:
        assert (status != 403) == (role in who.split(", "))


def test_a_request_s_line_in_the_log_has_the_fields_that_are_listed(home: Path, asked: TestClient) -> None:
    with logged() as lines:
        path = "/api/v1/recommendations/task-assignment"
        asked.post(path, json={"task_id": "T60"}, headers=headers(settings_of(home)))
    (line,) = [each for each in lines.parsed if each["event"] == "request"]
    assert {name for part, _ in rows(SERVICE, "part", "says") for name in spans(part)} == set(line)


# --- Examples, run as they stand but for the task, which is another world's


def examples(language: str, holding: str) -> list[str]:
    """The blocks of a language in which a text occurs."""
    blocks = re.findall(rf"^```{language}\n(.*?)^```", SERVICE, re.M | re.S)
    found = [block.replace("t001499", "T60").replace("p000188", "P0") for block in blocks if holding in block]
    assert found, holding
    return found


@pytest.mark.slow
def test_the_examples_run(home: Path) -> None:
    # feedback is refused unless its answer is logged soon, which on a busy machine takes longer
    with server(settings_of(home), limits={**PATIENT, "feedback_log_seconds": LONG}) as up:
        token = up.headers()["Authorization"].removeprefix("Bearer ")
        shell = {**os.environ, "SERVICE": up.url, "TOKEN": token}

        def run(*command: str, **more: str) -> str:
            return subprocess.check_output(command, env={**shell, **more}, text=True, cwd=DOCS.parent)

        (question,) = examples("sh", "task-assignment")
        answer = run("bash", "-euc", question)
        (prediction,) = re.findall(r'"prediction_id":"([^"]+)"', answer)
        (word,) = examples("sh", "feedback")
        # The log may be late by more than feedback waits for it, on a busy machine.
        until(lambda: '"replaced":false' in run("bash", "-euc", word, PREDICTION_ID=prediction))
        (program,) = examples("python", "Client(")
        # Its client gives up after five seconds, as a user's does: on a busy machine it may have to be run again.
        until(lambda: "404 No such task" in run(sys.executable, "-c", program))
