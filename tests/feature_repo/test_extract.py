"""Extraction publishes whole windows, the same bytes for the same rows, and reads them back as one history."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from hashlib import sha256

import polars as pl
import pyarrow as pa
import pytest

from feature_repo.errors import DataError
from feature_repo.extract import Manifest, extract, manifests, raw_rows, sorted_table
from feature_repo.settings import Settings
from feature_repo.sources.stream import Stream
from feature_repo.sources.streams import STREAMS, feedback, stream, tasks
from feature_repo.window import Window, instant
from tests.contract.things import Things, things

JANUARY = Window(instant("2024-01-01"), instant("2024-02-01"))
FEBRUARY = Window(instant("2024-02-01"), instant("2024-03-01"))
SPRING = Window(instant("2024-01-15"), instant("2024-06-01"))


@pytest.fixture
def place(servers: Settings) -> Iterator[Things]:
    with things(servers, "mysql") as found:
        found.write([found.thing(number, f"2024-01-{number:02d}T00:00:00+00:00") for number in range(1, 21)])
        found.write([found.thing(number, f"2024-02-{number - 20:02d}T00:00:00+00:00") for number in range(21, 31)])
        yield found


def test_a_manifest_says_what_was_published(home: Settings, place: Things) -> None:
    [manifest] = extract(home, [place.stream], JANUARY)
    folder = home.root / "raw" / place.stream.name / "20240101T000000Z_20240201T000000Z"
    assert manifest.sha256 == sha256((folder / "rows.parquet").read_bytes()).hexdigest()
    assert (manifest.rows, manifest.window, manifest.store) == (20, JANUARY, "mysql")
    assert Manifest.read(folder) == manifest
    assert set(json.loads(manifest.to_json())) >= {
        "stream",
        "server",
        "since",
        "until",
        "rows",
        "sha256",
        "finished_at",
    }


def test_the_same_window_again_has_the_same_hash_and_takes_no_more_room(home: Settings, place: Things) -> None:
    first, second = (extract(home, [place.stream], JANUARY)[0] for _ in range(2))
    third = extract(home, [place.stream], JANUARY)[0]
    assert first.sha256 == second.sha256 == third.sha256
    assert first.finished_at < third.finished_at
    assert manifests(home, place.stream) == [third]
    assert len(list((home.root / "raw" / place.stream.name / ".versions").iterdir())) <= 2


def test_the_rows_do_not_depend_on_the_order_in_which_the_source_gives_them() -> None:
    noon = datetime(2024, 1, 1, 12, tzinfo=UTC)
    rows = [
        {"task_id": task, "person_id": "p", "rating": rating, "given_at": noon, "recorded_at": noon}
        for task, rating in (("b", 5.0), ("a", 2.0), ("a", 1.0), (None, 3.0))
    ]
    batches = [pa.RecordBatch.from_pylist([row], schema=feedback.schema()) for row in rows]
    assert sorted_table(feedback, batches).equals(sorted_table(feedback, batches[::-1]))
    assert sorted_table(feedback, batches)["rating"].to_pylist() == [1.0, 2.0, 5.0, 3.0]


def test_changed_rows_replace_the_window(home: Settings, place: Things) -> None:
    before = extract(home, [place.stream], JANUARY)[0]
    place.execute(f"UPDATE {place.stream.origin} SET amount = 9 WHERE thing_id = 'x000003'")
    after = extract(home, [place.stream], JANUARY)[0]
    assert before.sha256 != after.sha256
    assert raw_rows(home, place.stream)["amount"].value_counts().sort("amount").rows() == [(1.5, 19), (9.0, 1)]


def test_the_union_of_windows_holds_each_row_once(home: Settings, place: Things) -> None:
    for window in (FEBRUARY, JANUARY, SPRING):
        extract(home, [place.stream], window)
    frame = raw_rows(home, place.stream)
    assert frame["thing_id"].to_list() == [f"x{number:06d}" for number in range(1, 31)]
    assert frame.columns == list(place.stream.names)


def test_of_overlapping_windows_the_extraction_that_finished_last_wins(home: Settings, place: Things) -> None:
    extract(home, [place.stream], SPRING)
    place.execute(f"UPDATE {place.stream.origin} SET amount = 9 WHERE thing_id = 'x000016'")
    extract(home, [place.stream], JANUARY)
    corrected = raw_rows(home, place.stream).filter(pl.col("thing_id") == "x000016")
    assert corrected["amount"].to_list() == [9.0]


def test_a_row_recorded_anew_is_kept_in_both_versions(home: Settings, place: Things) -> None:
    extract(home, [place.stream], JANUARY)
    place.execute(f"UPDATE {place.stream.origin} SET recorded_at = '2024-02-20', amount = 9 WHERE thing_id = 'x000003'")
    extract(home, [place.stream], FEBRUARY)
    versions = raw_rows(home, place.stream).filter(pl.col("thing_id") == "x000003")
    assert versions["amount"].to_list() == [1.5, 9.0]
    assert raw_rows(home, place.stream, as_of=instant("2024-02-20")).filter(pl.col("amount") == 9).height == 0


def test_duplicates_within_a_window_stay_for_the_check_to_refuse(home: Settings, place: Things) -> None:
    place.write([place.thing(3, "2024-01-03T00:00:00+00:00", amount=2.0)])
    extract(home, [place.stream], JANUARY)
    assert raw_rows(home, place.stream).filter(pl.col("thing_id") == "x000003")["amount"].to_list() == [1.5, 2.0]


def test_a_column_that_is_text_in_one_window_is_text_in_the_union(servers: Settings, home: Settings) -> None:
    with things(servers, "mongodb") as place:
        place.write(
            [place.thing(1, "2024-01-05T00:00:00+00:00"), place.thing(2, "2024-02-05T00:00:00+00:00", pieces="two")]
        )
        for window in (JANUARY, FEBRUARY):
            extract(home, [place.stream], window)
        assert raw_rows(home, place.stream)["pieces"].to_list() == ["3", "two"]


def test_nothing_published_is_an_empty_frame_of_the_declared_types(home: Settings) -> None:
    frame = raw_rows(home, tasks)
    assert frame.schema == pl.DataFrame(tasks.schema().empty_table()).schema
    assert frame.height == 0


def test_progress_names_the_stream_its_rows_and_the_server(home: Settings, place: Things) -> None:
    lines: list[str] = []
    extract(home, [place.stream], JANUARY, lines.append)
    assert [line.split(" from ")[0] for line in lines] == [f"{place.stream.name}: 20 rows"]


@pytest.mark.parametrize("declared", STREAMS, ids=lambda each: each.name)
def test_every_stream_declares_what_its_readers_need(declared: Stream) -> None:
    assert {*declared.key, "recorded_at"} <= set(declared.names)
    assert set(declared.paths) <= set(declared.names)
    assert all(field.description for field in declared.fields)
    assert stream(declared.name) is declared


def test_an_unknown_stream_is_refused_with_those_that_there_are() -> None:
    with pytest.raises(DataError, match=r"stream 'nothing': unknown, allowed: people, profiles"):
        stream("nothing")
