"""What every reader promises, over each server that stands behind it."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from importlib import import_module
from itertools import pairwise
from typing import Any

import polars as pl
import pytest
from bson.datetime_ms import DatetimeMS

from feature_repo.errors import DataError, SourceError
from feature_repo.extract import sorted_table
from feature_repo.settings import Settings
from feature_repo.sources import mongodb, mysql
from feature_repo.sources.servers import SOURCES, status
from feature_repo.sources.stream import RECORDED_AT, Store
from feature_repo.window import Window, instant
from tests.contract.nodes import nodes
from tests.contract.things import Things, things

DAY = Window(instant("2024-03-31"), instant("2024-04-01"))


@pytest.fixture(params=[*SOURCES, "nodes"])
def place(servers: Settings, request: pytest.FixtureRequest) -> Iterator[Things]:
    """A table, a type of relationship, a collection, and a label of nodes."""
    with nodes(servers) if request.param == "nodes" else things(servers, request.param) as found:
        yield found


def path(place: Things, name: str) -> str:
    """How the store would name a field: in the graph by the variable that holds the others."""
    variable, dot, _ = place.stream.path("note").rpartition(".")
    return f"{variable}{dot}{name}"


@pytest.fixture
def place_in(servers: Settings) -> Any:
    def of(store: Store) -> Things:
        with things(servers, store) as found:
            return found

    return of


@pytest.fixture(autouse=True)
def _skip_on_a_stand_in(servers: Settings, request: pytest.FixtureRequest) -> None:
    """What only a real server has is skipped, and says so, where a stand-in runs in its place."""
    for store in ("mongo", "neo4j"):
        if request.node.get_closest_marker(f"requires_real_{store}"):
            [server] = [server for server, _ in status(servers) if server.name.startswith(store)]
            if server.kind == "stand-in":
                pytest.skip(f"{server.description}: has no such values")


def rows(place: Things, window: Window = DAY, **page: int) -> pl.DataFrame:
    read = import_module(f"feature_repo.sources.{place.stream.store}").read
    return pl.DataFrame(sorted_table(place.stream, list(read(place.url, place.stream, window, **page))))


def numbers(frame: pl.DataFrame) -> list[int]:
    return [int(name[1:]) for name in frame["thing_id"]]


def test_a_window_holds_its_first_instant_and_not_its_last(place: Things) -> None:
    moments = ["2024-03-30T23:59:59.999000", "2024-03-31T00:00:00", "2024-03-31T23:59:59.999000", "2024-04-01T00:00:00"]
    place.write([place.thing(number, f"{moment}+00:00") for number, moment in enumerate(moments)])
    assert numbers(rows(place)) == [1, 2]


def test_each_event_is_in_exactly_one_of_adjoining_windows_when_clocks_change(place: Things) -> None:
    # Berlin springs forward at 01:00 UTC on 31 March 2024 and falls back at 01:00 UTC on 27 October.
    hours = [f"2024-{day}T{hour:02d}:30:00+00:00" for day in ("03-31", "10-27") for hour in range(24)]
    place.write([place.thing(number, hour) for number, hour in enumerate(hours)])
    edges = [
        instant(f"2024-{edge}")
        for edge in ("03-31", "03-31T01:00", "03-31T02:00", "10-27T00:30", "10-27T01:30", "10-28")
    ]
    found = [rows(place, Window(*pair)) for pair in pairwise(edges)]
    assert sorted(number for frame in found for number in numbers(frame)) == list(range(48))


def test_rows_come_with_their_declared_types_and_values(place: Things) -> None:
    place.write([place.thing(1, "2024-03-31T12:00:00.123000+00:00", amount=2.25, pieces=7, is_open=False)])
    frame = rows(place)
    assert frame.schema == pl.DataFrame(place.stream.schema().empty_table()).schema
    assert frame.row(0) == (
        "x000001",
        "plain",
        2.25,
        7,
        False,
        datetime(2024, 1, 1, tzinfo=UTC),
        datetime(2024, 3, 31, 12, 0, 0, 123_000, tzinfo=UTC),
    )


def test_an_empty_window_gives_no_rows(place: Things) -> None:
    place.write([place.thing(1, "2023-01-01T00:00:00+00:00")])
    frame = rows(place)
    assert (frame.height, frame.columns) == (0, list(place.stream.names))


def test_more_rows_than_a_page_come_once_each(place: Things) -> None:
    place.write([place.thing(number, "2024-03-31T12:00:00+00:00") for number in range(57)])
    page = {"mysql": "rows", "neo4j": "nodes", "mongodb": "documents"}[place.stream.store]
    assert numbers(rows(place, **{page: 10})) == list(range(57))


@pytest.mark.parametrize(
    "text", ["🦉 owl", "שלום עולם", "\u202ertl", "a'; DROP TABLE x; --", "nul\x00byte", "", "é\u0301"]
)
def test_any_text_arrives_as_it_is(place: Things, text: str) -> None:
    place.write([place.thing(1, "2024-03-31T12:00:00+00:00", note=text)])
    assert rows(place)["note"].to_list() == [text]


def test_odd_keys_are_neither_lost_nor_doubled_by_paging(place: Things) -> None:
    keys = ["", "10", "9", "Z", "z", "é", "אב", "\uffee", "😀", "a b", "a'b"]
    place.write([{**place.thing(0, "2024-03-31T12:00:00+00:00"), "thing_id": key} for key in keys])
    page = {"mysql": "rows", "neo4j": "nodes", "mongodb": "documents"}[place.stream.store]
    assert sorted(rows(place, **{page: 2})["thing_id"]) == sorted(keys)


def test_nulls_arrive_as_nulls_and_no_key_is_a_row_too(place: Things) -> None:
    place.write([place.thing(1, "2024-03-31T12:00:00+00:00"), place.thing(2, "2024-03-31T12:00:00+00:00")])
    empty = dict.fromkeys(("note", "amount", "pieces", "is_open", "seen_at"))
    place.write([{**place.thing(3, "2024-03-31T12:00:00+00:00", **empty), "thing_id": None}])
    assert rows(place).filter(pl.col("thing_id").is_null()).drop("thing_id", RECORDED_AT.name).row(0) == (None,) * 5


def test_a_row_without_a_time_of_record_is_in_no_window(place: Things) -> None:
    place.write([place.thing(1, None), place.thing(2, "2024-03-31T12:00:00+00:00")])
    assert numbers(rows(place, Window(instant("1970-01-01"), instant("2100-01-01")))) == [2]


def test_duplicate_rows_all_arrive(place: Things) -> None:
    place.write([place.thing(1, "2024-03-31T12:00:00+00:00", pieces=number) for number in (2, 1)])
    assert rows(place)["pieces"].to_list() == [1, 2]


REAL_MONGO = pytest.param("mongodb", marks=pytest.mark.requires_real_mongo)


@pytest.mark.parametrize("store", ["neo4j", REAL_MONGO])
def test_not_a_number_and_infinity_arrive_as_they_are(place_in: Any, store: Store) -> None:
    place = place_in(store)
    amounts = [float("nan"), float("inf"), float("-inf"), 1.0]
    place.write(
        [place.thing(number, "2024-03-31T12:00:00+00:00", amount=amount) for number, amount in enumerate(amounts)]
    )
    assert str(rows(place)["amount"].to_list()) == "[nan, inf, -inf, 1.0]"


@pytest.mark.parametrize("store", ["neo4j", "mongodb"])
def test_a_column_with_values_that_do_not_fit_arrives_as_their_text(place_in: Any, store: Store) -> None:
    place = place_in(store)
    place.write(
        [place.thing(number, "2024-03-31T12:00:00+00:00", pieces=value) for number, value in enumerate([1, "two", 3.5])]
    )
    assert rows(place)["pieces"].to_list() == ["1", "two", "3.5"]


@pytest.mark.parametrize("store", ["neo4j", "mongodb"])
def test_a_column_none_of_whose_values_fits_is_named(place_in: Any, store: Store) -> None:
    place = place_in(store)
    place.write([place.thing(number, "2024-03-31T12:00:00+00:00", amount=f"{number} h") for number in range(12)])
    with pytest.raises(DataError, match=r"no value of (r\.)?amount is double, found '0 h' in 12 rows"):
        rows(place)


def test_a_date_that_no_calendar_has_arrives_as_text(place_in: Any) -> None:
    place = place_in("mysql")
    place.write([place.thing(1, "2024-03-31T12:00:00+00:00"), place.thing(2, "2024-03-31T12:00:00+00:00")])
    # Older servers, and sessions that are not strict, let such dates in.
    with_zero = f"UPDATE {place.stream.origin} SET seen_at = '0000-00-00' WHERE thing_id = 'x000002'"
    with mysql.connected(place.url) as connection, connection.cursor() as cursor:
        cursor.execute("SET SESSION sql_mode = ''")
        cursor.execute(with_zero)
        connection.commit()
    assert rows(place)["seen_at"].to_list() == ["2024-01-01 00:00:00.000000", "0000-00-00 00:00:00.000000"]


@pytest.mark.requires_real_mongo
def test_a_date_beyond_year_9999_arrives_as_text(place_in: Any) -> None:
    place = place_in("mongodb")
    place.write([place.thing(1, "2024-03-31T12:00:00+00:00")])
    with mongodb.connected(place.url) as client:
        database, _, name = place.stream.origin.partition(".")
        client[database][name].update_one({}, {"$set": {"seen_at": DatetimeMS(2**53)}})
    assert rows(place).height == 1


def test_a_missing_table_is_named_with_a_way_out(place_in: Any) -> None:
    for store in ("mysql", "mongodb"):
        place = place_in(store)
        gone = replace(place, stream=replace(place.stream, origin="contract.nowhere"))
        with pytest.raises(SourceError, match=rf"{store} contract\.nowhere: no such .*allowed"):
            rows(gone)


def test_a_dropped_column_is_named(place: Things) -> None:
    fields = (*place.stream.fields, replace(place.stream.fields[2], name="weight"))
    paths = {**place.stream.paths, "weight": path(place, "weight")}
    place.write([place.thing(1, "2024-03-31T12:00:00+00:00")])
    with pytest.raises(DataError, match="weight"):
        rows(replace(place, stream=replace(place.stream, fields=fields, paths=paths)))


def test_a_dropped_time_of_record_is_an_error_and_not_an_empty_window(place: Things) -> None:
    paths = {**place.stream.paths, "recorded_at": path(place, "known_at")}
    place.write([place.thing(1, "2024-03-31T12:00:00+00:00")])
    with pytest.raises(DataError, match="known_at"):
        rows(replace(place, stream=replace(place.stream, paths=paths)))


def test_a_node_that_only_a_relationship_names_is_no_row(servers: Settings) -> None:
    with nodes(servers) as place:
        place.execute(f"CREATE (t:{place.stream.name} {{thing_id: 'x000009'}})")
        assert rows(place).height == 0
        place.write([place.thing(1, "2024-03-31T12:00:00+00:00")])
        assert numbers(rows(place)) == [1]


def test_a_retyped_column_is_named(place_in: Any) -> None:
    place = place_in("mysql")
    place.execute(f"ALTER TABLE {place.stream.origin} MODIFY amount VARCHAR(20)")
    with pytest.raises(DataError, match=r"column amount is varchar, allowed .*double"):
        rows(place)


@pytest.mark.parametrize("store", ["neo4j", "mongodb"])
def test_a_time_of_record_that_is_none_is_an_error_as_no_window_would_hold_it(place_in: Any, store: Store) -> None:
    place = place_in(store)
    place.write([place.thing(1, "2024-03-31T12:00:00+00:00"), place.thing(2, "2024-03-31T12:00:00+00:00")])
    if store == "neo4j":
        label = place.stream.name
        place.execute(f"MATCH (t:{label} {{thing_id: 'x000002'}})-[r:SEEN]->() SET r.recorded_at = 'yesterday'")
    else:
        with mongodb.connected(place.url) as client:
            collection = client["contract"][place.stream.name]
            collection.update_one({"thing_id": "x000002"}, {"$set": {"recorded_at": "yesterday"}})
    with pytest.raises(DataError, match=r"1 of (r\.)?recorded_at are not times"):
        rows(place)
