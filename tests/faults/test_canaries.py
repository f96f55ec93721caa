"""Row 30: no id, text, comment, token or password that was sent is found in logs, metrics or the answers to errors."""

import json
from collections.abc import Iterator, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from pydantic import SecretStr

from feature_repo.settings import Settings
from feature_repo.table import Frame
from serving.access.auth import issue
from serving.access.caller import Role
from tests.patience import LONG
from tests.ports import dead_port
from tests.serving import tiny, world
from tests.serving.conftest import promote, promoted, started
from tests.serving.logged import logged
from tests.serving.process import Server, server, until
from tests.serving.questions import ASKED
from tests.serving.test_fallback import give
from tests.serving.test_models import Answering
from training.route import Outputs

CANARY = "canary7f3"
PASSWORD = f"{CANARY}-password"
KEY = f"{CANARY}-key-of-the-tokens-that-are-taken-here"
TASK = {"title": f"{CANARY} title", "project_id": CANARY, "priority": 3, "estimate_hours": 4.0}
FEEDBACK = "/api/v1/recommendations/8d0f9a52-7a3b-4f0e-9a55-0d2b6f3d8f11/feedback"


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """A home with champions, and a database that is away, whose address holds a password."""
    tiny.install()
    home = world.copy(tmp_path_factory.mktemp("canaries") / "home")
    promote(home, promoted(home, 3))
    database = f"postgresql://talent:{PASSWORD}@127.0.0.1:{dead_port()}/talent"
    return Settings(home=home, database_url=SecretStr(database), jwt_secret=SecretStr(KEY), _env_file=None)


@pytest.fixture(scope="module")
def running(settings: Settings) -> Iterator[Server]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TALENTML_JWT_SECRET", KEY)
        patch.setenv("TALENTML_RATE_LIMIT", "100000/minute")
        with server(settings) as found:
            yield found


@pytest.fixture(scope="module")
def answers(settings: Settings, running: Server) -> list[httpx.Response]:
    """What was answered to canaries in every place."""
    admin = {"Authorization": f"Bearer {issue(settings, CANARY, Role.ADMIN, timedelta(hours=1))}"}
    talent = {"Authorization": f"Bearer {issue(settings, CANARY, Role.TALENT, timedelta(hours=1))}"}
    forged = {"Authorization": f"Bearer {CANARY}.{CANARY}.{CANARY}"}
    headers = {"User-Agent": CANARY, "X-Forwarded-For": CANARY, "Cookie": CANARY, "X-Request-ID": f"{CANARY}@mail"}
    with httpx.Client(base_url=running.url, headers=headers, timeout=LONG) as client:
        return [
            client.request(method, path, json=body, headers={**token, **more})
            for method, path, body, more in asked()
            for token in (admin, talent, forged, {})
        ]


def asked() -> Iterator[tuple[str, str, Any, Mapping[str, str]]]:
    """Every route with canaries in every field, then paths, queries, methods and headers that nobody declared."""
    for each in ASKED:
        yield from _questions(each.route.path, each.route.method, each.body)
    yield "POST", FEEDBACK, {"accepted": True, "rating": 5, "comment": CANARY, "person_id": CANARY}, {}
    yield "POST", f"/api/v1/recommendations/{CANARY}/feedback", {"accepted": True}, {}
    yield "POST", f"/api/v1/models/{CANARY}/rollback", {"reason": CANARY}, {}
    yield "GET", f"/{CANARY}?{CANARY}={CANARY}", None, {}
    yield "PROPFIND", f"/api/v1/health?{CANARY}", None, {}
    yield "POST", ASKED[0].route.path, ASKED[0].body, {"Content-Type": f"text/{CANARY}"}
    yield "POST", ASKED[0].route.path, ASKED[0].body, {"Content-Encoding": CANARY}


def _questions(path: str, method: str, body: Mapping[str, Any]) -> Iterator[tuple[str, str, Any, Mapping[str, str]]]:
    if method == "GET":
        yield "GET", path.split("{")[0] + CANARY + f"?limit={CANARY}", None, {}
        yield "GET", path.split("{")[0] + CANARY, None, {}
        return
    for name in body:
        is_list = isinstance(body[name], list)
        yield "POST", path, {**body, name: [CANARY] if is_list else CANARY}, {}
        yield "POST", path, {**body, name: {CANARY: CANARY}}, {}
    yield "POST", path, {**body, CANARY: CANARY}, {}
    yield "POST", path, {"task": TASK}, {}
    yield "POST", f"{path}/batch", {"requests": [{**body, "limit": CANARY}]}, {}


@pytest.mark.slow
def test_no_log_line_holds_a_canary_and_each_is_json(running: Server, answers: list[httpx.Response]) -> None:
    until(lambda: "prediction log cannot be written" in running.log.read_text())
    until(lambda: running.log.read_text().count('"event":"request"') >= len(answers))  # written once it is sent
    *lines, _ = running.log.read_text().split("\n")  # the last one may be half written
    assert [line for line in lines if CANARY in line.lower()] == []
    requests = [line for line in map(json.loads, filter(is_ours, lines)) if line["event"] == "request"]
    assert {"role", "route", "stages", "milliseconds", "request_id"} <= requests[-1].keys()


def is_ours(line: str) -> bool:
    """Whether it is no library's."""
    return line.startswith("{")


@pytest.mark.slow
def test_no_metric_holds_a_canary(settings: Settings, running: Server, answers: list[httpx.Response]) -> None:
    token = issue(settings, "ops", Role.ENGINEER, timedelta(hours=1))
    found = httpx.get(f"{running.url}/metrics", headers={"Authorization": f"Bearer {token}"}, timeout=LONG)
    assert found.status_code == 200
    assert CANARY not in found.text.lower()


@pytest.mark.slow
def test_the_answer_to_an_error_repeats_nothing_but_the_id_and_the_field_that_are_wrong(
    answers: list[httpx.Response],
) -> None:
    for each in (answer for answer in answers if answer.status_code >= 400):
        said = each.json()
        detail = "" if each.status_code == 404 else said["detail"]  # "No such task: ..." names the caller's own id
        messages = [fault["message"] for fault in said.get("errors", ())]
        assert CANARY not in json.dumps([detail, messages, said["title"], said["request_id"]]), each.text
        assert all(CANARY not in value for name, value in each.headers.items() if name != "location")


class Talkative(Answering):
    """A model that fails, and says with what."""

    def predict(self, frame: Frame) -> Outputs:
        raise ValueError(f"{CANARY} {frame}")


def test_a_model_that_says_what_it_failed_with_is_logged_without_its_words(tmp_path: Path) -> None:
    tiny.install()
    home = world.copy(tmp_path / "home")
    promote(home, promoted(home, 3))
    service = started(home)
    give(service, "task_assignment", Talkative())
    with logged() as lines:
        answer = service.rank(task_id="T60", candidates=["P1", CANARY])
    service.running.journal.close()
    assert (answer["source"], answer["reason"]) == ("fallback", "model failed")
    failed = next(line for line in lines.parsed if "exception" in line)
    assert [each["error"] for each in failed["exception"]] == ["ValueError"]
    assert failed["exception"][0]["frames"][-1].endswith("predict")
    assert CANARY not in lines.getvalue()
