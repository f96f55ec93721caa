"""The `feast` command line, on the platform's own views and products."""

import os
import subprocess
import sys
from pathlib import Path

import polars as pl

import feature_repo
from feature_repo.plan import declared_views
from feature_repo.publish import publish
from feature_repo.settings import Settings
from feature_repo.views import CREATED, EVENT, TIME, polars_type, repo_config, stored, view_file
from tests.feature_repo.histories import instant
from tests.patience import LONG
from training.products import PRODUCTS

REPO = Path(feature_repo.__file__).parent


def publish_empty(home: Path) -> None:
    for view in stored(declared_views()):
        columns = {column.name: polars_type(column) for column in view.columns}
        schema = dict.fromkeys(view.keys, pl.String) | dict.fromkeys((EVENT, CREATED), TIME) | columns
        path = view_file(home / "staged", view)
        path.parent.mkdir(parents=True, exist_ok=True)
        pl.DataFrame(schema=schema).write_parquet(path)
    publish(Settings(home=home), instant(0), products=PRODUCTS.values())


def test_feast_apply_reads_repo_py_alone_and_registers_what_publishing_registers(tmp_path):
    import feast

    publish_empty(tmp_path)
    store = feast.FeatureStore(config=repo_config(tmp_path / "feast" / "registry.db", None))
    before = [str(each) for each in store.list_feature_views()], {each.name for each in store.list_feature_services()}
    command = [Path(sys.executable).with_name("feast"), "apply"]
    environment = {**os.environ, "TALENTML_HOME": str(tmp_path)}
    done = subprocess.run(command, cwd=REPO, env=environment, capture_output=True, text=True, timeout=2 * LONG)
    assert done.returncode == 0, done.stdout + done.stderr
    store.refresh_registry()
    after = [str(each) for each in store.list_feature_views()], {each.name for each in store.list_feature_services()}
    assert len(after[0]) == len(before[0]) == len(stored(declared_views()))
    assert after[1] == before[1] == set(PRODUCTS)


def test_the_file_and_the_platform_configure_feast_alike(tmp_path, monkeypatch):
    from feast.repo_config import load_repo_config

    monkeypatch.setenv("TALENTML_HOME", str(tmp_path))
    file = load_repo_config(REPO, REPO / "feature_store.yaml")
    ours = repo_config(tmp_path / "feast" / "registry.db", tmp_path / "feast" / "online_store.db")
    for name in (
        "project",
        "provider",
        "entity_key_serialization_version",
        "coerce_tz_aware",
        "materialization_config",
    ):
        assert getattr(file, name) == getattr(ours, name)
    assert file.registry.path == ours.registry.path
    assert (file.offline_store, file.online_store) == (ours.offline_store, ours.online_store)
