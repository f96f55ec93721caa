"""The worker's own process: what it imports, and how it is started."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from feature_repo.settings import Settings
from serving.launch import command, environment
from serving.routes.api import application
from tests.serving.conftest import promote, promoted, settings_of
from tests.serving.process import ROOT
from training.products import PRODUCTS

WORKER = """
import json, sys
from fastapi.testclient import TestClient
from datetime import timedelta
from feature_repo.settings import load
from tests.serving.served import TalentService
from serving.access.auth import Role, issue

service = TalentService()
token = issue(load(), "portal", Role.SERVICE, timedelta(hours=1))
client = TestClient(TalentService.to_asgi(), headers={"Authorization": f"Bearer {token}"})
answer = client.post("/api/v1/recommendations/task-assignment", json={"task_id": "T60"}).json()
service.close()
print(json.dumps({"source": answer["source"], "modules": sorted(sys.modules)}))
"""


BESIDE = """
from types import SimpleNamespace
from fastapi.testclient import TestClient
from feature_repo.settings import load
from serving.access.auth import Tokens
from serving.routes.refusals import Refusals
from serving.service import TalentService
from serving.telemetry.metrics import Metrics
from serving.worker import APP

APP.state.running = SimpleNamespace(tokens=Tokens.of(load()), metrics=Metrics(), refusals=Refusals(None, ()))
client = TestClient(TalentService.to_asgi())
for path in ("/livez", "/healthz", "/schema.json", "/docs.json", "/", "/metrics", "/static_content/index.css"):
    print(path, client.get(path).status_code)
"""


def test_of_what_bentoml_serves_itself_only_its_probes_can_be_asked_for(home: Path) -> None:
    variables = environment(settings_of(home))
    done = subprocess.run([sys.executable, "-c", BESIDE], env=variables, cwd=ROOT, capture_output=True, check=True)
    said = [line.split() for line in done.stdout.decode().splitlines() if line.startswith("/")]
    assert {path: int(status) for path, status in said} == {
        "/livez": 200, "/healthz": 200,
        "/schema.json": 401, "/docs.json": 401, "/": 401, "/metrics": 401, "/static_content/index.css": 401,
    }  # fmt: skip


@pytest.mark.slow
def test_a_worker_that_has_answered_holds_no_library_that_serving_does_not_need(home: Path) -> None:
    promote(home, promoted(home, 3))
    variables = environment(settings_of(home))
    done = subprocess.run([sys.executable, "-c", WORKER], env=variables, cwd=ROOT, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()[-3000:]
    found = json.loads(done.stdout.splitlines()[-1])
    unwanted = {"feast", "torch", "evidently", "pandas", "sklearn", "mlflow", "great_expectations", "airflow", "shap"}
    assert (found["source"], unwanted & set(found["modules"])) == ("model", set())


def test_bentomls_parent_which_begins_the_workers_imports_nothing_that_answers(home: Path) -> None:
    asked = "import serving.service, sys; print(*sys.modules)"
    variables = environment(settings_of(home))
    done = subprocess.run([sys.executable, "-c", asked], env=variables, cwd=ROOT, capture_output=True, check=True)
    answering = {"serving.worker", "serving.running", "polars", "numba", "ibis", "sqlalchemy"}
    assert answering & set(done.stdout.decode().split()) == set()


def test_the_service_is_bound_to_loopback_and_keeps_its_state_in_the_home(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TALENTML_NEO4J_URL", "bolt://u:secret@h:2")
    settings = Settings(home=tmp_path, database_url="sqlite:///x.db", mysql_url="mysql://u:secret@h:1", _env_file=None)
    variables = environment(settings, workers=3)
    assert command(8700)[-4:] == ["--host", "127.0.0.1", "--port", "8700"]
    assert variables["TALENTML_HOME"] == str(tmp_path)
    assert variables["TALENTML_DATABASE_URL"] == "sqlite:///x.db"
    assert not {"TALENTML_MYSQL_URL", "TALENTML_NEO4J_URL"} & set(variables)
    assert variables["BENTOML_HOME"].startswith(str(tmp_path))
    assert variables["BENTOML_CONFIG_OPTIONS"] == "services.TalentService.workers=3"


def test_the_page_of_the_routes_needs_nothing_from_elsewhere():
    client = TestClient(application(PRODUCTS))
    page = client.get("/docs").text
    assert "https://" not in page
    for asset in ("/docs-assets/swagger-ui-bundle.js", "/docs-assets/swagger-ui.css"):
        assert asset in page
        assert client.get(asset).status_code == 200
