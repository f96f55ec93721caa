"""The champion's real training rows against those that came since, on a world of six years."""

from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import select

from dags.drifting import remember
from feature_repo.errors import DataError
from feature_repo.platform.tables import drift_reports
from feature_repo.settings import Settings, load
from monitoring import watch as watching
from monitoring.watch import Watched, watch
from tests.monitoring import world
from tests.training import tiny, tracking
from training.fit import fit_candidate
from training.history import Move
from training.product import Product
from training.registry import Registry

NAME = tiny.named("watched").name
SHIFTED = {"task__priority", "pair__log_estimate"}


@pytest.fixture(scope="module")
def product() -> Product:
    return world.product(NAME)


@pytest.fixture(scope="module")
def quiet(product: Product, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """A home whose world stays as it was, with a champion."""
    settings = load(home=tmp_path_factory.mktemp("quiet"), mlflow_url=tracking.server())
    world.build(settings, product)
    registry = Registry(settings)
    version = registry.register(fit_candidate(product, settings.root, world.TRAINED), product.name, "code")
    registry.move(Move(product.name, "promote", version.number, None, "the first"))
    return settings


@pytest.fixture(scope="module")
def moved(quiet: Settings, product: Product, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """Another home of the same champion, where tasks are five times as large since."""
    settings = load(home=tmp_path_factory.mktemp("moved"), mlflow_url=quiet.mlflow_url)
    world.build(settings, product, factor=5.0)
    return settings


@pytest.fixture(scope="module")
def watched(quiet: Settings, product: Product) -> Watched:
    return watch(quiet, product, world.AS_OF)


def test_the_reference_is_what_the_champion_learned_from_and_the_current_rows_came_since(watched: Watched) -> None:
    # A task a day; how the last one of a period ended became known after it.
    assert watched.number == 1
    assert watched.report.rows[0] == 4 * 365 + 182 - 1
    assert (watched.window.since, watched.window.until) == (world.TRAINED, world.AS_OF)
    assert watched.report.rows[1] == 182 - 1


def test_a_world_that_stays_as_it_was_is_not_called_drift(watched: Watched) -> None:
    assert (watched.report.verdict, watched.report.drifted, watched.report.drifted_outputs) == ("none", (), ())


def test_a_shift_since_the_training_is_found_where_it_was_planted(moved: Settings, product: Product) -> None:
    report = watch(moved, product, world.AS_OF).report
    assert report.verdict == "drift"
    assert set(report.drifted) == SHIFTED
    assert "hours" in report.drifted_outputs
    assert "actual_hours" in report.drifted_labels


def test_no_rows_since_the_training_are_no_verdict(quiet: Settings, product: Product) -> None:
    report = watch(quiet, product, world.AS_OF + 4 * world.HALF_YEAR).report
    assert (report.verdict, report.rows[1]) == ("insufficient", 0)


def test_a_date_that_the_champion_has_learned_of_is_refused(quiet: Settings, product: Product) -> None:
    with pytest.raises(DataError, match="but the champion learned until"):
        watch(quiet, product, world.TRAINED - world.HALF_YEAR)


def test_where_there_is_no_champion_the_rule_is_watched(quiet: Settings, product: Product) -> None:
    found = watch(quiet, replace(product, name=f"{product.name}_unseen"), world.AS_OF)
    assert (found.number, found.report.verdict) == (None, "none")


def test_more_rows_than_are_read_are_thinned_by_whole_tasks(
    quiet: Settings, product: Product, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watching, "MOST_READ", 500)
    assert watch(quiet, product, world.AS_OF).report.units[0] == 500


def test_the_report_is_remembered_with_the_rows_that_it_is_about(quiet: Settings, watched: Watched) -> None:
    remember(quiet, watched, "a run")
    with Registry(quiet).engine.connect() as connection:
        row = connection.execute(select(drift_reports)).mappings().one()
    assert (row["version"], row["since"], row["until"], row["run_id"]) == (1, world.TRAINED, world.AS_OF, "a run")
    assert (quiet.root / Path(row["html"])).exists()
