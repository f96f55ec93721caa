"""The DAGs as Airflow reads them, in a process of its own with an Airflow home of its own."""

import json
import os
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from dags.steps import environment, features_cut
from feature_repo.settings import load
from feature_repo.window import instant
from tests.dags.test_cli import VERBS
from tests.test_layout import HEAVY
from training.products import PRODUCTS

ROOT = Path(__file__).parents[2]
READ = """
import json, sys
from airflow.dag_processing.dagbag import DagBag
from airflow.serialization.serialized_objects import DagSerialization
before = set(sys.modules)
bag = DagBag({folder!r})
print("RESULT " + json.dumps({{
    "errors": bag.import_errors,
    "dags": {{name: DagSerialization.to_dict(dag)["dag"] for name, dag in bag.dags.items()}},
    "modules": sorted({{module.partition(".")[0] for module in set(sys.modules) - before}}),
}}, default=str))
"""


@pytest.fixture(scope="module")
def bag(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    home = tmp_path_factory.mktemp("airflow")
    ours = {
        "AIRFLOW_HOME": str(home),
        "AIRFLOW__CORE__DAGBAG_IMPORT_TIMEOUT": "600",
        "TALENTML_HOME": str(home / "home"),
    }
    given = {**os.environ, **ours}
    code = READ.format(folder=str(ROOT / "dags"))
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=given)
    return dict(json.loads(next(line for line in done.stdout.splitlines() if line.startswith("RESULT"))[7:]))


def tasks(bag: dict[str, Any], dag_id: str) -> dict[str, dict[str, Any]]:
    return {one["__var"]["task_id"]: one["__var"] for one in bag["dags"][dag_id]["tasks"]}


def test_every_dag_parses_and_there_is_one_per_product(bag: dict[str, Any]) -> None:
    assert bag["errors"] == {}
    assert set(bag["dags"]) == {
        "talentml_features",
        "talentml_retrain_check",
        *(f"talentml_{name}" for name in PRODUCTS),
    }


def test_parsing_all_dags_imports_nothing_heavy(bag: dict[str, Any]) -> None:
    assert not set(bag["modules"]) & (HEAVY - {"airflow"})


@pytest.mark.parametrize(
    ("asked", "cut"),
    [
        ("2026-11-15T02:00:00Z", "2026-11-15T02:00:00Z"),
        ("2026-11-15T01:59:59Z", "2026-11-08T02:00:00Z"),
        ("2026-11-16T02:00:00Z", "2026-11-15T02:00:00Z"),
        ("2026-11-14T23:00:00-08:00", "2026-11-15T02:00:00Z"),
        ("2026-11-21T12:00:00Z", "2026-11-15T02:00:00Z"),
    ],
)
def test_products_are_as_of_the_last_cut_of_the_features(asked: str, cut: str) -> None:
    assert features_cut(instant(asked)) == instant(cut)


def test_each_task_runs_one_verb_that_exists_with_the_runs_date_in_the_environment(bag: dict[str, Any]) -> None:
    for dag_id in bag["dags"]:
        for task in tasks(bag, dag_id).values():
            if "bash_command" in task:
                command, verb, *_ = task["bash_command"].split()
                assert Path(command).name == "talentml"
                assert verb in VERBS
                assert "params.until" in task["env"]["AS_OF"]
                assert "{{" not in task["bash_command"].replace("{{ '--force' if params.force else '' }}", "")


def test_a_product_trains_evaluates_promotes_deploys_and_watches_drift(bag: dict[str, Any]) -> None:
    for name in PRODUCTS:
        found = tasks(bag, f"talentml_{name}")
        follows = {task_id: task.get("downstream_task_ids", []) for task_id, task in found.items()}
        assert follows == {
            "train": ["evaluate"], "evaluate": ["promote"], "promote": ["deploy"], "deploy": ["drift"], "drift": [],
        }  # fmt: skip


def test_a_refusal_skips_deploy_while_drift_still_runs(bag: dict[str, Any]) -> None:
    for name in PRODUCTS:
        found = tasks(bag, f"talentml_{name}")
        assert found["promote"].get("skip_on_exit_code", [99]) == [99]
        assert found["deploy"].get("trigger_rule", "all_success") == "all_success"
        assert found["drift"]["trigger_rule"] == "none_failed"


def test_runs_are_single_limited_in_time_and_on_whole_weeks(bag: dict[str, Any]) -> None:
    for dag in bag["dags"].values():
        assert dag["max_active_runs"] == 1
        assert dag["dagrun_timeout"] > 0
        assert dag["timetable"]["__type"].endswith("CronDataIntervalTimetable")
        assert dag["catchup"] is False


def test_a_step_reads_no_start_up_file_of_a_shell(tmp_path: Path) -> None:
    """Airflow gives tasks a socket as standard input, by which bash takes itself for a remote one."""
    (tmp_path / ".bashrc").write_text("echo read\n")
    ours, _theirs = socket.socketpair()
    given = {**environment(load(), "2026-01-01"), "HOME": str(tmp_path), "PATH": os.environ["PATH"]}
    for known, said in ((given, "done\n"), ({**given, "SHLVL": "0"}, "read\ndone\n")):
        command = ["bash", "-c", "echo done"]
        assert subprocess.run(command, stdin=ours, env=known, capture_output=True, text=True).stdout == said
