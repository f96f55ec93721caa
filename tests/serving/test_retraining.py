"""What an admin who asks for a retraining is told where something else than Airflow answers at its address."""

import asyncio
import gc
import socket
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from feature_repo.platform import database
from monitoring.audit import entries
from serving.access.caller import Caller, Role
from serving.limits import LIMITS
from serving.routes import admin, retraining
from serving.routes.audited import RETRAIN
from tests.serving.asked import SUBJECTS, Passed, Site, site
from tests.serving.logged import logged
from tests.serving.scripted import Step, drips, says, scripted

NONSENSE: dict[str, list[Step]] = {
    "a page": [says(200, b"<html>Welcome</html>", "text/html")],
    "a list": [says(200, [])],
    "other names": [says(200, {"message": "hello"})],
    "a token, then nothing": [says(201, {"access_token": "a.b.c"}), says(200, b"")],
    "runs of another kind": [
        says(201, {"access_token": "a.b.c"}),
        says(200, {"is_paused": False}),
        says(200, {"dag_runs": [{"state": "done"}]}),
    ],
    "no HTTP": [drips(b"SSH-2.0-OpenSSH_9.6\r\n")],
}


@pytest.mark.parametrize("script", NONSENSE.values(), ids=NONSENSE)
def test_an_airflow_that_says_something_else_is_as_one_that_is_away(tmp_path: Path, script: list[Step]) -> None:
    with scripted(*script) as other, site(tmp_path, airflow_url=other.url) as asked:
        status, answer = asked.post("retrain", {"product": "career", "reason": "the tests ask"})
        assert (status, "Airflow does not answer" in answer["detail"]) == (503, True)
        assert [entry.outcome for entry in entries(database(asked.running.settings))] == ["failed"]


def test_an_admin_and_the_reason_are_not_logged_though_airflow_repeats_them(tmp_path: Path) -> None:
    fault = {"msg": "Field required", "loc": ["body", "x"], "input": {"note": f"{SUBJECTS[Role.ADMIN]}: the tests ask"}}
    script = [
        says(201, {"access_token": "a.b.c"}), says(200, {"is_paused": False}), says(200, {"dag_runs": []}),
        says(422, {"detail": [fault]}),
    ]  # fmt: skip
    with scripted(*script) as other, site(tmp_path, airflow_url=other.url) as asked, logged() as lines:
        assert asked.post("retrain", {"product": "career", "reason": "the tests ask"})[0] == 503
    said = lines.getvalue()
    assert ("422" in said, "Field required" in said, "the tests ask" in said) == (True, True, False)


def test_an_order_that_fails_once_its_caller_was_told_that_it_takes_long_is_audited_and_nothing_unforeseen(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(admin, "LIMITS", replace(LIMITS, admin_seconds=0.1))
    monkeypatch.setattr(retraining, "LIMITS", replace(LIMITS, airflow_seconds=1.0))

    async def story(asked: Site) -> int:
        app, engine = Passed(asked.app, Caller("ada", Role.ADMIN)), database(asked.running.settings)
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://x") as client:
            answer = await client.post(RETRAIN, json={"product": "career", "reason": "the tests ask"})
        while [entry.outcome for entry in entries(engine)] != ["failed"]:
            await asyncio.sleep(0.05)
        await asyncio.sleep(0.2)  # the loop hears of it
        return answer.status_code

    with (
        socket.create_server(("127.0.0.1", 0)) as silent,
        site(tmp_path, airflow_url=f"http://x:y@127.0.0.1:{silent.getsockname()[1]}") as asked,
    ):
        assert asyncio.run(story(asked)) == 503
    gc.collect()
    assert [record.getMessage() for record in caplog.records if record.name == "asyncio"] == []
