"""Registration, local copies and what people see, against a real MLflow server."""

import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import mlflow
import numpy as np
import polars as pl
import pytest
from sqlalchemy import func, select

from feature_repo.errors import RegistryError
from feature_repo.platform.tables import model_training_history, model_versions
from feature_repo.settings import Settings, load
from tests.training import tiny, tracking
from tests.training.abrupt import exit_codes, start, warm
from tests.training.damage import DAMAGES
from tests.training.stage import artifacts
from training.model import load_model, verify
from training.registry import Registry
from training.version import Version


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    warm()
    return load(home=tmp_path_factory.mktemp("home"), mlflow_url=tracking.server())


@pytest.fixture(scope="module")
def registry(settings: Settings) -> Registry:
    return Registry(settings)


@pytest.fixture(scope="module")
def candidate() -> Any:
    return tiny.candidate(product=tiny.named("seen"))


@pytest.fixture(scope="module")
def version(registry: Registry, candidate: Any) -> Version:
    return registry.register(candidate, "tiny", "0123abc")


def count(registry: Registry, table: Any, product: str) -> int:
    with registry.engine.connect() as connection:
        return connection.scalar(select(func.count()).select_from(table).where(table.c.product == product)) or 0


def live_runs(product: str) -> list[Any]:
    client = mlflow.MlflowClient()
    return list(client.search_runs([client.get_experiment_by_name(product).experiment_id]))


def test_a_version_knows_what_made_it(registry: Registry, candidate: Any, version: Version) -> None:
    assert (version.number, version.data_hash, version.code_revision) == (1, candidate.data_hash, "0123abc")
    assert (version.as_of, version.trained_until) == (tiny.AS_OF, tiny.AS_OF - tiny.WEEK)
    assert version.metrics == candidate.metrics
    assert version.feature_service == "tiny"
    assert registry.version(version.product, 1) == version
    assert registry.versions(version.product) == [version]


def test_a_new_version_is_the_challenger_and_nobody_is_champion(registry: Registry, version: Version) -> None:
    assert registry.challenger(version.product) == version
    assert registry.champion(version.product) is None
    assert registry.recorded(version.product) is None


def test_the_registered_model_answers_through_mlflow_without_any_pickle(candidate: Any, version: Version) -> None:
    loaded = mlflow.pyfunc.load_model(f"models:/{version.product}/1")
    names = ["task_id", *(column.qualified for column in tiny.COLUMNS)]
    frame = candidate.test_frame.head(20)
    told = loaded.predict(frame.select(names).with_columns(pl.selectors.integer().cast(pl.Float64)).to_pandas())
    assert np.array_equal(told["hours"], candidate.model.predict(frame)["hours"])
    assert mlflow.environment_variables.MLFLOW_ALLOW_PICKLE_DESERIALIZATION.get() is False


def test_signature_and_example_are_the_products_columns_and_outputs(version: Version) -> None:
    info = mlflow.models.get_model_info(f"models:/{version.product}/1")
    assert {each.name: str(each.type) for each in info.signature.inputs} == {
        "task_id": "DataType.string",
        "task__size": "DataType.double",
        "task__is_hard": "DataType.boolean",
        "task__priority": "DataType.double",
        "task__kind": "DataType.string",
        "task__skills": "Array(string)",
    }
    assert [each.name for each in info.signature.outputs] == ["hours"]
    assert info.saved_input_example_info is not None


def test_the_store_holds_text_and_no_pickle(registry: Registry, version: Version) -> None:
    files = {path.name for path in artifacts(version).parents[1].rglob("*") if path.is_file()}
    assert {"hours.txt", "model.json", "manifest.json", "MLmodel"} <= files
    assert not {name for name in files if name.endswith((".pkl", ".pickle", ".joblib", ".bin"))}


def test_the_run_holds_metrics_baselines_slices_data_card_and_pictures(candidate: Any, version: Version) -> None:
    client = mlflow.MlflowClient()
    run = client.get_run(version.run_id)
    assert run.data.metrics["mae_hours"] == candidate.metrics["mae_hours"]
    assert run.data.metrics["by_size/mae_hours"] == candidate.baselines["by_size"]["mae_hours"]
    assert run.data.metrics["slice hard/mae_hours"] == candidate.slices["hard"].champion["mae_hours"]
    assert run.data.params == {"trees": "40", "factor": "1.0"}
    assert run.inputs.dataset_inputs[0].dataset.digest == candidate.data_hash[:32]
    found = {each.path for folder in ("", "plots") for each in client.list_artifacts(version.run_id, folder)}
    pictures = ("importance", "comparison", "predicted_against_actual_hours", "residuals_hours")
    assert {"card.md", *(f"plots/{name}.png" for name in pictures)} <= found
    assert run.data.tags["mlflow.note.content"].startswith("# Hours of a tiny task")


def test_the_card_says_what_from_what_how_well_and_where_it_fails(version: Version) -> None:
    card = mlflow.artifacts.load_text(f"runs:/{version.run_id}/card.md")
    for words in (
        "Learned from 2,520 rows with events from 2024-01-19 to 2024-02-23",
        "judged on 504 unseen rows from 2024-02-23 to 2024-03-01",
        "| metric | model | mean | by_size |",
        "Slice `hard`, 190 units",
        "## Where it fails",
        "| task__is_hard False | 314 |",
        "| `task__size` |",
        "## Limits",
    ):
        assert words in card


def test_the_training_is_in_the_history(registry: Registry, candidate: Any, version: Version) -> None:
    with registry.engine.connect() as connection:
        chosen = select(model_training_history).where(model_training_history.c.product == version.product)
        row = connection.execute(chosen).one()
    assert (row.version, row.run_id, row.row_count, row.seconds) == (1, version.run_id, 2520, 0.1)
    assert row.metrics == candidate.metrics
    assert row.baselines == candidate.baselines
    assert row.hyperparameters == {"trees": 40, "factor": 1.0}
    assert list(row.importance) == ["task__size", "task__is_hard"]


def test_the_same_training_run_again_is_the_same_version(registry: Registry, candidate: Any, version: Version) -> None:
    assert registry.register(candidate, "tiny", "0123abc") == version
    assert len(registry.versions(version.product)) == 1
    assert len(live_runs(version.product)) == 1
    assert count(registry, model_training_history, version.product) == 1


@pytest.mark.parametrize("change", ["as_of", "data", "code"])
def test_another_interval_data_or_code_is_another_version(registry: Registry, change: str) -> None:
    product = tiny.named(change)
    first = registry.register(tiny.candidate(product=product), "tiny", "code")
    when = tiny.AS_OF + tiny.WEEK if change == "as_of" else tiny.AS_OF
    other = tiny.candidate(when, factor=1.1 if change == "data" else 1.0, product=product)
    second = registry.register(other, "tiny", "other" if change == "code" else "code")
    assert (first.number, second.number) == (1, 2)
    assert registry.challenger(product.name) == second


@pytest.mark.slow
def test_runs_at_the_same_time_register_once(registry: Registry, settings: Settings) -> None:
    product = tiny.named("together")
    assert exit_codes([start(settings, product, "register") for _ in range(4)]) == [0] * 4
    assert len(registry.versions(product.name)) == 1
    assert len(live_runs(product.name)) == 1
    assert count(registry, model_versions, product.name) == 1


KILLS = (
    "training.run:_log_model",  # half a run
    "mlflow:MlflowClient.create_registered_model",  # a whole run
    "mlflow:MlflowClient.create_model_version",
    "training.history:remember",  # a version that the platform's tables do not know
    "mlflow:MlflowClient.set_registered_model_alias",
)


@pytest.mark.slow
def test_a_kill_anywhere_in_registration_and_a_retry_make_one_version(registry: Registry, settings: Settings) -> None:
    products = [tiny.named("killed") for _ in KILLS]
    started = [start(settings, each, "register", call) for each, call in zip(products, KILLS, strict=True)]
    assert exit_codes(started) == [-9] * len(KILLS)
    for product in products:
        version = registry.register(tiny.candidate(product=product), product.name, "code")
        assert registry.versions(product.name) == [version]
        assert [run.info.run_id for run in live_runs(product.name)] == [version.run_id]
        assert registry.challenger(product.name) == version
        assert count(registry, model_versions, product.name) == 1
        assert count(registry, model_training_history, product.name) == 1


def test_a_fetched_copy_is_verified_and_answers_like_the_model(
    registry: Registry, settings: Settings, candidate: Any, version: Version
) -> None:
    place = registry.fetch(version)
    assert place == settings.root / "models" / version.product / "1"
    assert verify(place) == version.sha256
    frame = candidate.test_frame
    assert pl.DataFrame(load_model(place).predict(frame)).equals(pl.DataFrame(candidate.model.predict(frame)))


def test_a_changed_copy_is_replaced(registry: Registry, version: Version) -> None:
    text = registry.fetch(version) / "hours.txt"
    text.write_text(text.read_text().replace("tree", "free"))
    (text.parent / "left.over").write_text("by somebody")
    assert verify(registry.fetch(version)) == version.sha256


@pytest.mark.parametrize("damage", DAMAGES, ids=[each.__name__ for each in DAMAGES])
def test_a_damaged_artefact_is_refused_and_never_published(registry: Registry, settings: Settings, damage: Any) -> None:
    product = tiny.named("damaged")
    version = registry.register(tiny.candidate(product=product), "tiny", "code")
    damage(artifacts(version))
    with pytest.raises(RegistryError):
        registry.fetch(version)
    assert not (settings.root / "models" / product.name / "1").exists()
    assert not list(Path(tracking.folder()).rglob("marker"))


def test_the_local_copy_is_enough_when_mlflow_is_down(registry: Registry, settings: Settings, version: Version) -> None:
    place = registry.fetch(version)
    down = Registry(settings.model_copy(update={"mlflow_url": "http://127.0.0.1:1"}))
    assert down.fetch(version) == place
    began = time.monotonic()
    with pytest.raises(RegistryError, match=r"127\.0\.0\.1:1 does not answer"):
        down.champion(version.product)
    assert time.monotonic() - began < 60  # MLflow's own client tries for 90


COLD = """
import sys
from feature_repo.settings import load
from training.registry import Registry
from training.model import load_model
registry = Registry(load(home=sys.argv[1]))
assert registry.recorded("nothing") is None
assert not {"mlflow", "pandas", "matplotlib", "lightgbm", "alembic"} & set(sys.modules), sorted(sys.modules)
"""


def test_a_cold_start_without_mlflow_does_not_even_import_it(registry: Registry, settings: Settings) -> None:
    assert registry.engine  # migrated
    subprocess.run([sys.executable, "-c", COLD, str(settings.home)], check=True)


def test_what_does_not_exist_is_named(registry: Registry, version: Version) -> None:
    with pytest.raises(RegistryError, match=f"{version.product} version 99"):
        registry.version(version.product, 99)
    with pytest.raises(RegistryError, match="unheard_of version 1"):
        registry.version("unheard_of", 1)
    assert registry.champion("unheard_of") is None
    assert registry.versions("unheard_of") == []


def test_without_an_address_the_way_out_is_named(tmp_path: Path) -> None:
    with pytest.raises(RegistryError, match="TALENTML_MLFLOW_URL"):
        Registry(load(home=tmp_path)).champion("tiny")


def test_a_version_that_somebody_else_registered_is_refused(registry: Registry) -> None:
    client, name = mlflow.MlflowClient(), tiny.named("foreign").name
    client.create_registered_model(name)
    experiment = client.create_experiment(name)
    made = client.create_run(experiment)
    client.create_model_version(name, f"runs:/{made.info.run_id}/model", made.info.run_id)
    with pytest.raises(RegistryError, match="talentml did not register it"):
        registry.version(name, 1)


def test_a_report_is_logged_with_its_files_and_numbers(registry: Registry, version: Version, tmp_path: Path) -> None:
    (tmp_path / "drift.html").write_text("<p>none</p>")
    run_id = registry.log_report(
        version.product, "drift 2024-03", [tmp_path / "drift.html"], {"share": 0.1, "x": np.nan}
    )
    client = mlflow.MlflowClient()
    assert [each.path for each in client.list_artifacts(run_id, "report")] == ["report/drift.html"]
    assert client.get_run(run_id).data.metrics == {"share": 0.1}
    client.delete_run(run_id)


SILENT = """
import sys
from feature_repo.settings import load
from training.registry import Registry
Registry(load(home=sys.argv[1], mlflow_url=sys.argv[2])).champion("nothing")
from mlflow.telemetry.client import get_telemetry_client
assert get_telemetry_client() is None
"""


def test_mlflow_tells_nobody_that_it_is_used(settings: Settings) -> None:
    environment = {name: value for name, value in os.environ.items() if name != "MLFLOW_DISABLE_TELEMETRY"}
    for name in ("CI", "PYTEST_CURRENT_TEST"):  # there it would be silent by itself
        environment.pop(name, None)
    command = [sys.executable, "-c", SILENT, str(settings.home), str(settings.mlflow_url)]
    subprocess.run(command, check=True, env=environment)
