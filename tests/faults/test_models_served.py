"""From the registry to the worker, with a real MLflow: artefacts damaged, MLflow away, models that fail (4, 15, 16).

The follower's and the worker's rounds are turned by hand here; in tests/serving/test_server.py they turn by themselves,
in processes, under load.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self

import mlflow
import pytest

from feature_repo.settings import Settings
from monitoring import experiment
from monitoring.experiment import Experiment, Mode
from serving.versions import champions
from serving.versions.follower import asked
from tests.serving import tiny, world
from tests.serving.conftest import Service
from tests.serving.conftest import serve as serve
from tests.serving.damage import DAMAGES
from tests.serving.process import Line
from tests.serving.registered import PRODUCT, candidate, move
from tests.training import tracking
from training.candidate import Candidate
from training.model import KINDS
from training.registry import Registry
from training.version import Version

Serve = Callable[[Path], Service]
NAME = PRODUCT.name
FAILURES = f'model_load_failures_total{{product="{NAME}"}}'


class Curt(tiny.Tiny):
    """A model that loads, and then leaves out all outputs but one."""

    kind = "serving-curt"

    @classmethod
    def load(cls, folder: Path) -> Self:
        found = super().load(folder)
        found.outputs = found.outputs[-1:]
        return found


class Unloadable(Curt):
    """A model that saves, and does not load."""

    kind = "serving-unloadable"

    @classmethod
    def load(cls, folder: Path) -> Self:
        raise OSError(f"{folder}: no such library")


FAILING = (Curt, Unloadable)


@dataclass(frozen=True)
class Live:
    """A home, the registry behind a line that can be cut, two good versions, and one of each kind that fails."""

    settings: Settings
    registry: Registry
    one: Version
    two: Version
    bad: dict[type[Curt], Version]

    @property
    def home(self) -> Path:
        return self.settings.root

    def follow(self, settings: Settings | None = None) -> None:
        """One round of the follower."""
        registry = Registry(settings or self.settings)
        champions.write(self.home, asked(registry, registry.champion, [NAME], self.home))

    def promote(self, service: Service, version: Version) -> None:
        """The alias moves; the follower and the worker notice."""
        move(self.registry, version, self.one)
        self.follow()
        service.running.refresh()

    @contextmanager
    def damaged(self, version: Version, damage: Callable[[Path], None]) -> Iterator[None]:
        """MLflow's own artefact of a version comes to harm, and no copy of it is at hand."""
        place = str(mlflow.MlflowClient(tracking.server()).get_model_version(NAME, str(version.number)).source)
        folder = next(tracking.folder().glob(f"artifacts/**/{place.rpartition('/')[2]}/artifacts/data/model"))
        kept = {path: path.read_bytes() for path in folder.iterdir()}
        remove(self.home / "models" / NAME / str(version.number))
        try:
            damage(folder)
            yield
        finally:
            remove(folder)
            folder.mkdir(exist_ok=True)
            for path, content in kept.items():
                path.write_bytes(content)


def remove(folder: Path) -> None:
    for path in folder.glob("*"):
        path.unlink()
    if folder.exists():
        folder.rmdir()


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Live:
    tiny.install()
    home = world.copy(tmp_path_factory.mktemp("served") / "home")
    settings = Settings(home=home, mlflow_url=tracking.server(), _env_file=None)
    registry = Registry(settings)
    one, two = (registry.register(candidate(home, number), NAME, "faults") for number in (1, 2))
    bad = {
        kind: registry.register(failing(home, number, kind), NAME, "faults")
        for number, kind in enumerate(FAILING, start=3)
    }
    return Live(settings, registry, one, two, bad)


def failing(home: Path, number: int, kind: type[Curt]) -> Candidate:
    """A candidate of a kind that fails once it is loaded."""
    good = candidate(home, number)
    KINDS[kind.kind] = f"{__name__}:{kind.__name__}"
    parts = (getattr(good.model, name) for name in ("booster", "names", "outputs", "number"))
    return replace(good, model=kind(*parts))


@pytest.fixture
def first(live: Live, serve: Serve) -> Service:
    """Version one serves, and nothing is tried."""
    for running in experiment.running(live.registry.engine).values():
        experiment.stop(live.registry.engine, running, "the next test")
    move(live.registry, live.one, None)
    live.follow()
    service = serve(live.home)
    assert version(service) == live.one.number
    return service


def version(service: Service, task: str = "T60") -> int | None:
    """Who answers, with the scores of the very version that is named."""
    answer = service.rank(task_id=task, explain=False)
    assert {row["source"] for row in answer["candidates"]} == {"model"}
    found: int = answer["model"]["version"]
    return found


@pytest.mark.parametrize("damage", DAMAGES, ids=[each.__name__ for each in DAMAGES])
def test_an_artefact_that_came_to_harm_is_refused_and_the_previous_version_serves(
    live: Live, first: Service, damage: Callable[[Path], None]
) -> None:
    with live.damaged(live.two, damage):
        live.promote(first, live.two)
        assert (version(first), first.metric(FAILURES)) == (live.one.number, 1.0)


def test_once_the_artefact_is_whole_again_it_is_fetched_and_serves(
    live: Live, first: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    with live.damaged(live.two, DAMAGES[0]):
        live.promote(first, live.two)
    tried_long_ago = champions.read(live.home).wanted[NAME].model_copy(update={"tried_at": world.AS_OF})
    known = champions.read(live.home).model_copy(update={"wanted": {NAME: tried_long_ago}})
    champions.write(live.home, known)
    live.follow()
    first.running.refresh()
    assert version(first) == live.two.number


@pytest.mark.parametrize("kind", FAILING)
def test_a_promoted_model_that_does_not_load_or_warm_up_leaves_the_previous_one(
    live: Live, first: Service, serve: Serve, kind: type[Curt]
) -> None:
    live.promote(first, live.bad[kind])
    for _ in range(3):
        live.follow()
        first.running.refresh()
    assert (version(first), first.metric(FAILURES)) == (live.one.number, 1.0)
    again = serve(live.home)
    assert (version(again), again.metric(FAILURES)) == (live.one.number, 1.0)


def test_with_mlflow_away_the_champion_goes_on_and_a_cold_start_takes_the_verified_copy(
    live: Live, first: Service, serve: Serve
) -> None:
    line = Line(tracking.server())
    line.cut()
    gone = Settings(home=live.home, mlflow_url=line.url, _env_file=None)
    live.follow(gone)
    first.running.refresh()
    assert "does not answer" in (champions.read(live.home).error or "")
    assert (version(first), version(serve(live.home))) == (live.one.number, live.one.number)


def test_a_cold_start_without_mlflow_and_without_the_follower_s_file_takes_the_recorded_champion(
    live: Live, first: Service, serve: Serve
) -> None:
    (live.home / "models" / "champions.json").unlink()
    registry = Registry(Settings(home=live.home, mlflow_url="http://127.0.0.1:9", _env_file=None))
    champions.write(live.home, asked(registry, registry.recorded, [NAME], live.home))
    assert version(serve(live.home)) == live.one.number


def test_a_local_copy_that_was_changed_is_not_served_at_a_cold_start(live: Live, first: Service, serve: Serve) -> None:
    copy = live.home / "models" / NAME / str(live.one.number) / "booster.txt"
    whole = copy.read_bytes()
    copy.write_bytes(whole.replace(b"leaf_value", b"leaf_valve", 1))
    try:
        again = serve(live.home)
        answer = again.rank(task_id="T60", explain=False)
        assert (answer["source"], again.metric(FAILURES)) == ("fallback", 1.0)
    finally:
        copy.write_bytes(whole)


# --- Experiments


def tried(live: Live, challenger: Version) -> Experiment:
    running = experiment.planned(NAME, live.one.number, challenger.number, Mode.SPLIT, 0.5, 0.05, "me")
    experiment.start(live.registry.engine, running)
    live.follow()
    return running


def arms(service: Service) -> set[tuple[int | None, str | None]]:
    """Who answers, in which arm, over many units."""
    found = (service.running.models.served(NAME, f"T{number}") for number in range(60))
    return {(each.champion and each.champion.version.number, each.arm and each.arm.value) for each in found}


def test_a_challenger_is_fetched_and_gets_its_share_until_the_experiment_is_stopped(live: Live, first: Service) -> None:
    running = tried(live, live.two)
    first.running.refresh()
    assert arms(first) == {(live.one.number, "champion"), (live.two.number, "challenger")}
    experiment.stop(live.registry.engine, running, "enough")
    live.follow()
    first.running.refresh()
    assert arms(first) == {(live.one.number, None)}


def test_a_promotion_ends_the_experiment(live: Live, first: Service) -> None:
    tried(live, live.two)
    live.promote(first, live.two)
    assert arms(first) == {(live.two.number, None)}
    ended = experiment.latest(live.registry.engine, NAME)
    assert ended is not None
    assert ended.result == f"ended by itself: version {live.two.number} became champion, the challenger itself"


@pytest.mark.parametrize("kind", FAILING)
def test_a_challenger_that_does_not_load_or_warm_up_leaves_all_to_the_champion(
    live: Live, first: Service, kind: type[Curt]
) -> None:
    tried(live, live.bad[kind])
    first.running.refresh()
    assert (arms(first), first.metric(FAILURES)) == ({(live.one.number, None)}, 1.0)


@pytest.mark.parametrize("damage", DAMAGES[:2], ids=[each.__name__ for each in DAMAGES[:2]])
def test_a_challenger_whose_artefact_came_to_harm_leaves_all_to_the_champion(
    live: Live, first: Service, damage: Callable[[Path], None]
) -> None:
    with live.damaged(live.two, damage):
        tried(live, live.two)
        first.running.refresh()
        assert (arms(first), first.metric(FAILURES)) == ({(live.one.number, None)}, 1.0)
