"""The follower says which versions are to be served, and never unsays one because MLflow is away."""

import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from feature_repo.errors import RegistryError
from feature_repo.settings import Settings
from monitoring import experiment
from monitoring.experiment import Experiment, Mode
from serving import champions
from serving.champions import Challenger, Champions, Promoted
from serving.follower import asked
from serving.launch import environment
from tests.serving.process import ROOT, free_port, until
from training.registry import Registry

AT = datetime(2012, 1, 1, tzinfo=UTC)
THREE = Promoted(number=3, sha256="abc", as_of=AT, trained_until=AT, tried_at=AT, metrics={"mrr": 0.5, "mae": None})


def away(home: Path) -> Settings:
    """Settings whose MLflow answers nobody."""
    return Settings(home=home, mlflow_url=f"http://127.0.0.1:{free_port()}", _env_file=None)


def test_without_mlflow_the_known_champions_stay_and_the_reason_is_said(tmp_path: Path) -> None:
    champions.write(tmp_path, Champions(wanted={"task_assignment": THREE}))
    registry = Registry(away(tmp_path))
    found = asked(registry, registry.champion, ["task_assignment"], tmp_path)
    assert found.wanted == {"task_assignment": THREE}
    assert "does not answer" in (found.error or "")


def test_without_a_recorded_champion_nothing_is_wanted(tmp_path: Path) -> None:
    registry = Registry(away(tmp_path))
    found = asked(registry, registry.recorded, ["task_assignment"], tmp_path)
    assert (found.wanted, found.error) == ({}, None)


def test_what_is_written_is_read_again(tmp_path: Path) -> None:
    said = Champions(wanted={"task_assignment": THREE}, checked_at=AT, error="away")
    champions.write(tmp_path, said)
    assert champions.read(tmp_path) == said
    assert champions.read(tmp_path / "elsewhere") == Champions()


def test_a_damaged_file_is_named(tmp_path: Path) -> None:
    champions.write(tmp_path, Champions())
    (tmp_path / "models" / "champions.json").write_text('{"wanted": 1}')
    with pytest.raises(RegistryError, match=r"champions.json: 1 errors, delete it"):
        champions.read(tmp_path)


@pytest.mark.slow
def test_a_follower_ends_with_the_service_that_started_it_and_another_takes_over(tmp_path: Path) -> None:
    settings = away(tmp_path)
    command = [sys.executable, "-m", "serving.follower"]
    first, second = (
        subprocess.Popen(command, stdin=subprocess.PIPE, env=environment(settings), cwd=ROOT) for _ in range(2)
    )
    until(lambda: champions.read(tmp_path).checked_at is not None, 20)
    _end(first)
    wrote = champions.read(tmp_path).checked_at
    until(lambda: champions.read(tmp_path).checked_at != wrote, 20)
    _end(second)


def _end(follower: subprocess.Popen[bytes]) -> None:
    assert follower.stdin is not None
    follower.stdin.close()
    assert follower.wait(10) == 0


# --- Running experiments

FOUR = THREE.model_copy(update={"number": 4, "sha256": "def"})


@pytest.fixture
def tried(tmp_path: Path) -> Experiment:
    """An experiment of version 4 beside champion 3 runs, and is known to the service."""
    registry = Registry(away(tmp_path))
    running = experiment.planned("task_assignment", 3, 4, Mode.SPLIT, 0.5, 0.05, "me")
    experiment.start(registry.engine, running)
    beside = Challenger(version=FOUR, champion=3, experiment=running.id, share=0.5, mode="split", salt=running.salt)
    known = {"task_assignment": beside, "career": beside.model_copy(update={"experiment": "ended"})}
    champions.write(tmp_path, Champions(wanted={"task_assignment": THREE, "career": THREE}, challengers=known))
    return running


def test_without_mlflow_a_running_experiment_goes_on_and_an_ended_one_is_forgotten(
    tmp_path: Path, tried: Experiment
) -> None:
    registry = Registry(away(tmp_path))
    found = asked(registry, registry.champion, ["task_assignment", "career"], tmp_path)
    assert {name: each.experiment for name, each in found.challengers.items()} == {"task_assignment": tried.id}


def test_without_mlflow_a_challenger_that_was_never_fetched_waits(tmp_path: Path, tried: Experiment) -> None:
    champions.write(tmp_path, Champions(wanted={"task_assignment": THREE}))
    registry = Registry(away(tmp_path))
    found = asked(registry, registry.champion, ["task_assignment"], tmp_path)
    assert (found.challengers, "does not answer" in (found.error or "")) == ({}, True)
    assert experiment.running(registry.engine) == {"task_assignment": tried}


def test_without_the_database_all_experiments_go_on_and_the_reason_is_said(tmp_path: Path, tried: Experiment) -> None:
    url = f"postgresql://nobody@127.0.0.1:{free_port()}/none"
    registry = Registry(Settings(home=tmp_path, mlflow_url=away(tmp_path).mlflow_url, database_url=url, _env_file=None))
    found = asked(registry, lambda _: None, ["task_assignment"], tmp_path)
    assert found.challengers["task_assignment"].experiment == tried.id
    assert set(found.challengers) == {"task_assignment", "career"}
    assert (found.error or "").startswith("platform database ")
