"""What is logged, and what never is."""

import asyncio
import logging
import warnings
from pathlib import Path

import polars as pl
import pytest
from polars.exceptions import PolarsError
from pydantic import SecretStr
from sqlalchemy import create_engine, text
from sqlalchemy.exc import SQLAlchemyError

from feature_repo.errors import DataError, RegistryError
from feature_repo.settings import Settings
from serving.access.caller import Caller, Role
from serving.limits import LIMITS
from serving.schemas.problems import ProblemError
from serving.telemetry import logs
from serving.telemetry.redaction import clean, described, secrets
from serving.telemetry.trace import CURRENT, Trace
from tests.serving.logged import Lines, logged

OURS = logging.getLogger("talentml.serving")
ROUTE = "/api/v1/trends/forecast/{skill_id}"


def scope(method: str = "GET", **state: object) -> dict[str, object]:
    return {"type": "http", "method": method, "path": "/api/v1/trends/forecast/sql", "state": state}


def test_a_request_is_one_line_of_bounded_facts() -> None:
    trace = Trace("r-1")
    trace.took("features", 0.0015)
    trace.took("prediction", 0.002)
    trace.answered(product="skill_demand", source="model", version=3, cached=False)
    caller = Caller("P1", Role.TALENT)
    CURRENT.set(trace)
    with logged() as lines:
        logs.request(scope(caller=caller), ROUTE, trace, 200, 0.0123456, in_flight=2)
    CURRENT.set(None)
    line = lines.parsed[0]
    assert line.pop("timestamp").endswith("Z")
    assert line == {
        "event": "request", "logger": "talentml.requests", "level": "info", "request_id": "r-1", "method": "GET",
        "route": "/api/v1/trends/forecast/{skill_id}", "status": 200, "role": "talent", "product": "skill_demand",
        "source": "model", "version": 3, "cached": False, "milliseconds": 12.346, "in_flight": 2,
        "stages": {"features": 1.5, "prediction": 2.0},
    }  # fmt: skip


@pytest.mark.parametrize(("over", "level"), [(-0.001, "info"), (0.001, "warning")])
def test_a_slow_request_is_a_warning(over: float, level: str) -> None:
    with logged() as lines:
        logs.request(scope(), ROUTE, Trace("r"), 200, LIMITS.slow_seconds + over)
    assert lines.parsed[0]["level"] == level


def say(request_id: str) -> None:
    logs.request(scope(), ROUTE, Trace(request_id), 200, 0.001)


def said(lines: Lines) -> list[str]:
    """By request id, and loggers' lines by what they say."""
    return [line.get("request_id", line["event"]) for line in lines.parsed]


def test_the_lines_of_requests_wait_a_moment_and_others_come_behind_them() -> None:
    async def story(lines: Lines) -> list[list[str]]:
        found = []
        for happens in (lambda: say("r-1"), lambda: say("r-2"), lambda: OURS.warning("w"), lambda: say("r-3")):
            happens()
            found.append(said(lines))
        await asyncio.sleep(0.3)
        return [*found, said(lines)]

    with logged(hold_seconds=0.1) as lines:
        found = asyncio.run(story(lines))
    assert found == [[], [], ["r-1", "r-2", "w"], ["r-1", "r-2", "w"], ["r-1", "r-2", "w", "r-3"]]


def test_the_lines_that_wait_when_a_worker_stops_are_written() -> None:
    async def story() -> None:
        say("r-1")

    with logged(hold_seconds=60.0) as lines:
        asyncio.run(story())
        assert said(lines) == []
        logs.write_held()
        assert said(lines) == ["r-1"]


def test_a_method_that_somebody_made_up_is_other() -> None:
    with logged() as lines:
        logs.request(scope(method="JOHN"), ROUTE, Trace("r"), 405, 0.001)
    assert lines.parsed[0]["method"] == "other"


def test_the_answers_of_a_batch_add_up_and_what_differs_is_mixed() -> None:
    trace = Trace("r")
    for source, version in (("model", 3), ("fallback", None), ("model", 3)):
        trace.took("features", 0.001)
        trace.answered(product="skill_demand", source=source, version=version)
    assert trace.stages == {"features": 3.0}
    assert trace.facts == {"product": "skill_demand", "source": "mixed", "version": "mixed"}


def test_what_is_logged_for_a_request_carries_its_id() -> None:
    CURRENT.set(Trace("r-7"))
    with logged() as lines:
        OURS.warning("something")
    CURRENT.set(None)
    assert [(line["event"], line["level"], line["request_id"]) for line in lines.parsed] == [
        ("something", "warning", "r-7")
    ]


def test_a_traceback_has_places_and_causes_and_no_values() -> None:
    with logged() as lines:
        try:
            _fail(name="canary")
        except RuntimeError:
            OURS.exception("it failed")
    [line] = lines.parsed
    assert "canary" not in lines.getvalue()
    assert [each["error"] for each in line["exception"]] == ["RuntimeError", "KeyError"]
    assert line["exception"][0]["frames"][-1].endswith(" _fail")


def _fail(name: str) -> None:
    try:
        {}[name]
    except KeyError as error:
        raise RuntimeError(f"no {name}") from error


def _polars() -> None:
    pl.DataFrame({"x": ["canary"]}).select(pl.col("x").cast(pl.Float64))


def _database() -> None:
    with create_engine("sqlite://").connect() as connection:
        connection.execute(text("select * from nowhere where x = :x"), {"x": "canary"})


def _file() -> None:
    Path("/nowhere/canary").read_text()


@pytest.mark.parametrize(
    ("fails", "said"),
    [
        (_polars, "InvalidOperationError"),
        (_database, "OperationalError"),
        (_file, "FileNotFoundError: No such file or directory"),
    ],
)
def test_of_others_errors_the_words_are_left_out(fails: object, said: str) -> None:
    assert callable(fails)
    with pytest.raises((OSError, SQLAlchemyError, PolarsError)) as caught:
        fails()
    assert described(caught.value) == said


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (DataError("quality: 7, allowed 1 to 5"), "DataError: quality: 7, allowed 1 to 5"),
        (RegistryError("mysql://root:canary@db:1 is away"), "RegistryError: mysql://***@db:1 is away"),
        (ProblemError(404, "No such person: canary"), "ProblemError: 404"),
    ],
)
def test_our_errors_are_said_in_full_but_for_secrets_and_what_is_meant_for_the_caller(
    error: Exception, said: str
) -> None:
    assert described(error) == said


def test_errors_among_the_arguments_of_a_line_are_put_in_safe_words() -> None:
    with logged() as lines:
        OURS.warning("%s: no explanation: %r", "task_assignment", ValueError("canary"))
    assert lines.parsed[0]["event"] == "task_assignment: no explanation: 'ValueError'"


def test_of_others_lines_only_the_template_is_kept() -> None:
    with logged() as lines:
        logging.getLogger("some.library").error("cannot read %s", "canary")
        logging.getLogger("asyncio").error("Task exception was never retrieved\nfuture: canary")
        warnings.warn("canary", stacklevel=1)
    first, second, third = (line["event"] for line in lines.parsed)
    assert (first, second) == ("cannot read %s", "Task exception was never retrieved")
    assert third.endswith(": UserWarning")


@pytest.mark.parametrize(
    ("text", "cleaned"),
    [
        ("Bearer eyJhbGciOiJub25lIn0.eyJzdWIiOiJhIn0.", "Bearer ***"),
        ("got eyJhbGciOiJub25lIn0.eyJzdWIiOiJhIn0.sig here", "got *** here"),
        ("postgresql://u:p%40ss@db/x", "postgresql://***@db/x"),
        ("password=hunter2, user=u", "password=***, user=u"),
        ('{"password": "hunter2", "user": "u"}', '{"password": "***", "user": "u"}'),
        ("{'token': 'hunter2'}", "{'token': '***'}"),
        ("the words hunter22 and more", "the words *** and more"),
        ("one line\nand another", "one line"),
    ],
)
def test_what_looks_like_a_credential_is_hidden(text: str, cleaned: str) -> None:
    assert clean(text, {"hunter22"}) == cleaned


def test_the_known_secrets_are_those_of_the_settings_and_the_passwords_in_its_addresses(tmp_path: Path) -> None:
    settings = Settings(
        home=tmp_path, database_url=SecretStr("postgresql://u:p%40ssword@db/x"), jwt_secret=SecretStr("k" * 32),
        airflow_url="http://admin:of-airflow@127.0.0.1:1", _env_file=None,
    )  # fmt: skip
    assert secrets(settings) == {"postgresql://u:p%40ssword@db/x", "p%40ssword", "p@ssword", "k" * 32, "of-airflow"}
