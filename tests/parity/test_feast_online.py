"""What requests read from the packed copy is what Feast's online store says, for every view of the platform."""

from pathlib import Path

import polars as pl
import pytest

from feature_repo.column import View
from feature_repo.online import OnlineSnapshot
from feature_repo.plan import declared_views
from feature_repo.retrieval import online_frame
from feature_repo.versions import current
from feature_repo.views import polars_type, repo_config, stored, view_file
from tests.serving import world

NOBODY = "nobody at all"


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The small world, published by one materialisation."""
    return world.copy(tmp_path_factory.mktemp("published") / "home")


def entities(home: Path, view: View) -> pl.DataFrame:
    """All that the view ever had a row of, and one that it had none of."""
    known = pl.read_parquet(view_file(current(home / "offline"), view), columns=list(view.keys)).unique()
    nobody = pl.DataFrame({key: [NOBODY] for key in view.keys})
    return pl.concat([known.cast(pl.String), nobody])


@pytest.mark.parametrize("view", stored(declared_views()), ids=lambda view: view.name)
def test_every_stored_column_equals_feasts_online_value(home: Path, view: View) -> None:
    import feast

    asked = entities(home, view)
    store = feast.FeatureStore(config=repo_config(home / "feast" / "registry.db", home / "feast" / "online_store.db"))
    refs = [f"{view.name}:{column.name}" for column in view.columns]
    theirs = store.get_online_features(refs, asked.to_dicts(), full_feature_names=True).to_dict()
    ours = online_frame(OnlineSnapshot.open(home), asked, view.columns)
    for column in view.columns:
        wanted = pl.Series(theirs[column.qualified], dtype=polars_type(column))
        assert ours[column.qualified].to_list() == wanted.to_list(), column.qualified


def test_both_are_of_one_version_and_are_replaced_together(home: Path) -> None:
    snapshot = OnlineSnapshot.open(home)
    assert (home / "feast").resolve() == snapshot.folder.resolve() / "feast"
