"""The follower says which versions are to be served, and never unsays one because MLflow is away."""

import json
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from feature_repo.errors import RegistryError
from feature_repo.settings import Settings
from monitoring import experiment
from monitoring.experiment import Experiment, Mode
from serving.launch import environment
from serving.limits import LIMITS
from serving.versions import champions, follower
from serving.versions.champions import Challenger, Champions, Promoted
from serving.versions.follower import HUNG, alive, asked
from tests.faults.front import Way, front
from tests.patience import LONG
from tests.ports import dead_port
from tests.serving.process import ROOT, until
from tests.training import tracking
from training.registry import Registry
from training.version import Version

PATIENT_FOLLOWER = """
from tests import patience
patience.install()
from serving.versions.follower import main
main()
"""
AT = datetime(2012, 1, 1, tzinfo=UTC)
THREE = Promoted(number=3, sha256="abc", as_of=AT, trained_until=AT, tried_at=AT, metrics={"mrr": 0.5, "mae": None})


def away(home: Path) -> Settings:
    """Settings whose MLflow answers nobody."""
    return Settings(home=home, mlflow_url=f"http://127.0.0.1:{dead_port()}", _env_file=None)


def test_without_mlflow_the_known_champions_stay_and_the_reason_is_said(tmp_path: Path) -> None:
    champions.write(tmp_path, Champions(wanted={"task_assignment": THREE}))
    registry = Registry(away(tmp_path))
    found = asked(registry, registry.champion, ["task_assignment"], tmp_path)
    assert found.wanted == {"task_assignment": THREE}
    assert "does not answer" in (found.error or "")


def test_what_another_follower_found_while_this_one_asked_stays(tmp_path: Path) -> None:
    def champion(_: str) -> Version | None:
        champions.write(tmp_path, Champions(wanted={"task_assignment": THREE}))
        raise RegistryError("away")

    found = asked(Registry(away(tmp_path)), champion, ["task_assignment"], tmp_path)
    assert found.wanted == {"task_assignment": THREE}


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


@pytest.mark.parametrize("way", [Way.SLOW, Way.WRONG])
def test_an_mlflow_that_says_nothing_or_nonsense_is_as_one_that_is_away(
    tmp_path: Path, way: Way, monkeypatch: pytest.MonkeyPatch
) -> None:
    if way is Way.SLOW:
        monkeypatch.setattr(follower, "LIMITS", replace(LIMITS, registry_seconds=0.5, registry_round_seconds=0.2))
    champions.write(tmp_path, Champions(wanted={"task_assignment": THREE}))
    with front(way=way) as mlflow:
        registry = Registry(Settings(home=tmp_path, mlflow_url=f"http://127.0.0.1:{mlflow.port}", _env_file=None))
        found = asked(registry, alive(registry), ["task_assignment", "career"], tmp_path)
    assert (found.wanted, found.error is None) == ({"task_assignment": THREE}, False)
    assert mlflow.asked == {Way.SLOW: 1, Way.WRONG: 2}[way]  # where it is slow, the others wait for the next round


def test_one_product_that_cannot_be_asked_for_hides_none_of_the_others(tmp_path: Path) -> None:
    known = Promoted(number=3, sha256="abc", as_of=AT, trained_until=AT, tried_at=AT)
    champions.write(tmp_path, Champions(wanted={"career": known}))
    registry, broken = Registry(away(tmp_path)), {"career": KeyError("run_id"), "learning": RegistryError("no tag key")}

    def champion(product: str) -> Version | None:
        if product in broken:
            raise broken[product]
        return promoted(product, 7)

    found = asked(registry, champion, ["career", "learning", "task_assignment"], tmp_path)
    assert {name: each.number for name, each in found.wanted.items()} == {"career": 3, "task_assignment": 7}
    assert found.error == "KeyError"


def promoted(product: str, number: int) -> Version:
    return Version(
        product=product, number=number, run_id="r", data_hash="h", code_revision="c", as_of=AT, trained_until=AT,
        sha256="abc", feature_service=product,
    )  # fmt: skip


@pytest.mark.slow
def test_a_follower_whose_round_hangs_ends_and_another_one_may_begin(tmp_path: Path) -> None:
    code = "import time\nfrom serving.versions.follower import within\nwith within(0.1):\n    time.sleep(600)"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode == HUNG


@pytest.mark.slow
def test_a_follower_ends_with_the_service_that_started_it_and_another_takes_over(tmp_path: Path) -> None:
    settings = away(tmp_path)
    command = [sys.executable, "-m", "serving.versions.follower"]
    first, second = (
        subprocess.Popen(command, stdin=subprocess.PIPE, env=environment(settings), cwd=ROOT) for _ in range(2)
    )
    until(lambda: champions.read(tmp_path).checked_at is not None)
    _end(first)
    wrote = champions.read(tmp_path).checked_at
    until(lambda: champions.read(tmp_path).checked_at != wrote)
    _end(second)


@pytest.mark.slow
@pytest.mark.parametrize("is_mlflow", [True, False])
def test_whatever_a_follower_says_is_json_lines(tmp_path: Path, is_mlflow: bool) -> None:
    """What MLflow warns of when it is imported is not said; what nobody foresaw is."""
    with front(way=Way.WRONG) as nonsense, (tmp_path / "said").open("wb") as said:
        url = tracking.server() if is_mlflow else f"http://127.0.0.1:{nonsense.port}"
        settings = Settings(home=tmp_path, mlflow_url=url, _env_file=None)
        command = [sys.executable, "-c", PATIENT_FOLLOWER]
        started = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=said, stderr=said, env=environment(settings), cwd=ROOT
        )
        begun = datetime.now(UTC)
        until(lambda: (champions.read(tmp_path).checked_at or AT) > begun)  # what was recorded
        recorded = champions.read(tmp_path).checked_at
        until(lambda: champions.read(tmp_path).checked_at != recorded)
        _end(started)
    assert (champions.read(tmp_path).error is None) == is_mlflow
    lines = [json.loads(line) for line in (tmp_path / "said").read_text().splitlines()]
    assert {line["logger"] for line in lines} == (set() if is_mlflow else {"talentml.serving"})
    assert sum(line["event"].startswith("the registry: ") for line in lines) == (0 if is_mlflow else 1)


def _end(started: subprocess.Popen[bytes]) -> None:
    assert started.stdin is not None
    started.stdin.close()
    assert started.wait(LONG) == 0


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


def test_an_experiment_that_starts_while_mlflow_is_asked_is_not_ended_by_the_champion_of_before(tmp_path: Path) -> None:
    """Somebody promotes version 4 and starts an experiment beside it at once."""
    registry, later = Registry(away(tmp_path)), list[Experiment]()

    def champion(product: str) -> Version:
        later.append(experiment.planned(product, 4, 5, Mode.SPLIT, 0.5, 0.05, "me"))
        experiment.start(registry.engine, later[0])
        return promoted(product, 3)

    asked(registry, champion, ["task_assignment"], tmp_path)
    assert experiment.running(registry.engine) == {"task_assignment": later[0]}
    asked(registry, lambda product: promoted(product, 6), ["task_assignment"], tmp_path)
    assert experiment.running(registry.engine) == {}


def test_without_mlflow_a_challenger_that_was_never_fetched_waits(tmp_path: Path, tried: Experiment) -> None:
    champions.write(tmp_path, Champions(wanted={"task_assignment": THREE}))
    registry = Registry(away(tmp_path))
    found = asked(registry, registry.champion, ["task_assignment"], tmp_path)
    assert (found.challengers, "does not answer" in (found.error or "")) == ({}, True)
    assert experiment.running(registry.engine) == {"task_assignment": tried}


def test_without_the_database_all_experiments_go_on_and_the_reason_is_said(tmp_path: Path, tried: Experiment) -> None:
    url = f"postgresql://nobody@127.0.0.1:{dead_port()}/none"
    registry = Registry(Settings(home=tmp_path, mlflow_url=away(tmp_path).mlflow_url, database_url=url, _env_file=None))
    found = asked(registry, lambda _: None, ["task_assignment"], tmp_path)
    assert found.challengers["task_assignment"].experiment == tried.id
    assert set(found.challengers) == {"task_assignment", "career"}
    assert (found.error or "").startswith("platform database ")


def test_a_database_that_hangs_holds_up_no_champion(
    tmp_path: Path, tried: Experiment, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(follower, "LIMITS", replace(LIMITS, database_seconds=0.5))
    with front(way=Way.SLOW) as database:
        url = f"postgresql://nobody@127.0.0.1:{database.port}/none"
        slow = Settings(home=tmp_path, mlflow_url=away(tmp_path).mlflow_url, database_url=url, _env_file=None)
        found = asked(Registry(slow), lambda name: None, ["task_assignment"], tmp_path)
    assert found.challengers["task_assignment"].experiment == tried.id
    assert found.error == "platform database: no answer within 0.5 s"
