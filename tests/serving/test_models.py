"""Champions are swapped in whole, and what fails is refused."""

import shutil
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import ClassVar

import numpy as np
import polars as pl
import pytest

from feature_repo.errors import DataError
from feature_repo.table import Frame
from serving.versions import champions
from serving.versions.champions import Champions, Promoted, served
from serving.versions.loading import check
from tests.serving import tiny
from tests.serving.conftest import Service, promote, promoted, promoted_one
from tests.serving.damage import DAMAGES, truncate
from training.contributions import Contributions
from training.model import KINDS, load_model, save_model
from training.products import PRODUCTS
from training.route import Outputs

Serve = Callable[[Path], Service]
NAME = "task_assignment"
FAILURES = f'model_load_failures_total{{product="{NAME}"}}'
CHECKED = "talentml_registry_checked_seconds"
ACTIVE = f'talentml_active_model{{product="{NAME}"}}'


def version(service: Service) -> int | None:
    found: int | None = service.rank(task_id="T60", candidates=["P1", "P2"], explain=False)["model"]["version"]
    return found


def status(service: Service) -> dict[str, object]:
    models = service.http.get("/api/v1/models/status").json()["models"]
    return next(model for model in models if model["product"] == NAME)


def test_a_promoted_version_replaces_the_one_before(home: Path, serve: Serve) -> None:
    promote(home, promoted(home, 3))
    service = serve(home)
    before = version(service), service.metric(ACTIVE)
    promote(home, promoted(home, 4))
    service.running.refresh()
    assert (before, version(service), service.metric(ACTIVE)) == ((3, 3.0), 4, 4.0)


def test_a_rollback_serves_the_earlier_version_again(home: Path, serve: Serve) -> None:
    three, four = promoted(home, 3), promoted(home, 4)
    promote(home, four)
    service = serve(home)
    promote(home, three)
    service.running.refresh()
    assert version(service) == 3


def test_an_answer_s_version_and_scores_come_from_the_same_model(home: Path, serve: Serve) -> None:
    promote(home, promoted(home, 5))
    answer = serve(home).rank(task_id="T60", explain=False)
    assert [row["collaborative_score"] for row in answer["candidates"]] == [answer["model"]["version"] / 100] * 7


def test_a_registry_that_is_asked_in_vain_grows_old(home: Path, serve: Serve) -> None:
    promote(home, wanted := promoted(home, 3))
    service = serve(home)
    answered_at = service.metric(CHECKED)
    champions.write(home, Champions(wanted=wanted, checked_at=datetime.now(UTC), error="mlflow: away"))
    service.running.refresh()
    assert service.metric(CHECKED) == answered_at > 0


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_version_leaves_the_previous_one_serving(
    home: Path, serve: Serve, damage: Callable[[Path], None]
) -> None:
    promote(home, promoted(home, 3))
    service = serve(home)
    wanted = promoted(home, 4)
    damage(home / "models" / NAME / "4")
    promote(home, wanted)
    service.running.refresh()
    assert (version(service), service.metric(FAILURES)) == (3, 1.0)
    assert str(status(service)["refused"]).startswith("version 4: RegistryError: ")


def test_a_version_that_fails_its_warm_up_is_refused_counted_once_and_logged_with_its_place(
    home: Path, serve: Serve, caplog: pytest.LogCaptureFixture
) -> None:
    promote(home, promoted(home, 3))
    service = serve(home)
    other = promoted_one(home, "task_performance", 4)  # answers hours, not scores
    folder = home / "models"
    (folder / "task_performance" / "4").rename(folder / NAME / "4")
    promote(home, {NAME: other})
    for _ in range(3):
        service.running.refresh()
    assert (version(service), service.metric(FAILURES)) == (3, 1.0)
    logged = [record.getMessage() for record in caplog.records if record.exc_info]
    assert logged == [f"{NAME}: version 4 is not served: KeyError"]


def test_a_version_that_could_not_be_fetched_is_refused(home: Path, serve: Serve) -> None:
    promote(home, promoted(home, 3))
    service = serve(home)
    promote(home, promoted(home, 4, error="mlflow: the artefact is not what was registered"))
    service.running.refresh()
    assert (version(service), service.metric(FAILURES)) == (3, 1.0)


def test_after_a_refusal_the_next_good_version_serves_and_nothing_is_refused(home: Path, serve: Serve) -> None:
    wanted = promoted(home, 4)
    truncate(home / "models" / NAME / "4")
    promote(home, wanted)
    service = serve(home)
    promote(home, promoted(home, 5))
    service.running.refresh()
    assert (version(service), status(service)["refused"]) == (5, None)


def test_a_cold_start_takes_what_was_served_last_where_the_champion_is_damaged(home: Path, serve: Serve) -> None:
    promote(home, promoted(home, 3))
    serve(home)
    wanted = promoted(home, 4)
    truncate(home / "models" / NAME / "4")
    promote(home, wanted)
    again = serve(home)
    remembered = served(home, NAME)
    assert (version(again), again.metric(FAILURES), remembered and remembered.number) == (3, 1.0, 3)


def test_a_damaged_champions_file_leaves_the_models_as_they_are(home: Path, serve: Serve) -> None:
    promote(home, promoted(home, 3))
    service = serve(home)
    (home / "models" / "champions.json").write_text("{")
    service.running.refresh()
    assert version(service) == 3


class Answering:
    """A model that answers the same for every row."""

    explains: ClassVar[str] = "score"
    scale: ClassVar[str] = "score"

    def __init__(self, **outputs: float) -> None:
        self.outputs = outputs

    def predict(self, frame: Frame) -> Outputs:
        return {name: np.full(frame.height, value) for name, value in self.outputs.items()}

    def contributions(self, frame: pl.DataFrame) -> Contributions:
        return Contributions.of([], np.zeros((frame.height, 1)))

    def save(self, folder: Path) -> None:
        raise NotImplementedError


@pytest.mark.parametrize(
    "outputs", [{"score": 0.5}, {"score": np.nan, "content_score": 0.5, "collaborative_score": 0.5}]
)
def test_warm_up_refuses_missing_and_non_finite_answers(service: Service, outputs: dict[str, float]) -> None:
    with pytest.raises(DataError, match=r"score|answers"):
        check(PRODUCTS[NAME], Answering(**outputs), service.running.warm_up(PRODUCTS[NAME]))


def test_without_a_snapshot_a_model_is_loaded_all_the_same_and_serves_when_one_comes(home: Path, serve: Serve) -> None:
    promote(home, promoted(home, 3))
    shutil.move(home / "online", home / "later")
    service = serve(home)
    before = version(service)
    shutil.move(home / "later", home / "online")
    service.running.refresh()
    assert (before, version(service), service.metric(FAILURES)) == (None, 3, 0.0)


def test_a_model_that_was_loaded_without_features_warms_up_once_they_can_be_read(home: Path, serve: Serve) -> None:
    promote(home, promoted(home, 3))
    shutil.move(home / "online", home / "later")
    running = serve(home).running
    found = [running.models.active]
    for move in (lambda: None, lambda: shutil.move(home / "later", home / "online"), lambda: None):
        move()
        running.refresh()
        found.append(running.models.active)
    assert [{each.is_warm for each in active.values()} for active in found] == [{False}, {False}, {True}, {True}]
    assert (found[0][NAME] is found[1][NAME], found[2][NAME] is found[3][NAME]) == (True, True)
    remembered = served(home, NAME)
    assert remembered
    assert remembered.number == 3


class Demanding(tiny.Tiny):
    """Answers where there is a feature or more, as one that goes on from a series must."""

    kind: ClassVar[str] = "serving-demanding"

    def predict(self, frame: Frame) -> Outputs:
        if np.isnan(self._matrix(frame)).all():
            raise DataError("no features, allowed: one or more")
        return super().predict(frame)


def demanding(home: Path) -> Promoted:
    plain = tiny.tiny(PRODUCTS[NAME], 3)
    model = Demanding(plain.booster, plain.names, plain.outputs, 3)
    sha256 = save_model(model, home / "models" / NAME / "3")
    return promoted_one(home, NAME, 4).model_copy(update={"number": 3, "sha256": sha256})


def broken(home: Path) -> Promoted:
    other = promoted_one(home, "task_performance", 3)  # answers hours, not scores
    (home / "models" / NAME).mkdir()
    (home / "models" / "task_performance" / "3").rename(home / "models" / NAME / "3")
    return other


@pytest.mark.parametrize(("made", "serves", "failures"), [(demanding, 3, 0.0), (broken, None, 1.0)])
def test_a_version_that_does_not_answer_about_nulls_is_tried_again_as_soon_as_features_can_be_read(
    home: Path,
    serve: Serve,
    monkeypatch: pytest.MonkeyPatch,
    made: Callable[[Path], Promoted],
    serves: int | None,
    failures: float,
) -> None:
    monkeypatch.setitem(KINDS, Demanding.kind, f"{__name__}:Demanding")
    promote(home, {NAME: made(home)})
    shutil.move(home / "online", home / "later")
    service = serve(home)
    assert (version(service), service.metric(FAILURES)) == (None, 0.0)
    assert "features cannot be read" in str(status(service)["refused"])
    shutil.move(home / "later", home / "online")
    for _ in range(2):
        service.running.refresh()
    assert (version(service), service.metric(FAILURES)) == (serves, failures)


def test_what_models_warm_up_on_is_read_once_of_a_snapshot(service: Service) -> None:
    """Reading it takes time from requests; a swap to another version reads nothing."""
    product = PRODUCTS[NAME]
    read = service.running.warm_up(product)
    assert (read.snapshot is not None, service.running.warm_up(product) is read) == (True, True)


def test_a_tiny_model_gives_the_same_answers_after_a_round_trip(tmp_path: Path, service: Service) -> None:
    product = PRODUCTS[NAME]
    tiny.save(tmp_path, product, 7)
    frame = service.running.warm_up(product).features
    loaded = load_model(tmp_path / "models" / NAME / "7")
    assert pl.DataFrame(loaded.predict(frame)).equals(pl.DataFrame(tiny.tiny(product, 7).predict(frame)))
