"""Retrain and rollback by HTTP: who may, what is written down, and what is away (FAULTS 21)."""

import re
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import text

from feature_repo.platform import database
from feature_repo.settings import Settings
from monitoring.audit import Entry, entries
from serving.access.auth import issue
from serving.access.caller import Role
from serving.access.keys import make_secret
from serving.limits import LIMITS, Limits
from serving.routes import retraining
from serving.routes.rollback import rolled_back
from serving.schemas.problems import ProblemError
from tests.patience import LONG
from tests.ports import dead_port
from tests.serving import world
from tests.serving.asked import SUBJECTS, Site, site
from tests.serving.process import server, until
from tests.serving.ranker import PRODUCT
from tests.serving.recommenders import two_champions
from tests.training import tracking
from training.history import moves
from training.products import PRODUCTS
from training.registry import Registry

RETRAIN, ROLLBACK = "retrain", f"{PRODUCT.name}/rollback"
WHY = {"reason": "the tests ask"}
BODIES: dict[str, dict[str, Any]] = {RETRAIN: {"product": PRODUCT.name, **WHY}, ROLLBACK: WHY}


@pytest.fixture
def asked(tmp_path: Path) -> Iterator[Site]:
    """A home without servers."""
    with site(tmp_path / "home") as found:
        yield found


def written(asked: Site) -> list[Entry]:
    return entries(database(asked.running.settings))


@pytest.mark.parametrize("path", [RETRAIN, ROLLBACK])
@pytest.mark.parametrize("role", [Role.SERVICE, Role.ENGINEER, Role.TALENT])
def test_whoever_is_no_admin_is_refused_and_that_is_audited(asked: Site, path: str, role: Role) -> None:
    status, answer = asked.post(path, BODIES[path], role)
    assert status == 403
    assert answer["detail"] == f"The role {role} may not do this, allowed: admin."
    (entry,) = written(asked)
    assert (entry.subject, entry.role, entry.outcome) == (SUBJECTS[role], role, "refused")
    assert (entry.action, entry.request_id) == (path.rpartition("/")[2], "r-1")


@pytest.mark.parametrize("role", [Role.TALENT, Role.ADMIN])
@pytest.mark.parametrize("sent", ["canary", "%00canary", "canary%0Arefused"])
def test_the_log_does_not_repeat_a_name_that_no_product_has(
    asked: Site, role: Role, sent: str, caplog: pytest.LogCaptureFixture
) -> None:
    """And PostgreSQL, which takes no NUL, writes the refusal down."""
    assert asked.ask(role).post(f"/api/v1/models/{sent}/rollback", json=WHY).status_code in (403, 404)
    (entry,) = written(asked)
    assert (entry.target, "\0" in entry.detail) == ("unknown product", False)
    said = [record.getMessage() for record in caplog.records if record.name.startswith("talentml")]
    assert said
    assert not [line for line in said if "canary" in line]


@pytest.mark.parametrize("path", [RETRAIN, ROLLBACK])
def test_a_refusal_does_not_depend_on_the_body(asked: Site, path: str) -> None:
    """Nobody learns by trying which products there are, or escapes the audit by sending nonsense."""
    for body in ("{", '{"product": "none", "reason": ""}', ""):
        assert asked.ask(Role.SERVICE).post(f"/api/v1/models/{path}", content=body).status_code == 403
    assert [entry.outcome for entry in written(asked)] == ["refused"] * 3


WRONG = (
    (RETRAIN, {"product": "nonsense", **WHY}, 404, f"No such product: nonsense, allowed: {', '.join(PRODUCTS)}."),
    (RETRAIN, {"product": PRODUCT.name, "products": [PRODUCT.name], **WHY}, 422, "give either product or products"),
    (RETRAIN, WHY, 422, "give either product or products"),
    (RETRAIN, {"product": PRODUCT.name}, 422, "Field required"),
    (RETRAIN, {"product": PRODUCT.name, "reason": " "}, 422, "String should have at least 1 character"),
    (RETRAIN, {"products": [], **WHY}, 422, "List should have at least 1 item after validation, not 0"),
    (ROLLBACK, {**WHY, "version": "3"}, 422, "Input should be a valid integer"),
    (ROLLBACK, {**WHY, "force": True}, 422, "Extra inputs are not permitted"),
    ("nonsense/rollback", WHY, 404, f"No such product: nonsense, allowed: {', '.join(PRODUCTS)}."),
)


@pytest.mark.parametrize(("path", "body", "status", "said"), WRONG)
def test_an_admin_who_asks_wrongly_is_told_what_is_allowed(
    asked: Site, path: str, body: Any, status: int, said: str
) -> None:
    found, answer = asked.post(path, body)
    assert found == status
    assert said in [answer["detail"], *(error["message"] for error in answer.get("errors", ()))]
    assert [entry.outcome for entry in written(asked)] == ["refused"]


def test_without_the_audit_log_nothing_is_done(asked: Site) -> None:
    with database(asked.running.settings).begin() as connection:
        connection.execute(text("drop table audit_log"))
    for path, body in BODIES.items():
        status, answer = asked.post(path, body)
        assert (status, "Nothing was done" in answer["detail"]) == (503, True)


def test_a_refusal_is_told_and_logged_though_the_database_is_away(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with site(tmp_path, database_url="postgresql://nobody@127.0.0.1:1/none") as asked:
        status, _ = asked.post(ROLLBACK, WHY, Role.TALENT)
        assert status == 403
        assert f"rollback {PRODUCT.name} refused, role talent, subject" in caplog.text
        assert "this line is all there is" in caplog.text
        assert SUBJECTS[Role.TALENT] not in [word.strip(",") for word in caplog.text.split()]
        assert asked.post(ROLLBACK, WHY)[0] == 503


def test_without_airflow_an_admin_is_told_how_to_train_by_hand(asked: Site) -> None:
    answer = asked.ask(Role.ADMIN).post("/api/v1/models/retrain", json=BODIES[RETRAIN])
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "30")
    assert "talentml servers start airflow" in answer.json()["detail"]
    assert f"talentml train {PRODUCT.name}" in answer.json()["detail"]
    assert [entry.outcome for entry in written(asked)] == ["failed"]


def test_an_airflow_that_does_not_answer_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retraining, "LIMITS", replace(LIMITS, airflow_seconds=0.5))
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://admin:secret-of-airflow@127.0.0.1:{silent.getsockname()[1]}"
        with site(tmp_path, airflow_url=url) as asked:
            status, answer = asked.post(RETRAIN, BODIES[RETRAIN])
            assert (status, "Airflow does not answer" in answer["detail"]) == (503, True)
            assert "secret-of-airflow" not in str(answer) + str(written(asked))


# --- Rollback, with MLflow


@pytest.fixture
def served(tmp_path: Path) -> Iterator[tuple[Site, Registry]]:
    """A home of its own in the session's MLflow; its champions are the two newest versions."""
    home = world.copy(tmp_path / "home")
    with site(home, mlflow_url=tracking.server(), database_url=f"sqlite:///{tmp_path}/shared.db") as found:
        yield found, Registry(found.running.settings)


@pytest.mark.slow
def test_a_rollback_goes_one_champion_back_and_is_audited(served: tuple[Site, Registry]) -> None:
    asked, registry = served
    one, two = two_champions(registry)
    status, answer = asked.post(ROLLBACK, {"reason": "estimates are off", "version": two.number})
    assert (status, answer) == (
        200,
        {"product": PRODUCT.name, "status": "done", "from_version": two.number, "to_version": one.number},
    )
    assert registry.champion(PRODUCT.name) == registry.recorded(PRODUCT.name) == one
    assert moves(registry.engine, PRODUCT.name)[0]["kind"] == "rollback"
    (entry,) = entries(registry.engine)
    assert (entry.subject, entry.target, entry.outcome) == ("ada", PRODUCT.name, "done")
    assert entry.detail == f"asked: estimates are off; from version {two.number} to {one.number}"

    status, answer = asked.post(ROLLBACK, {**WHY, "version": two.number})  # sent twice: nothing moves twice
    assert (status, answer["detail"]) == (
        409,
        f"{PRODUCT.name}: version {one.number} is champion, not version {two.number}: nothing to do.",
    )
    status, answer = asked.post(ROLLBACK, WHY)
    assert (status, answer["detail"]) == (409, f"{PRODUCT.name}: no earlier champion to roll back to.")
    assert [entry.outcome for entry in entries(registry.engine)] == ["refused", "refused", "done"]
    assert registry.champion(PRODUCT.name) == one


@pytest.mark.slow
def test_of_several_rollbacks_from_one_version_at_the_same_time_one_moves(served: tuple[Site, Registry]) -> None:
    asked, registry = served
    one, two = two_champions(registry)
    body = {**WHY, "version": two.number}
    with ThreadPoolExecutor(3) as pool:
        found = list(pool.map(lambda _: asked.post(ROLLBACK, body)[0], range(3)))
    assert sorted(found) == [200, 409, 409]
    assert registry.champion(PRODUCT.name) == one
    assert sorted(entry.outcome for entry in entries(registry.engine)) == ["done", "refused", "refused"]


@pytest.mark.slow
def test_a_rollback_is_served_by_both_workers(tmp_path: Path) -> None:
    home = world.copy(tmp_path / "home")
    make_secret(home)
    settings = Settings(home=home, mlflow_url=tracking.server(), _env_file=None)
    one, two = two_champions(Registry(settings))
    token = issue(settings, "ada", Role.ADMIN, timedelta(minutes=5))
    headers = {"Authorization": f"Bearer {token}"}
    with server(settings, workers=2) as found, httpx.Client(base_url=found.url, timeout=LONG) as http:

        def is_served(number: int) -> bool:
            """By whichever worker answers, on twenty connections of their own."""
            answers = (httpx.get(f"{found.url}/api/v1/health", timeout=LONG).json() for _ in range(20))
            return all(each["models"][PRODUCT.name]["version"] == number for each in answers)

        until(lambda: is_served(two.number))
        answer = http.post(f"/api/v1/models/{ROLLBACK}", json=WHY, headers=headers)
        assert (answer.status_code, answer.json()["to_version"]) == (200, one.number)
        until(lambda: is_served(one.number))


@pytest.mark.slow
def test_with_mlflow_away_a_rollback_is_a_503_audited_and_logged_with_its_reason(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    url = f"http://127.0.0.1:{dead_port()}"
    with site(tmp_path, mlflow_url=url) as asked:
        status, answer = asked.post(ROLLBACK, WHY)
        assert (status, "MLflow" in answer["detail"]) == (503, True)
        assert [entry.outcome for entry in written(asked)] == ["failed"]
    assert f"rollback of {PRODUCT.name}: RegistryError: mlflow: {url[7:]} does not answer" in caplog.text


@pytest.mark.slow
def test_a_rollback_that_fails_as_nobody_foresaw_is_logged_with_its_kind_and_place(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with pytest.raises(ProblemError, match="the log says why"):
        rolled_back(Settings(home=tmp_path, _env_file=None), "no product")
    assert re.search(r"rollback of no product: KeyError at .*rollback\.py:\d+ main", caplog.text)


# --- Retraining, with Airflow


@pytest.mark.slow
def test_retraining_begins_one_run_however_often_it_is_asked_for(tmp_path: Path) -> None:
    from dags import servers
    from dags.verbs.platform import mark_made
    from serving.airflow import Airflow, dag_of

    settings = Settings(home=world.copy(tmp_path / "home"), _env_file=None)
    mark_made(settings)
    servers.start(settings, ["airflow"])
    try:
        airflow = Airflow.of(settings)
        for name in ("career", "learning"):
            airflow.unpause(dag_of(name), LONG)
        with site(settings.root) as asked:
            several = {"products": ["career", "learning", "career"], **WHY}
            with ThreadPoolExecutor(4) as pool:
                found = list(pool.map(lambda _: asked.post(RETRAIN, several), range(4)))
            assert [status for status, _ in found] == [202] * 4
            runs = [(run["dag"], run["run"]) for _, answer in found for run in answer["runs"]]
            assert len(set(runs)) == 2
            assert [run["is_new"] for _, answer in found for run in answer["runs"]].count(True) == 2
            assert {airflow.run(dag, run).dag for dag, run in runs} == {dag_of("career"), dag_of("learning")}
            assert [entry.outcome for entry in written(asked)] == ["done"] * 4
            airflow._call("PATCH", f"/api/v2/dags/{dag_of('career')}", {"is_paused": True})
            status, answer = asked.post(RETRAIN, {"product": "career", **WHY})
            assert (status, "is paused in Airflow" in answer["detail"]) == (409, True)
    finally:
        servers.stop(settings, ["airflow"])


def test_a_caller_waits_less_for_an_admins_order_than_the_border_waits_for_an_answer() -> None:
    users = Limits()
    assert users.airflow_seconds < users.admin_seconds < users.answer_seconds


def test_champions_are_looked_for_twice_as_often_as_five_seconds_need() -> None:
    users = Limits()
    assert users.registry_poll_seconds + users.watch_seconds <= 5 / 2
