"""The packed online copy, next to Feast's own online store and to the historical read."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from feature_repo.errors import DataError
from feature_repo.gathering import gather
from feature_repo.names import Names
from feature_repo.online import OnlineSnapshot
from feature_repo.packing import strides
from feature_repo.retrieval import online_frame
from feature_repo.table import as_numbers
from feature_repo.views import repo_config
from tests.feature_repo.histories import PEOPLE, PROJECTS, Row, histories, instant
from tests.feature_repo.homes import COLUMNS, KINDS, VIEWS, column, published

PERSON_COLUMNS = [column(f"person__{kind}") for kind in KINDS]


def asked(people: list[str | None]) -> pl.DataFrame:
    return pl.DataFrame({"person_id": people, "task_id": people}, schema={"person_id": pl.String, "task_id": pl.String})


def test_reading_online_needs_no_feast(tmp_path):
    published(tmp_path, {"person": [Row(("ada",), 0, 0, 1)]})
    program = """
import sys
from pathlib import Path
from feature_repo.online import OnlineSnapshot
from feature_repo.retrieval import online_frame
from tests.feature_repo.test_online import PERSON_COLUMNS, VIEWS, asked
found = online_frame(OnlineSnapshot.open(Path(sys.argv[1])), asked(["ada"]), PERSON_COLUMNS, views=VIEWS)
assert found["person__value"].to_list() == [1]
assert "feast" not in sys.modules and "ibis" not in sys.modules
"""
    subprocess.run([sys.executable, "-c", program, str(tmp_path)], check=True, cwd=Path.cwd(), env={**os.environ})


@settings(max_examples=8, deadline=None, suppress_health_check=list(HealthCheck))
@given(histories(), histories(keys=2), st.integers(0, 16))
def test_packed_rows_equal_feasts_online_features(tmp_path_factory, people, members, as_of):
    home = tmp_path_factory.mktemp("home")
    published(home, {"person": people, "member": members, "badge": people}, as_of)
    pairs = [(person, project) for person in (*PEOPLE, "nobody") for project in PROJECTS]
    entities = [{"person_id": person, "project_id": project} for person, project in pairs]
    columns = [*PERSON_COLUMNS, column("member__value"), column("member__names"), column("badge__value")]
    import feast

    store = feast.FeatureStore(config=repo_config(home / "feast" / "registry.db", home / "feast" / "online_store.db"))
    refs = [f"{each.view}:{each.name}" for each in columns]
    theirs = store.get_online_features(refs, entities, full_feature_names=True).to_dict()
    ours = online_frame(OnlineSnapshot.open(home), pl.DataFrame(entities), columns, views=VIEWS)
    for each in columns:
        assert ours[each.qualified].to_list() == theirs[each.qualified], each.qualified


TEXTS = st.text(st.characters(exclude_characters="\0", codec="utf-8"), max_size=6)


@settings(max_examples=100, deadline=None)
@given(st.sets(TEXTS, max_size=40), st.lists(st.none() | st.text(max_size=8), max_size=10))
def test_names_find_the_texts_that_they_hold_and_no_other(tmp_path_factory, known, wanted):
    path = tmp_path_factory.mktemp("names") / "person_id.arrow"
    made = Names.keys(pl.Series("person_id", [*known, None, *known], dtype=pl.String))
    made.write(path)
    names, asked_ = Names.mapped(path), [*known, *wanted]
    codes = names.find(asked_)
    assert names.series(codes).to_list() == [text if text in known else None for text in asked_]
    for text, code in zip(asked_, codes, strict=True):
        np.testing.assert_array_equal(names.find([text, text]), [code, code])
    assert names.texts.to_list() == sorted(known)
    assert len(names) == len(known)
    held = pl.Series([*known, None], dtype=pl.String)
    assert names.codes(held)[:-1].tolist() == names.find(held.to_list())[:-1].tolist()


KEYS = st.sampled_from(["", "a", "b", "bb", "ü"])


@settings(max_examples=100, deadline=None)
@given(
    st.sets(st.tuples(KEYS, KEYS, KEYS), min_size=1, max_size=30),
    st.lists(st.tuples(*[KEYS | st.just("zoe")] * 3), min_size=1),
    st.integers(0, 3),
)
def test_the_kernel_finds_the_rows_of_the_keys_that_are_packed_and_no_other(known, wanted, shared):
    """shared: how many of the keys, the last ones, all rows have the same of."""
    wanted = [(*key[: 3 - shared], *wanted[0][3 - shared :]) for key in wanted]
    rows = sorted(known)
    names = [Names.keys(pl.Series([row[place] for row in rows], dtype=pl.String)) for place in range(3)]
    digits = [each.codes(pl.Series([row[place] for row in rows], dtype=pl.String)) for place, each in enumerate(names)]
    sizes = [len(each) for each in names]
    by = strides(sizes, "view")
    codes = sum(
        (digit.astype(np.int64) * step for digit, step in zip(digits, by, strict=True)), np.zeros(len(rows), np.int64)
    )
    order = np.argsort(codes)
    stored = np.append(order.astype(np.float64), np.nan)
    numbers = np.vstack(
        [*(each.find([key[place] for key in wanted]) for place, each in enumerate(names)), np.zeros(len(wanted))]
    )
    places = np.empty((1, len(wanted)), np.int64)
    head, wanted_columns = np.array([[0, len(rows), 0, 0, 1]]), np.array([[0, 3]])
    gather(
        head,
        np.array([[0, 1, 2]]),
        np.array([[sizes[0], *by[1:]]]),
        wanted_columns,
        codes[order],
        stored,
        numbers,
        places,
    )
    expected = [rows.index(key) if key in known else np.nan for key in wanted]
    np.testing.assert_array_equal(numbers[3], expected)


def test_keys_whose_numbers_are_too_many_are_refused():
    assert strides([10, 20, 30], "member") == [1, 10, 200]
    with pytest.raises(DataError, match="view member: 4294967296 x 4294967296 possible keys, allowed: fewer than 2"):
        strides([2**32, 2**32], "member")


def test_whole_numbers_that_no_float_equals_are_refused():
    assert as_numbers(pl.Series("value", [2**53, None])).tolist()[0] == 2**53
    with pytest.raises(DataError, match=r"value: 9007199254740993, allowed: whole numbers up to 2\^53"):
        as_numbers(pl.Series("value", [2**53 + 1]))


def test_a_key_with_a_zero_in_it_cannot_be_packed(tmp_path):
    with pytest.raises(DataError, match="person_id: a key holds a NUL"):
        published(tmp_path, {"person": [Row(("a\0",), 0, 0, 1)]})


def test_unknown_entities_have_nulls(tmp_path):
    published(tmp_path, {"person": [Row(("ada",), 0, 0, 1)]})
    found = online_frame(OnlineSnapshot.open(tmp_path), asked(["zoe", None, "ada"]), PERSON_COLUMNS, views=VIEWS)
    assert found["person__value"].to_list() == [None, None, 1]


def test_what_was_recorded_after_the_as_of_date_is_not_there(tmp_path):
    published(tmp_path, {"person": [Row(("ada",), 1, 1, 0), Row(("ada",), 2, 9, 1)]}, as_of=8)
    found = online_frame(OnlineSnapshot.open(tmp_path), asked(["ada"]), PERSON_COLUMNS, views=VIEWS)
    assert found["person__value"].to_list() == [0]


def test_a_task_that_is_not_stored_yet_is_given_by_value(tmp_path):
    histories_ = {
        "person": [Row(("ada",), 0, 0, 1)],
        "project": [Row(("1p",), 0, 0, 6)],
        "member": [Row(("ada", "1p"), 0, 0, 8)],
    }
    published(tmp_path, histories_)
    wanted = [column("task__value"), column("task__project_id"), column("project__value"), column("member__value")]
    task = {"task__value": 3.0, "task__project_id": "1p", "task__unused": 1}
    found = online_frame(OnlineSnapshot.open(tmp_path), asked(["ada", "bob"]), wanted, task, views=VIEWS)
    assert found.rows() == [("ada", "ada", 3, "1p", 6, 8), ("bob", "bob", 3, "1p", 6, None)]
    assert found.schema["task__value"] == pl.Int64


def test_values_may_be_given_row_by_row(tmp_path):
    published(tmp_path, {})
    snapshot, wanted = OnlineSnapshot.open(tmp_path), [column("task__value"), column("person__names")]
    given_ = {"task__value": [1, None], "person__names": pl.Series([["a"], []])}
    for each in (given_, pl.DataFrame(given_)):
        found = online_frame(snapshot, asked(["ada", "bob"]), wanted, each, views=VIEWS)
        assert found.select("task__value", "person__names").rows() == [(1, ["a"]), (None, [])]
    one = online_frame(snapshot, asked(["ada", "bob"]), wanted, {"person__names": ["a", "b"]}, views=VIEWS)
    assert one["person__names"].to_list() == [["a", "b"], ["a", "b"]]
    with pytest.raises(DataError, match="3 values, allowed: 1 or 2"):
        online_frame(snapshot, asked(["ada", "bob"]), wanted, {"task__value": [1, 2, 3]}, views=VIEWS)
    with pytest.raises(DataError, match="task__value"):
        online_frame(snapshot, asked(["ada"]), wanted, {"task__value": "many"}, views=VIEWS)


def test_a_snapshot_stays_readable_and_tells_that_it_is_no_longer_current(tmp_path):
    rows = [Row(("ada",), 0, 0, 0)]
    published(tmp_path, {"person": rows})
    first = OnlineSnapshot.open(tmp_path)
    for value in range(1, 5):
        published(tmp_path, {"person": [*rows, Row(("ada",), value, value, value)]})
    second = OnlineSnapshot.open(tmp_path)
    assert (first.is_current(), second.is_current()) == (False, True)
    values = [
        online_frame(each, asked(["ada"]), PERSON_COLUMNS, views=VIEWS)["person__value"].item()
        for each in (first, second)
    ]
    assert values == [0, 4]
    assert second.as_of == instant(100)


def test_nothing_published_is_said_so(tmp_path):
    with pytest.raises(DataError, match="nothing is published"):
        OnlineSnapshot.open(tmp_path)


def test_no_rows_asked_for_gives_no_rows_of_the_same_schema(tmp_path):
    published(tmp_path, {"person": [Row(("ada",), 0, 0, 1)]})
    snapshot = OnlineSnapshot.open(tmp_path)
    none = online_frame(snapshot, asked([]), COLUMNS, views=VIEWS)
    assert none.height == 0
    assert none.schema == online_frame(snapshot, asked(["ada"]), COLUMNS, views=VIEWS).schema
