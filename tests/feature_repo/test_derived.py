"""Pair columns that need one stored row are computed when it is published, and are what they would be otherwise."""

import json
from operator import sub
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from feature_repo.column import Column, View
from feature_repo.derived import derived, functions
from feature_repo.entities import Entity, person, task
from feature_repo.errors import DataError
from feature_repo.features import VIEWS as OWN
from feature_repo.features import standing
from feature_repo.online import OnlineSnapshot
from feature_repo.packing import NUMBERS, SNAPSHOT
from feature_repo.publish import publish
from feature_repo.reader import reader
from feature_repo.retrieval import historical_frame, online_frame
from feature_repo.settings import Settings
from feature_repo.window import last_before
from tests.feature_repo.histories import Row, frame, instant
from tests.feature_repo.homes import badges, members, people, projects, stage, tasks
from training.products import PRODUCTS

AS_OF = 7
CALLS: list[int] = []
"""The rows that each call of the function `doubled` was for."""

beside = View("beside", (person, task))


@beside.column(float)
def doubled(person__value: np.ndarray) -> np.ndarray:
    """0 where the person is not known."""
    CALLS.append(len(person__value))
    return np.nan_to_num(person__value) * 2


@beside.column(float)
def idle(beside__doubled: np.ndarray, person__value: np.ndarray, at: np.ndarray) -> np.ndarray:
    """Over another such column, and the instant."""
    return beside__doubled + person__value + at


@beside.column(str)
def shout(person__name: pl.Series) -> pl.Series:
    """A text."""
    return person__name.fill_null("nobody").str.to_uppercase()


@beside.column(float)
def listed(person__names: object) -> np.ndarray:
    """A number of a list."""
    return pl.Series(values=person__names).list.len().fill_null(0).to_numpy()


@beside.column(list[str])
def named(person__names: object) -> object:
    """A list."""
    return pl.Series(values=person__names)


@beside.column(float)
def weekday(at: np.ndarray) -> np.ndarray:
    """The same for everybody."""
    return np.floor(at) % 7


@beside.column(float)
def gap(beside__doubled: np.ndarray, task__value: np.ndarray) -> np.ndarray:
    """Of two stored rows."""
    return beside__doubled - task__value


@beside.column(float)
def own(person__value: np.ndarray, task_id: pl.Series) -> np.ndarray:
    """Of a question's own key."""
    return person__value + task_id.str.len_chars().to_numpy()


VIEWS = (people, tasks, projects, members, badges, beside)
HISTORIES = {"person": [Row(("ada",), 0, 0, 1), Row(("bob",), 1, 1, 4)], "task": [Row(("t",), 0, 0, 3)]}
ASKED = pl.DataFrame({"person_id": ["bob", "ada", "zoe"], "task_id": ["t", "t", "t"]})


@pytest.fixture
def home(tmp_path: Path) -> Path:
    stage(tmp_path, HISTORIES)
    publish(Settings(home=tmp_path), instant(AS_OF), views=VIEWS)
    CALLS.clear()
    return tmp_path


def online(home: Path, *columns: Column, given: object = None) -> pl.DataFrame:
    found = online_frame(OnlineSnapshot.open(home), ASKED, columns, given, views=VIEWS)
    return found.select(column.qualified for column in columns)


@pytest.mark.parametrize(
    ("column", "source"),
    [(doubled, "person"), (idle, "person"), (shout, "person"), (listed, "person")]
    + [(each, None) for each in (named, weekday, gap, own)],
    ids=lambda each: getattr(each, "name", each),
)
def test_numbers_and_texts_that_need_one_stored_view_are_derived_from_it(column, source):
    found = derived(VIEWS).get(column.qualified)
    assert (found and found.source.name) == source


def test_they_are_read_and_not_computed(home):
    found = online(home, doubled, gap)
    assert CALLS == []
    assert found.rows() == [(8.0, 5.0), (2.0, -1.0), (0.0, -3.0)]


def test_of_somebody_who_is_not_known_they_are_what_the_function_gives_for_nothing(home):
    assert online(home, doubled, shout, listed).rows()[2] == (0.0, "NOBODY", 0.0)


def test_a_text_that_is_missing_in_the_first_row_is_not_missing_in_all(tmp_path):
    """The last row, which is of nobody, has none either: that is not one text that all rows share."""
    stage(tmp_path, {"person": [Row(("ada",), 0, 0, 3), Row(("bob",), 1, 1, 4)]})
    publish(Settings(home=tmp_path), instant(AS_OF), views=VIEWS)
    assert online(tmp_path, shout)["beside__shout"].to_list() == ["É4", "NOBODY", "NOBODY"]


def test_they_equal_what_training_reads_bit_for_bit(home):
    at = pl.lit(last_before(instant(AS_OF))).cast(pl.Datetime("us", "UTC"))
    columns = (doubled, idle, shout, listed, weekday, gap)
    trained = historical_frame(home, ASKED.with_columns(event_timestamp=at), columns, views=VIEWS)
    assert online(home, *columns).equals(trained.select(column.qualified for column in columns), null_equal=True)


def test_what_they_need_no_more_is_not_read(home):
    wanted = reader(OnlineSnapshot.open(home), [idle], VIEWS, ASKED.columns, []).plan
    assert wanted.all.keys() == {idle.qualified}


def test_where_a_question_gives_what_they_are_computed_from_they_are_computed(home):
    found = online(home, doubled, idle, shout, given={"person__value": [1, 2, None]})
    assert CALLS == [3]
    assert found["beside__doubled"].to_list() == [2.0, 4.0, 0.0]
    assert (found["beside__idle"] - online(home, idle)["beside__idle"]).to_list() == [3 - 12, 6 - 3, None]


def test_a_column_of_the_instant_alone_is_computed_once_for_all_questions(home):
    snapshot = OnlineSnapshot.open(home)
    ready = reader(snapshot, [weekday], VIEWS, ASKED.columns, [])
    assert [call for step in ready.steps for call in step.calls] == []
    days = int(snapshot.at.timestamp() // 86_400)
    assert online(home, weekday)["beside__weekday"].to_list() == [days % 7] * 3


def test_values_that_another_release_computed_are_not_read(home, caplog):
    """As where a function was changed since, and `talentml materialize` did not run yet."""
    path = home / "online" / "current" / SNAPSHOT
    path.write_text(json.dumps(json.loads(path.read_text()) | {"functions": "another"}))
    assert online(home, doubled)["beside__doubled"].to_list() == [8.0, 2.0, 0.0]
    assert CALLS == [3]
    assert "another release computed its derived columns" in caplog.text


def test_a_home_that_an_earlier_release_packed_has_to_be_published_again(home):
    """Columns were named within their view before there were derived ones beside them."""
    path = home / "online" / "current" / SNAPSHOT
    facts = json.loads(path.read_text())
    plain = {view: [name.split("__")[1] for name in names] for view, names in facts["columns"].items()}
    path.write_text(json.dumps(facts | {"columns": plain}))
    with pytest.raises(DataError, match=r"person__value: not in online version .*, run `talentml materialize`"):
        online(home, doubled)


def test_so_has_one_whose_numbers_lie_row_after_row(home):
    (home / "online" / "current" / NUMBERS).rename(home / "online" / "current" / "numbers.npy")
    with pytest.raises(DataError, match=r"columns.npy: not in online version .*, run `talentml materialize`"):
        online(home, doubled)


@pytest.mark.parametrize(
    ("name", "source"),
    [
        ("standing__word_2_started_365d_rarity", "word_2"),
        ("pair__everybody_started_share", "person"),
        ("standing__everybody_started_365d", "everybody"),
        ("pair__project_started_share", None),
    ],
)
def test_what_there_is_one_row_of_is_known_beside_any_row(name, source):
    found = derived(OWN).get(name)
    assert (found and found.source.name) == source


def test_two_views_may_be_of_everybody(home):
    """Both rows have a column of the same name: their key."""
    everybody = Entity("everybody", "everybody_key", is_one=True)
    ones = [View(name, (everybody,), stage) for name in ("starts", "ends")]
    for view in ones:
        view.columns.append(Column(name="value", dtype=int, view=view.name, function=stage))
        frame([Row(("all",), 0, 0, 5)], view.keys).write_parquet(home / "staged" / "views" / f"{view.name}.parquet")
    rest = Column(name="rest", dtype=float, view="more", function=sub, inputs=("starts__value", "person__value"))
    views = (*VIEWS[:-1], *ones, View("more", (person, task), None, 0, [rest]))
    publish(Settings(home=home), instant(AS_OF), views=views)
    found = online_frame(OnlineSnapshot.open(home), ASKED, [rest], None, views=views)
    assert found["more__rest"].to_list() == [1.0, 4.0, None]


def test_no_product_has_a_standing_sum_as_a_column():
    inner = {column.qualified for column in standing.view.columns}
    asked = {column.qualified for product in PRODUCTS.values() for column in product.asked_columns}
    assert not inner & asked
    assert inner <= derived(OWN).keys()


COMPUTING = (
    "features/gap.py", "calls.py", "compiled.py", "derived.py", "interpreter.py", "lists.py", "names.py", "once.py",
    "pairs.py", "program.py", "recording.py", "table.py",
)  # fmt: skip


@pytest.mark.parametrize("changed", COMPUTING)
def test_a_release_that_computes_columns_in_another_way_is_another(tmp_path, changed):
    for each in COMPUTING:
        (tmp_path / each).parent.mkdir(exist_ok=True)
        (tmp_path / each).write_text("before")
    before = functions.__wrapped__(tmp_path)
    (tmp_path / changed).write_text("after")
    assert functions.__wrapped__(tmp_path) != before
