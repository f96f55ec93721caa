"""The weekly job as Airflow runs it: triggered over REST in a real scheduler, and by dag.test()."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from serving.airflow import Airflow, Run
from tests.dags.command import talentml
from tests.end_to_end.conftest import EARLY, UNTIL, Journey
from tests.patience import LONG

pytestmark = pytest.mark.timeout(3600)  # the first test waits for the whole journey: seven products
ROOT = Path(__file__).parents[2]
PRODUCT = "talentml_task_performance"
TEST_RUN = """
import json, sys
from airflow.dag_processing.dagbag import DagBag
run = DagBag(sys.argv[1]).dags[sys.argv[2]].test(run_conf={"until": sys.argv[3]})
states = {task.task_id: str(task.state) for task in run.get_task_instances()}
print("RESULT " + json.dumps({"run": str(run.state), **states}))
"""


@pytest.fixture(scope="module")
def airflow(journey: Journey) -> Iterator[Airflow]:
    home = journey.settings.root
    started = talentml("servers", "start", "airflow", "--json", home=home)
    assert started.code == 0, started.stderr
    try:
        yield Airflow.of(journey.settings)
    finally:
        talentml("servers", "stop", "airflow", home=home)


def run(airflow: Airflow, dag: str, until: str) -> Run:
    airflow.unpause(dag, LONG)
    return airflow.wait(dag, airflow.trigger(dag, {"until": until}), seconds=10 * LONG)


def states(found: Run) -> dict[str, str | None]:
    return {task.name: task.state for task in found.tasks}


def test_airflows_scheduler_reads_every_dag_without_an_error(airflow: Airflow) -> None:
    airflow.unpause(PRODUCT, LONG)
    assert airflow.import_errors() == {}
    assert {"talentml_features", "talentml_retrain_check", PRODUCT} <= set(airflow.dags())


def test_the_features_dag_extracts_checks_and_publishes(airflow: Airflow) -> None:
    found = run(airflow, "talentml_features", UNTIL)
    assert states(found) == dict.fromkeys(("ingest", "check", "materialize"), "success")


def test_a_second_run_of_a_products_week_registers_nothing_and_is_green(airflow: Airflow, journey: Journey) -> None:
    before = champion(journey)
    found = run(airflow, PRODUCT, UNTIL)
    assert states(found) == dict.fromkeys(("train", "evaluate", "promote", "deploy", "drift"), "success")
    assert champion(journey) == before


def champion(journey: Journey) -> Any:
    found = talentml("status", "--json", home=journey.settings.root).answer
    return next(one["champion"] for one in found["products"] if one["product"] == "task_performance")


def test_a_refusal_by_the_gate_is_skipped_with_deploy_and_drift_still_runs(journey: Journey, tmp_path: Path) -> None:
    """The older week's model does not beat the champion."""
    settings = {
        "AIRFLOW_HOME": str(tmp_path),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__CORE__DAGBAG_IMPORT_TIMEOUT": "600",
        "AIRFLOW__CORE__DAGS_FOLDER": str(ROOT / "dags"),
        "TALENTML_HOME": str(journey.settings.root),
    }
    environment = {**os.environ, **settings}
    airflow = Path(sys.executable).with_name("airflow")
    subprocess.run([airflow, "db", "migrate"], env=environment, check=True, capture_output=True)
    command = [sys.executable, "-c", TEST_RUN, str(ROOT / "dags"), PRODUCT, EARLY]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    found = json.loads(next(line for line in done.stdout.splitlines() if line.startswith("RESULT"))[7:])
    assert found == {
        "run": "success", "train": "success", "evaluate": "success", "promote": "skipped", "deploy": "skipped",
        "drift": "success",
    }  # fmt: skip
