"""Our store behind Feast's interface, next to Feast's own duckdb store."""

from datetime import timedelta
from pathlib import Path

import pandas as pd
import polars as pl
import pytest

from feature_repo.errors import DataError
from feature_repo.index import index_folder, write_index
from feature_repo.views import definitions, repo_config, view_file
from tests.feature_repo.histories import Question, Row, expected, frame, instant, spine
from tests.feature_repo.homes import VIEWS, Everything, badges, members, people, stage

EVENT, CREATED = "event_timestamp", "created_timestamp"
# No exact ties: of those Feast's duckdb store returns any.
ROWS = [
    Row((key,), event, event + (event * 5 + place) % 4, place)
    for place, (key, event) in enumerate((k, e) for e in range(9) for k in ("ada", "bob", "ünï"))
]
ASKED = [Question((key,), at) for at in (12, 3, 0, 7, -1, 7) for key in ("bob", "ada", "ünï", "nobody")]
REFS = ["person:value", "person:odd", "person:name", "person:flag", "person:levels", "badge:value"]


def store_over(folder: Path, kind: str | None = None):
    """A Feast store over staged files; kind: another offline store than ours."""
    import feast

    stage(folder, {"person": ROWS, "badge": ROWS, "member": [Row(("ada", "p"), 0, 0, 5)]})
    config = repo_config(folder / "registry.db", None)
    if kind:
        config.offline_config = kind
    store = feast.FeatureStore(config=config)
    store.apply(definitions(VIEWS, folder / "staged", [Everything()]))
    return store


def asked(store, entity_df: pd.DataFrame, refs=REFS, full_names=True, known_at=True) -> pl.DataFrame:
    job = store.get_historical_features(entity_df, refs, full_names, filter_by_created_timestamp=known_at)
    return pl.DataFrame(job.to_arrow())


@pytest.mark.parametrize("known_at", [True, False])
def test_it_answers_as_feasts_duckdb_store_does(tmp_path, known_at):
    entities = spine(ASKED, ["person_id"]).with_row_index("row").to_pandas()
    ours = asked(store_over(tmp_path / "ours"), entities, known_at=known_at)
    duckdb = asked(store_over(tmp_path / "stock", "duckdb"), entities, known_at=known_at)
    assert ours.select(duckdb.columns).equals(duckdb.sort("row"))
    assert ours["row"].to_list() == list(range(len(ASKED))), "the order of the rows changed"
    assert ours["person__value"].to_list() == [expected(ROWS, each, known_at=known_at) for each in ASKED]


def test_to_df_gives_the_same_as_to_arrow(tmp_path):
    job = store_over(tmp_path).get_historical_features(spine(ASKED, ["person_id"]).to_pandas(), REFS[:5])
    assert job.to_df()["odd"].tolist() == pytest.approx(job.to_arrow()["odd"].to_pandas().tolist(), nan_ok=True)
    assert job.metadata.keys == ["person_id"]


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
@pytest.mark.parametrize("zone", [None, "UTC", "Europe/Berlin", "text"])
def test_instants_are_read_in_every_form_that_pandas_has(tmp_path, unit, zone):
    times = pd.Series([instant(each.at) for each in ASKED]).dt.as_unit(unit)
    written = times.dt.tz_localize(None) if zone is None else times.astype(str) if zone == "text" else times
    written = times.dt.tz_convert(zone) if zone == "Europe/Berlin" else written
    entities = pd.DataFrame({"person_id": [each.keys[0] for each in ASKED], EVENT: written})
    found = asked(store_over(tmp_path), entities)["person__value"].to_list()
    assert found == [expected(ROWS, each) for each in ASKED]


def test_a_nanosecond_before_an_event_is_before_it(tmp_path):
    at = pd.Series(pd.to_datetime([instant(0), instant(0)])) - pd.to_timedelta([0, 1], "ns")
    entities = pd.DataFrame({"person_id": ["ada", "ada"], EVENT: at})
    assert asked(store_over(tmp_path), entities, known_at=False)["person__value"].to_list() == [0, None]


def test_an_index_changes_nothing_but_the_time_it_takes(tmp_path):
    store, entities = store_over(tmp_path), spine(ASKED, ["person_id"]).to_pandas()
    without = asked(store, entities)
    for view in (people, badges, members):
        write_index(view_file(tmp_path / "staged", view), view.keys, EVENT, CREATED)
    assert index_folder(view_file(tmp_path / "staged", people)).is_dir()
    assert asked(store, entities).equals(without)


def test_materialising_takes_what_was_known_and_not_too_old(tmp_path):
    from feature_repo.offline_store import AsofOfflineStore

    store = store_over(tmp_path)
    view = store.get_feature_view("person")
    for start, end in ((-9, 4), (3, 6), (7, 8)):
        job = AsofOfflineStore.pull_latest_from_table_or_query(
            store.config, view.batch_source, ["person_id"], ["value"], EVENT, CREATED, instant(start), instant(end)
        )
        found = dict(pl.DataFrame(job.to_arrow()).select("person_id", "value").iter_rows())
        winners = {key: expected(ROWS, Question((key,), end)) for key in ("ada", "bob", "ünï")}
        recent = {row.value for row in ROWS if row.event >= start}
        assert found == {key: value for key, value in winners.items() if value in recent}


def test_all_rows_of_a_period_can_be_pulled(tmp_path):
    from feature_repo.offline_store import AsofOfflineStore

    store = store_over(tmp_path)
    view = store.get_feature_view("person")
    job = AsofOfflineStore.pull_all_from_table_or_query(
        store.config, view.batch_source, ["person_id"], ["value"], EVENT, CREATED, instant(2), instant(3)
    )
    assert job.to_arrow()["value"].to_pylist() == [row.value for row in ROWS if 2 <= row.event <= 3]


def test_views_keep_what_columns_declare(tmp_path):
    store = store_over(tmp_path)
    view = store.get_feature_view("member")
    assert (view.join_keys, view.ttl) == (["person_id", "project_id"], timedelta())
    assert store.get_feature_view("badge").ttl == timedelta(days=1)
    field = {each.name: each for each in view.features}["names"]
    assert (str(field.dtype), field.tags["unit"], field.tags["minimum"]) == ("Array(String)", "h", "0")
    service = store.get_feature_service("everything")
    assert {each.name for each in service.feature_view_projections} == {view.name for view in VIEWS[:-1]}
    assert store.get_entity("project").tags == {"through": "task__project_id"}


def test_a_spine_as_sql_is_refused(tmp_path):
    with pytest.raises(DataError, match="pandas DataFrame"):
        store_over(tmp_path).get_historical_features("select 1", REFS[:5])


def test_a_missing_file_is_named(tmp_path):
    store = store_over(tmp_path)
    view_file(tmp_path / "staged", people).unlink()
    with pytest.raises(DataError, match=r"person_rows.*person\.parquet"):
        asked(store, spine(ASKED, ["person_id"]).to_pandas())


def test_nothing_is_written_into_a_published_version(tmp_path):
    store = store_over(tmp_path)
    with pytest.raises(DataError, match="never changes"):
        store.write_to_offline_store("person", frame(ROWS, ["person_id"]).to_pandas())


def test_a_result_can_be_saved_once(tmp_path):
    from feast.infra.offline_stores.file_source import SavedDatasetFileStorage

    job = store_over(tmp_path).get_historical_features(spine(ASKED, ["person_id"]).to_pandas(), REFS[:5])
    storage = SavedDatasetFileStorage(path=str(tmp_path / "saved.parquet"))
    job.persist(storage)
    assert pl.read_parquet(tmp_path / "saved.parquet").height == len(ASKED)
    with pytest.raises(DataError, match="exists"):
        job.persist(storage)


def test_the_bench_finds_all_ways_equal(tmp_path, capsys):
    from bench.aims import Aims
    from bench.asof import run

    run(tmp_path, 20_000, 500, columns=3, repeats=1, aims=Aims())
    assert "all 4 equal: 500 rows" in (printed := capsys.readouterr().out)
    assert "all 2 equal: 500 rows" in printed
