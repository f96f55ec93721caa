"""What an admin who asks for a retraining is told where something else than Airflow answers at its address."""

from pathlib import Path

import pytest

from feature_repo.platform import database
from monitoring.audit import entries
from serving.access.caller import Role
from tests.serving.asked import SUBJECTS, site
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
