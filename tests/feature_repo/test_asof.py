"""The point-in-time join against the rule, written out, on many small histories."""

from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from feature_repo import asof
from feature_repo.errors import DataError
from feature_repo.index import index_folder, open_index, write_index
from tests.feature_repo.histories import Question, Row, expected, frame, histories, questions, spine

STEP = 6 * 3_600_000_000
TIMES = ("event_timestamp", "created_timestamp")


def answers(
    index: asof.Index, asked: list[Question], ttl: int | None = None, known_at: bool = True
) -> list[int | None]:
    names = index.entities.keys.schema.names
    asking = spine(asked, names)
    at = asking["event_timestamp"].to_physical().to_numpy()
    keys = [asking[name] for name in names]
    positions = index.find(keys, at, 0 if ttl is None else ttl * STEP, known_at)
    found: list[int | None] = index.take(positions, ["value"])[0].to_pylist()
    return found


@settings(max_examples=300, deadline=None)
@given(histories(), questions(), st.sampled_from([None, 1, 3]), st.booleans())
def test_every_row_gets_the_winner_by_the_rule(rows, asked, ttl, known_at):
    index = asof.build(frame(rows, ["person_id"]), ["person_id"], *TIMES)
    assert answers(index, asked, ttl, known_at) == [expected(rows, each, ttl, known_at) for each in asked]


@settings(max_examples=100, deadline=None)
@given(histories(keys=2), questions(keys=2))
def test_two_keys_are_matched_as_a_pair(rows, asked):
    keys = ["person_id", "project_id"]
    index = asof.build(frame(rows, keys), keys, *TIMES)
    assert answers(index, asked) == [expected(rows, each) for each in asked]


@pytest.mark.parametrize(
    ("event", "created", "at", "found"),
    [
        (5, 5, 5, 0),  # at the very instant
        (5, 5, 4, None),  # not yet true
        (5, 8, 7, None),  # true, but not yet known
        (5, 8, 8, 0),  # known late
        (5, 2, 3, None),  # known ahead, not yet true
    ],
)
def test_a_row_counts_once_it_is_both_true_and_known(event, created, at, found):
    index = asof.build(frame([Row(("ada",), event, created, 0)], ["person_id"]), ["person_id"], *TIMES)
    assert answers(index, [Question(("ada",), at)]) == [found]


def test_a_correction_replaces_a_row_only_when_it_is_recorded():
    rows = [Row(("ada",), 5, 5, 0), Row(("ada",), 5, 9, 1), Row(("ada",), 4, 10, 2)]
    index = asof.build(frame(rows, ["person_id"]), ["person_id"], *TIMES)
    assert answers(index, [Question(("ada",), at) for at in (8, 9, 10)]) == [0, 1, 1]


def test_of_exact_ties_the_last_in_the_file_wins():
    rows = [Row(("ada",), 5, 5, place) for place in range(50)]
    index = asof.build(frame(rows, ["person_id"]), ["person_id"], *TIMES)
    assert answers(index, [Question(("ada",), 5)]) == [49]


def test_rows_without_a_key_or_a_time_are_never_eligible():
    rows = frame([Row(("ada",), 1, 1, place) for place in range(4)], ["person_id"])
    holes = rows.with_columns(
        person_id=pl.when(pl.col("value") == 1).then(None).otherwise("person_id"),
        event_timestamp=pl.when(pl.col("value") == 2).then(None).otherwise("event_timestamp"),
        created_timestamp=pl.when(pl.col("value") == 3).then(None).otherwise("created_timestamp"),
    )
    assert answers(asof.build(holes, ["person_id"], *TIMES), [Question(("ada",), 9), Question((None,), 9)]) == [0, None]


def test_keys_that_read_alike_when_joined_are_different_entities():
    rows = [Row(("a", "bc"), 0, 0, 0), Row(("ab", "c"), 0, 0, 1), Row(("1:a", "2:b"), 0, 0, 2)]
    index = asof.build(frame(rows, ["person_id", "project_id"]), ["person_id", "project_id"], *TIMES)
    assert answers(index, [Question(row.keys, 1) for row in rows]) == [0, 1, 2]
    assert answers(index, [Question(("abc", ""), 1)]) == [None]


def test_a_view_without_a_created_time_is_joined_on_events():
    rows = [Row(("ada",), 1, 9, 0), Row(("ada",), 3, 1, 1)]
    index = asof.build(frame(rows, ["person_id"]).drop("created_timestamp"), ["person_id"], TIMES[0], None)
    assert answers(index, [Question(("ada",), at) for at in (0, 1, 2, 3)]) == [None, 0, 0, 1]


def test_an_unknown_column_is_named():
    index = asof.build(frame([], ["person_id"]), ["person_id"], *TIMES)
    with pytest.raises(DataError, match="salary"):
        index.take(np.array([-1]), ["salary"])


@settings(max_examples=20, deadline=None)
@given(histories(keys=2), questions(keys=2))
def test_an_index_on_disk_answers_as_one_in_memory(tmp_path_factory, rows, asked):
    keys, path = ["person_id", "project_id"], tmp_path_factory.mktemp("index") / "view.parquet"
    frame(rows, keys).write_parquet(path)
    built = write_index(path, keys, *TIMES)
    opened = open_index(path, keys, *TIMES)
    assert answers(opened, asked) == answers(built, asked) == [expected(rows, each) for each in asked]


def test_an_index_of_an_older_file_is_not_read(tmp_path: Path):
    path = tmp_path / "view.parquet"
    frame([Row(("ada",), 0, 0, 7)], ["person_id"]).write_parquet(path)
    write_index(path, ["person_id"], *TIMES)
    assert index_folder(path).is_dir()
    frame([Row(("ada",), 0, 0, 8)], ["person_id"]).write_parquet(path)
    assert answers(open_index(path, ["person_id"], *TIMES), [Question(("ada",), 1)]) == [8]
