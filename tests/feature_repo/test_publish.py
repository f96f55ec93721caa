"""Staged rows become versions: named by content, whole or not there, the last two kept."""

import sqlite3
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from pathlib import Path

import polars as pl
import pytest

from feature_repo import versions
from feature_repo.errors import DataError
from feature_repo.online import OnlineSnapshot
from feature_repo.publish import publish
from feature_repo.settings import Settings
from tests.feature_repo.histories import Row, frame, instant
from tests.feature_repo.homes import VIEWS, Everything, people, published, stage
from tests.patience import LONG

ADA = [Row(("ada",), 0, 0, 1), Row(("ada",), 4, 6, 3)]


def state(home: Path) -> dict[str, object]:
    """All that is published, but for the registries, which hold the time and the place of their making."""
    whole: dict[str, object] = {}
    for link in (home / "offline" / "current", home / "online" / "current"):
        whole[str(link.relative_to(home))] = str(link.readlink())
        for path in sorted(link.resolve().rglob("*")):
            if path.is_file() and path.name != "registry.db":
                whole[str(path.relative_to(home.resolve()))] = _content(path)
    return whole


def _content(path: Path) -> object:
    if path.name != "online_store.db":
        return path.read_bytes()
    with sqlite3.connect(path) as database:
        return sorted(database.iterdump())


def test_the_same_rows_give_the_same_state_anywhere(tmp_path):
    first = published(tmp_path / "one", {"person": ADA}, 7)
    second = published(tmp_path / "two", {"person": ADA}, 7)
    assert (first.offline, first.online) == (second.offline, second.online)
    assert state(tmp_path / "one") == state(tmp_path / "two")
    assert first.rows == {"person": 1, "task": 0, "project": 0, "member": 0, "badge": 0}


def test_publishing_again_changes_nothing(tmp_path):
    published(tmp_path, {"person": ADA}, 7)
    before, steps = state(tmp_path), []
    publish(Settings(home=tmp_path), instant(7), steps.append, views=VIEWS, products=[Everything()])
    assert (state(tmp_path), steps) == (before, [])


def test_other_rows_an_other_date_or_other_declarations_are_other_versions(tmp_path):
    first = published(tmp_path, {"person": ADA}, 7)
    later = published(tmp_path, {"person": ADA}, 8)
    assert (later.offline, later.online != first.online) == (first.offline, True)
    more = published(tmp_path, {"person": ADA[:1]}, 8)
    assert more.offline != first.offline
    without = publish(Settings(home=tmp_path), instant(8), views=VIEWS)
    assert without.offline != more.offline


def test_the_last_two_versions_are_kept(tmp_path):
    made = [published(tmp_path, {"person": [Row(("ada",), 0, 0, value)]}, 7) for value in (1, 2, 3, 4)]
    for kind in ("offline", "online"):
        kept = {path.name for path in (tmp_path / kind).iterdir() if path.is_dir() and not path.is_symlink()}
        assert kept == {getattr(each, kind) for each in made[-2:]}


def test_going_back_to_earlier_rows_makes_their_version_current_again(tmp_path):
    first = published(tmp_path, {"person": ADA}, 7)
    published(tmp_path, {"person": ADA[:1]}, 7)
    again = published(tmp_path, {"person": ADA}, 7)
    assert (again.offline, again.online) == (first.offline, first.online)
    assert OnlineSnapshot.open(tmp_path).version == first.online


def test_killed_at_any_file_operation_it_leaves_a_whole_version_and_a_rerun_completes_it(tmp_path):
    module = "tests.feature_repo.killed_publish"
    result = subprocess.run(
        [sys.executable, "-m", module, str(tmp_path / "home")],
        capture_output=True,
        text=True,
        check=True,
        timeout=2 * LONG,
    )
    attempts = [line.split() for line in result.stdout.splitlines()]
    assert len(attempts) >= 8
    for value, (offline, online, offline_after, online_after, status, _) in enumerate(attempts, start=101):
        assert {int(offline), int(online)} <= {value - 1, value}
        assert (int(offline_after), int(online_after), int(status)) == (value, value, -9)


def test_what_a_killed_run_left_is_swept_away(tmp_path):
    left = tmp_path / "offline" / versions.MAKING / "views"
    left.mkdir(parents=True)
    (left / "person.parquet").write_bytes(b"half")
    published(tmp_path / "clean", {"person": ADA}, 7)
    published(tmp_path, {"person": ADA}, 7)
    assert state(tmp_path) == state(tmp_path / "clean")


def test_two_at_once_take_turns(tmp_path):
    stage(tmp_path, {"person": ADA})
    with ThreadPoolExecutor(2) as pool:
        made = list(pool.map(lambda at: publish(Settings(home=tmp_path), instant(at), views=VIEWS), (8, 9)))
    assert OnlineSnapshot.open(tmp_path).version in {each.online for each in made}
    assert {each.as_of for each in made} == {instant(8), instant(9)}


def test_staged_may_be_a_link_to_a_run(tmp_path):
    stage(tmp_path, {"person": ADA})
    (tmp_path / "staged").rename(tmp_path / "staged-1")
    (tmp_path / "staged").symlink_to("staged-1")
    assert publish(Settings(home=tmp_path), instant(7), views=VIEWS).rows["person"] == 1


def test_a_view_that_is_not_staged_is_named(tmp_path):
    stage(tmp_path, {"person": ADA})
    (tmp_path / "staged" / "views" / "badge.parquet").unlink()
    with pytest.raises(DataError, match="view badge: there is no"):
        publish(Settings(home=tmp_path), instant(7), views=VIEWS)


def test_a_column_that_is_not_staged_is_named_and_nothing_changes(tmp_path):
    published(tmp_path, {"person": ADA}, 7)
    before = state(tmp_path)
    without = frame(ADA, people.keys).drop("levels", "created_timestamp")
    without.write_parquet(tmp_path / "staged" / "views" / "person.parquet")
    with pytest.raises(DataError, match=r"view person.* lacks created_timestamp, levels"):
        publish(Settings(home=tmp_path), instant(7), views=VIEWS)
    assert state(tmp_path) == before


def test_a_naive_as_of_date_is_refused(tmp_path):
    with pytest.raises(DataError, match="no time zone"):
        publish(Settings(home=tmp_path), datetime(2012, 1, 1), views=VIEWS)


def test_nothing_is_printed_on_stdout(tmp_path, capfd):
    published(tmp_path, {"person": ADA}, 7)
    assert capfd.readouterr().out == ""


def test_a_large_view_reaches_feasts_online_store_whole(tmp_path):
    """More entities than fit in a batch: without batches Feast writes the first chunk of a frame only."""
    rows = [Row((f"p{place}",), 0, 0, place) for place in range(12_000)]
    stage(tmp_path, {})
    staged = tmp_path / "staged" / "views" / "badge.parquet"
    pl.concat([frame(rows[:7_000], ["person_id"]), frame(rows[7_000:], ["person_id"])]).write_parquet(staged)
    publish(Settings(home=tmp_path), instant(1), views=VIEWS)
    with sqlite3.connect(tmp_path / "feast" / "online_store.db") as database:
        assert database.execute("select count(*) from talentml_badge").fetchone() == (12_000,)
