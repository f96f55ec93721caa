"""Faults of the sources: cut connections, servers that are down, wrong passwords, changed tables, dirty rows."""

import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import polars as pl
import pytest

from feature_repo.errors import DataError, SourceError
from feature_repo.extract import extract, manifests, raw_rows
from feature_repo.settings import Settings, load
from feature_repo.sources import servers as source_servers
from feature_repo.sources.servers import SOURCES
from feature_repo.window import Window, instant
from tests.contract.things import Things, things
from tests.faults.proxy import Proxy, proxy
from tests.patience import LONG

DAY = Window(instant("2024-03-31"), instant("2024-04-01"))
MANY = 3_000
HALFWAY = {"mysql": 100_000, "neo4j": 100_000, "mongodb": 300_000}  # bytes of answers

EXTRACT = """
import sys
from feature_repo.settings import load
from feature_repo.extract import extract
from tests.contract.things import FIELDS, GRAPH_PATHS
from feature_repo.sources.stream import Stream
from feature_repo.window import Window, instant
home, url, store, name, origin = sys.argv[1:]
paths = GRAPH_PATHS if store == "neo4j" else {}
stream = Stream(name=name, store=store, key=("thing_id",), fields=FIELDS, origin=origin, paths=paths)
settings = load(home=home, **{f"{store}_url": url})
extract(settings, [stream], Window(instant("2024-03-31"), instant("2024-04-01")))
"""


@pytest.fixture(scope="module", params=SOURCES)
def place(servers: Settings, request: pytest.FixtureRequest) -> Iterator[Things]:
    with things(servers, request.param) as found:
        found.write([found.thing(number, "2024-03-31T12:00:00+00:00") for number in range(MANY)])
        yield found


@contextmanager
def through_proxy(place: Things, home: Path, **how: int) -> Iterator[tuple[Settings, Proxy]]:
    """A home whose way to the place's store leads through a proxy."""
    parts = urlsplit(place.url)
    with proxy((parts.hostname or "", parts.port or 0), HALFWAY[place.stream.store], **how) as between:
        login, at, _ = parts.netloc.rpartition("@")
        url = f"{parts.scheme}://{login}{at}127.0.0.1:{between.port}"
        yield load(home=home, **{f"{place.stream.store}_url": url}), between


def published(settings: Settings) -> list[str]:
    """What a reader of the home can see of raw/."""
    return sorted(path.name for path in settings.root.glob("raw/*/*") if not path.name.startswith("."))


def test_a_connection_reset_halfway_is_retried_and_the_rows_equal_the_sources(place: Things, tmp_path: Path) -> None:
    with through_proxy(place, tmp_path) as (settings, between):
        [manifest] = extract(settings, [place.stream], DAY)
        assert between.has_cut.is_set()
    assert manifest.rows == MANY
    assert raw_rows(settings, place.stream)["thing_id"].to_list() == [f"x{number:06d}" for number in range(MANY)]


def test_a_server_that_dies_halfway_again_and_again_leaves_nothing_published(place: Things, tmp_path: Path) -> None:
    named = rf"{place.stream.store} at 127.0.0.1:\d+: .*run this again"
    with through_proxy(place, tmp_path, cuts=1_000) as (settings, _), pytest.raises(SourceError, match=named):
        extract(settings, [place.stream], DAY)
    assert published(settings) == []


def test_a_server_that_is_down_is_named_with_a_way_out(place: Things, tmp_path: Path) -> None:
    with through_proxy(place, tmp_path) as (settings, between):
        port = between.port
    with pytest.raises(SourceError) as caught:
        extract(settings, [place.stream], DAY)
    message, name = str(caught.value), place.stream.store
    assert message.startswith(f"{name} at 127.0.0.1:{port}")
    assert f"TALENTML_{name.upper()}_URL" in message
    assert (urlsplit(place.url).password or "no password") not in message
    assert published(settings) == []


@pytest.mark.parametrize("store", ["mysql", "neo4j"])  # nx-27017 knows no passwords.
def test_a_wrong_password_is_said_and_never_shown(servers: Settings, tmp_path: Path, store: str) -> None:
    with things(servers, store) as place:  # type: ignore[arg-type]
        parts = urlsplit(place.url)
        url = f"{parts.scheme}://{parts.username}:pa%24%24w0rd@{parts.hostname}:{parts.port}"
        settings = load(home=tmp_path, **{f"{store}_url": url})
        with pytest.raises(SourceError, match=rf"{store} at .*: login as {parts.username} refused") as caught:
            extract(settings, [place.stream], DAY)
    assert "pa%24%24w0rd" not in str(caught.value)
    assert "pa$$w0rd" not in str(caught.value)
    assert published(settings) == []


def test_a_kill_halfway_leaves_no_window_and_the_next_run_leaves_no_traces(place: Things, tmp_path: Path) -> None:
    with through_proxy(place, tmp_path, stall=True) as (settings, between):
        stream, url = place.stream, getattr(settings, f"{place.stream.store}_url").get_secret_value()
        arguments = [str(tmp_path), url, stream.store, stream.name, stream.origin]
        killed = subprocess.Popen([sys.executable, "-c", EXTRACT, *arguments])
        assert between.has_cut.wait(LONG)
        killed.send_signal(signal.SIGKILL)
        killed.wait(LONG)
    assert published(settings) == []
    leftovers = list(settings.root.glob("raw/*/.versions/*.part"))
    through = load(home=tmp_path, **{f"{stream.store}_url": place.url})
    [manifest] = extract(through, [stream], DAY)
    assert (len(leftovers), manifest.rows, published(settings)) == (1, MANY, [str(DAY)])
    assert not list(settings.root.glob("raw/*/.versions/*.part"))


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ("DROP COLUMN amount", r"column amount is missing"),
        ("MODIFY amount VARCHAR(20)", r"column amount is varchar"),
        ("RENAME TO contract.elsewhere_{name}", r"no such table"),
    ],
)
def test_a_changed_table_fails_naming_the_column_and_keeps_the_last_good_window(
    servers: Settings, home: Settings, change: str, error: str
) -> None:
    with things(servers, "mysql") as place:
        place.write([place.thing(1, "2024-03-31T12:00:00+00:00")])
        [before] = extract(home, [place.stream], DAY)
        place.execute(f"ALTER TABLE {place.stream.origin} {change.format(name=place.stream.name)}")
        with pytest.raises((DataError, SourceError), match=error):
            extract(home, [place.stream], DAY)
        assert manifests(home, place.stream) == [before]
        assert raw_rows(home, place.stream).height == 1


def test_dirty_rows_all_come_through(servers: Settings, home: Settings) -> None:
    with things(servers, "neo4j") as place:
        noon = "2024-03-31T12:00:00+00:00"
        dirty = [
            place.thing(1, noon, amount=float("nan")),
            place.thing(2, noon, amount=float("inf")),
            place.thing(3, noon, note="🦉 שלום \u202e nul\x00"),
            place.thing(4, noon, pieces="many"),
            place.thing(5, noon),
            place.thing(5, noon),
            {**place.thing(6, noon), "thing_id": None},
        ]
        place.write(dirty)
        [manifest] = extract(home, [place.stream], DAY)
        frame = raw_rows(home, place.stream)
    assert (manifest.rows, frame.height) == (len(dirty), len(dirty))
    assert frame.filter(pl.col("thing_id") == "x000004")["pieces"].to_list() == ["many"]
    assert frame.filter(pl.col("thing_id") == "x000003")["note"].to_list() == ["🦉 שלום \u202e nul\x00"]


def test_without_an_address_the_way_to_a_server_is_said(tmp_path: Path, servers: Settings) -> None:
    with things(servers, "mysql") as place, pytest.raises(SourceError, match="talentml servers start"):
        extract(load(home=tmp_path), [place.stream], DAY)
    assert source_servers.status(load(home=tmp_path)) == []
