"""The verbs on experiments, against a real registry."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console
from sqlalchemy import delete

from dags.border import run
from dags.output import show
from dags.verbs import experiment as verbs
from feature_repo.errors import DataError, RegistryError
from feature_repo.platform.tables import experiments
from feature_repo.settings import Settings
from tests.dags.command import talentml
from tests.serving import tiny, world
from tests.serving.registered import PRODUCT, candidate, move
from tests.training import tracking
from training.registry import Registry
from training.version import Version

NAME = PRODUCT.name


@dataclass(frozen=True)
class Trained:
    """A home where version one is champion, two was the challenger before three was."""

    settings: Settings
    registry: Registry
    one: Version
    two: Version
    three: Version


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Trained:
    tiny.install()
    home = world.copy(tmp_path_factory.mktemp("experiment") / "home")
    settings = Settings(home=home, mlflow_url=tracking.server(), _env_file=None)
    registry = Registry(settings)
    versions = [registry.register(candidate(home, number), NAME, "experiments") for number in (11, 12, 13)]
    move(registry, versions[0], None)
    return Trained(settings, registry, *versions)


@pytest.fixture
def home(trained: Trained) -> Iterator[Trained]:
    """Nothing was tried so far, and version one is champion."""
    yield trained
    with trained.registry.engine.begin() as connection:
        connection.execute(delete(experiments))
    move(trained.registry, trained.one, None)


def started(home: Trained, **options: Any) -> dict[str, Any]:
    return dict(verbs.start(home.settings, NAME, **options))


def last(home: Trained) -> dict[str, Any]:
    (found,) = verbs.status(home.settings, NAME)["experiments"]
    return dict(found)


def test_without_a_number_the_challenger_of_the_registry_gets_half(home: Trained) -> None:
    found = started(home)
    assert (found["champion"], found["challenger"]) == (home.one.number, home.three.number)
    assert (found["share"], found["mode"], found["alpha"], found["stopped_at"]) == (0.5, "split", 0.05, None)
    assert found["who"]


def test_a_version_and_its_share_may_be_named_and_in_the_shadow_it_scores_all(home: Trained) -> None:
    found = started(home, version=home.two.number, shadow=True)
    assert (found["challenger"], found["mode"], found["share"]) == (home.two.number, "shadow", 1.0)
    verbs.stop(home.settings, NAME)
    assert started(home, version=home.two.number, share=0.1)["share"] == 0.1


def test_the_salt_is_nowhere_shown(home: Trained) -> None:
    assert "salt" not in started(home)
    assert "salt" not in last(home)


def test_a_second_one_has_to_wait_for_the_end_of_the_first(home: Trained) -> None:
    started(home)
    with pytest.raises(DataError, match="runs already"):
        started(home)
    ended = verbs.stop(home.settings, NAME)
    assert ended["result"].endswith(": undecided")
    assert ended["stopped_at"] is not None
    started(home)


def test_stopping_what_does_not_run_says_how_to_start(home: Trained) -> None:
    with pytest.raises(DataError, match=f"no experiment runs, `talentml experiment start {NAME}`"):
        verbs.stop(home.settings, NAME)


def test_a_promotion_ends_it_and_the_status_says_so(home: Trained) -> None:
    started(home)
    move(home.registry, home.two, home.one)
    assert last(home)["result"] == f"ended by itself: version {home.two.number} became champion"
    assert any("ended by itself" in sentence for sentence in last(home)["words"])
    started(home)


@pytest.mark.parametrize(
    ("options", "named"), [({"share": 1.0}, "share 1, allowed 0.01 to 0.99"), ({"alpha": 0.9}, "alpha 0.9")]
)
def test_what_cannot_be_tested_is_refused(home: Trained, options: dict[str, Any], named: str) -> None:
    with pytest.raises(DataError, match=named):
        started(home, **options)
    assert verbs.status(home.settings, NAME) == {"experiments": []}


def test_the_champion_is_no_challenger_to_itself(home: Trained) -> None:
    with pytest.raises(DataError, match="is the champion, allowed: another version"):
        started(home, version=home.one.number)


def test_a_version_that_there_is_not_is_named(home: Trained) -> None:
    with pytest.raises(RegistryError, match="version 999"):
        started(home, version=999)


def test_a_challenger_whose_files_are_damaged_never_starts(home: Trained) -> None:
    booster = home.registry.fetch(home.two) / "booster.txt"
    whole = booster.read_bytes()
    artifact = next(
        path for path in tracking.folder().glob("artifacts/**/data/model/booster.txt") if path.read_bytes() == whole
    )
    try:
        for path in (booster, artifact):
            path.write_bytes(whole[:-100])
        with pytest.raises(RegistryError):
            started(home, version=home.two.number)
    finally:
        for path in (booster, artifact):
            path.write_bytes(whole)


def test_without_a_champion_the_way_to_one_is_said(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path, mlflow_url=tracking.server(), _env_file=None)
    with pytest.raises(RegistryError, match="there is no champion, `talentml promote career` comes first"):
        verbs.start(settings, "career")


def test_the_status_is_read_in_sentences_and_in_json(home: Trained, capsys: pytest.CaptureFixture[str]) -> None:
    started(home)
    verbs.status_view(verbs.status(home.settings, NAME), Console(width=200))
    words = capsys.readouterr().out
    assert f"{NAME}: version {home.three.number} answers 50% of those who ask" in words
    assert "Undecided. Recommended: let it run" in words
    assert run(verbs.status, str(home.settings.root), True, show, {"name": NAME}) == 0


def test_the_command_answers_where_nothing_was_ever_tried(tmp_path: Path) -> None:
    done = talentml("experiment", "status", home=tmp_path)
    assert (done.code, done.stdout.strip()) == (0, "No experiment so far: `talentml experiment start PRODUCT`.")
    assert talentml("experiment", "status", "--json", home=tmp_path).answer == {"experiments": []}
    assert talentml("experiment", "stop", "career", home=tmp_path).code == 4
