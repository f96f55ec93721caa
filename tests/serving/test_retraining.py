"""What an admin who asks for a retraining is told where something else than Airflow answers at its address."""

from pathlib import Path

import pytest

from feature_repo.platform import database
from monitoring.audit import entries
from tests.serving.asked import site
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
