"""What historical_frame and facts promise, and what they refuse."""

from datetime import UTC, datetime, timedelta, timezone

import numpy as np
import polars as pl
import pytest

from feature_repo.column import Column, View
from feature_repo.entities import person
from feature_repo.errors import DataError
from feature_repo.publish import publish
from feature_repo.retrieval import facts, historical_frame
from feature_repo.settings import Settings
from tests.feature_repo.histories import TIME, Row, frame, instant
from tests.feature_repo.homes import COLUMNS, VIEWS, column, pair, published, stage

ADA = [Row(("ada",), 0, 0, 1), Row(("ada",), 4, 6, 3)]


def spine(at: list[int], people: list[str | None] | None = None) -> pl.DataFrame:
    times = pl.Series([instant(step) for step in at], dtype=TIME)
    names = people or ["ada"] * len(at)
    return pl.DataFrame({"person_id": names, "task_id": ["t"] * len(at), "event_timestamp": times})


def read(home, asked: pl.DataFrame, *names: str, views=VIEWS) -> pl.DataFrame:
    return historical_frame(home, asked, [column(name) for name in names], views=views)


@pytest.fixture
def home(tmp_path):
    published(tmp_path, {"person": ADA})
    return tmp_path


def test_rows_their_order_and_other_columns_are_kept(home):
    asked = spine([9, 5, 9, 0]).with_columns(label=pl.Series([4, 3, 2, 1]), tags=pl.Series([["a"], [], None, ["b"]]))
    found = read(home, asked, "person__value")
    assert found.drop("person__value").equals(asked)
    assert found["person__value"].to_list() == [3, 1, 3, 1]


def test_columns_come_in_the_order_asked_for_and_nothing_else_comes(home):
    found = read(home, spine([9]), "project__value", "pair__idle_days", "person__value")
    assert found.columns[3:] == ["project__value", "pair__idle_days", "person__value"]


def test_the_hour_that_the_clocks_repeat_is_two_hours(tmp_path):
    """02:30 comes twice in Berlin on 28 October 2012; the feature changes in between."""
    first, second = datetime(2012, 10, 28, 0, 30, tzinfo=UTC), datetime(2012, 10, 28, 1, 30, tzinfo=UTC)
    rows = frame([Row(("ada",), 0, 0, 1), Row(("ada",), 1, 1, 3)], ["person_id"])
    times = pl.Series([datetime(2012, 1, 1, tzinfo=UTC), datetime(2012, 10, 28, 1, tzinfo=UTC)], dtype=TIME)
    stage(tmp_path, {})
    rows.with_columns(event_timestamp=times, created_timestamp=times).write_parquet(
        tmp_path / "staged" / "views" / "person.parquet"
    )
    publish(Settings(home=tmp_path), instant(0), views=VIEWS)
    asked = spine([0, 0]).with_columns(event_timestamp=pl.Series([first, second], dtype=TIME))
    local = asked.with_columns(pl.col("event_timestamp").dt.convert_time_zone("Europe/Berlin"))
    assert local["event_timestamp"].dt.strftime("%H:%M").to_list() == ["02:30", "02:30"]
    assert read(tmp_path, local, "person__value")["person__value"].to_list() == [1, 3]
    assert read(tmp_path, local, "person__value").schema["event_timestamp"] == pl.Datetime("us", "Europe/Berlin")


@pytest.mark.parametrize("unit", ["ms", "us", "ns"])
def test_spines_may_have_any_unit_of_time(home, unit):
    asked = spine([3, 4, 6]).with_columns(pl.col("event_timestamp").dt.cast_time_unit(unit))
    assert read(home, asked, "person__value")["person__value"].to_list() == [1, 1, 3]


def test_a_nanosecond_before_it_is_recorded_a_row_is_not_known(home):
    at = spine([6, 6])["event_timestamp"].dt.cast_time_unit("ns") - pl.Series([1, 0]).cast(pl.Duration("ns"))
    assert read(home, spine([6, 6]).with_columns(at), "person__value")["person__value"].to_list() == [1, 3]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda asked: asked.with_columns(pl.col("event_timestamp").dt.replace_time_zone(None)), "aware instants"),
        (lambda asked: asked.with_columns(pl.lit(None, TIME).alias("event_timestamp")), "2 of 2 rows have no event_t"),
        (lambda asked: asked.drop("event_timestamp"), "has no event_timestamp"),
        (lambda asked: asked.drop("person_id"), "has no person_id, which person__value needs"),
        (lambda asked: asked.with_columns(person_id=pl.Series(["ada", None])), "1 of 2 rows have no person_id"),
        (lambda asked: asked.with_columns(person__value=1), "already has person__value"),
    ],
)
def test_a_spine_that_cannot_be_answered_is_refused(home, change, message):
    with pytest.raises(DataError, match=message):
        read(home, change(spine([5, 6])), "person__value")


def test_a_task_without_a_project_has_no_project_features(tmp_path):
    tasks = [Row(("t",), 0, 0, 3), Row(("t",), 5, 5, 0)]  # values 3 and 0 name no project, and "p"
    published(tmp_path, {"task": tasks, "project": [Row(("p",), 0, 0, 6)], "member": [Row(("ada", "p"), 0, 0, 8)]})
    found = read(tmp_path, spine([1, 5]), "project__value", "member__value")
    assert found.select("project__value", "member__value").rows() == [(None, None), (6, 8)]


def test_a_key_in_the_spine_goes_before_the_one_through_a_column(tmp_path):
    published(tmp_path, {"task": [Row(("t",), 0, 0, 0)], "project": [Row(("p",), 0, 0, 6), Row(("1p",), 0, 0, 7)]})
    asked = spine([5]).with_columns(project_id=pl.lit("1p"))
    assert read(tmp_path, asked, "project__value")["project__value"].item() == 7


def test_an_undeclared_column_is_refused(home):
    other = Column(name="salary", dtype=float, view="person", function=len)
    with pytest.raises(DataError, match="column person__salary: unknown"):
        historical_frame(home, spine([5]), [other], views=VIEWS)


def test_a_pair_column_over_an_undeclared_column_is_refused(home):
    odd = Column(name="odd", dtype=float, view="pair", function=lambda person__salary: person__salary)
    views = (*VIEWS[:-1], View("pair", (person,), columns=[odd]))
    with pytest.raises(DataError, match="person__salary, which pair__odd asks for: unknown"):
        historical_frame(home, spine([5]), [odd], views=views)


def test_pair_columns_in_a_circle_are_refused(home):
    one = Column(name="one", dtype=float, view="pair", function=len, inputs=("pair__two",))
    two = Column(name="two", dtype=float, view="pair", function=len, inputs=("pair__one",))
    with pytest.raises(DataError, match="pair__one -> pair__two -> pair__one"):
        historical_frame(home, spine([5]), [one], views=(View("pair", (person,), columns=[one, two]),))


def test_a_column_that_is_declared_but_not_published_is_named(home):
    views = [View(each.name, each.entities, each.rows, each.ttl_days, list(each.columns)) for each in VIEWS]
    added = Column(name="rank", dtype=int, view="person", function=len)
    views[0].columns.append(added)
    with pytest.raises(DataError, match=r"person__rank: not in the published version, run `talentml materialize`"):
        historical_frame(home, spine([5]), [added], views=views)


def test_a_pair_function_that_loses_rows_is_refused(home):
    short = Column(name="short", dtype=float, view="pair", function=lambda at: at[:1])
    views = (*VIEWS[:-1], View("pair", (person,), columns=[short]))
    with pytest.raises(DataError, match="pair__short: gave 1 values for 2 rows"):
        historical_frame(home, spine([5, 6]), [short], views=views)


def test_pair_columns_get_floats_open_lists_and_the_instant_in_days(home):
    seen = {}

    def spy(person__value, person__flag, person__day, person__names, at):
        seen.update(locals())
        return np.where(np.isnan(person__value), np.nan, 1.0)

    spied = Column(name="spied", dtype=int, view="pair", function=spy)
    asked = spine([6, 6], ["ada", "zoe"])
    found = historical_frame(home, asked, [spied], views=(*VIEWS[:-1], View("pair", (person,), columns=[spied])))
    assert found["pair__spied"].to_list() == [1, None]
    days = instant(6).timestamp() / 86_400
    assert seen["at"].tolist() == [days, days]
    np.testing.assert_array_equal(seen["person__value"], [3.0, np.nan])
    np.testing.assert_array_equal(seen["person__flag"], [np.nan, np.nan])
    np.testing.assert_array_equal(seen["person__day"], [instant(3).timestamp() / 86_400, np.nan])
    assert seen["person__names"].array.to_pylist() == [None, None]


def test_an_empty_spine_gives_an_empty_frame(home):
    found = historical_frame(home, spine([]).cast({"person_id": pl.String, "task_id": pl.String}), COLUMNS, views=VIEWS)
    assert (found.height, len(found.columns)) == (0, 3 + len(COLUMNS))


def test_a_store_that_loses_or_shuffles_rows_is_noticed(home, monkeypatch):
    from feature_repo import offline_store

    joined = offline_store.joined
    monkeypatch.setattr(offline_store, "joined", lambda *inputs: joined(*inputs).slice(1))
    with pytest.raises(DataError, match="2 rows, 2 different, for 3 asked for"):
        read(home, spine([9, 5, 0]), "person__value")
    monkeypatch.setattr(offline_store, "joined", lambda *inputs: joined(*inputs).take([2, 0, 1]))
    assert read(home, spine([9, 5, 0]), "person__value")["person__value"].to_list() == [3, 1, 1]


def test_nothing_published_is_said_so(tmp_path):
    with pytest.raises(DataError, match="nothing is published"):
        read(tmp_path, spine([1]), "person__value")


def test_pair_views_are_those_without_rows():
    assert pair.rows is None


COMPLETIONS = pl.DataFrame(
    {
        "task_id": ["t1", "t1", "t2", "t3", "t2"],
        "actual_hours": [1.0, 2.0, 3.0, 4.0, 5.0],
        "recorded_at": pl.Series([instant(1), instant(5), instant(2), None, instant(2)], dtype=TIME),
    }
)


@pytest.mark.parametrize(
    ("known_before", "hours"),
    [(1, {}), (2, {"t1": 1.0}), (5, {"t1": 1.0, "t2": 5.0}), (6, {"t1": 2.0, "t2": 5.0})],
)
def test_facts_are_the_latest_versions_that_were_recorded(tmp_path, known_before, hours):
    stage(tmp_path, {})
    (tmp_path / "staged" / "streams").mkdir()
    COMPLETIONS.write_parquet(tmp_path / "staged" / "streams" / "completions.parquet")
    publish(Settings(home=tmp_path), instant(9), views=VIEWS)
    found = facts(tmp_path, "completions", instant(known_before)).collect()
    assert dict(found.select("task_id", "actual_hours").iter_rows()) == hours
    local = instant(known_before).astimezone(timezone(timedelta(hours=-8)))
    assert facts(tmp_path, "completions", local).collect().equals(found)


def test_facts_of_streams_that_are_unknown_or_not_published_are_refused(home):
    with pytest.raises(DataError, match="stream 'wages': unknown"):
        facts(home, "wages", instant(1))
    with pytest.raises(DataError, match="stream completions: not in the published version"):
        facts(home, "completions", instant(1))
    with pytest.raises(DataError, match="no time zone"):
        facts(home, "completions", instant(1).replace(tzinfo=None))


def test_rows_that_are_read_in_parts_are_those_that_are_read_at_once(home, monkeypatch):
    asked = spine([3, 4, 6, 9, 3])
    names = "person__value", "project__value", "pair__idle_days"
    whole = read(home, asked, *names)
    monkeypatch.setattr("feature_repo.retrieval.MOST_ROWS", 2)
    assert read(home, asked, *names).equals(whole)
