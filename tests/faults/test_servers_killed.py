"""SIGKILL at any time: the next start brings the servers back, with their data."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import urlsplit

import neo4j
import pymongo
import pymysql
import pytest

from feature_repo.settings import Settings, load
from feature_repo.sources import processes, servers
from tests.patience import LONG

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def settings() -> Iterator[Settings]:
    with TemporaryDirectory(prefix="killed-") as folder:
        Path(folder).chmod(0o755)
        settings = load(home=Path(folder) / "home")
        yield settings
        servers.stop(settings)


def write(settings: Settings, rows: int) -> None:
    """rows rows into each store, committed one transaction each."""
    with mysql(settings) as client, client.cursor() as cursor:
        cursor.execute("CREATE DATABASE IF NOT EXISTS kept")
        cursor.execute("CREATE TABLE IF NOT EXISTS kept.row_ids (id INT PRIMARY KEY)")
        cursor.executemany("INSERT INTO kept.row_ids VALUES (%s)", [(n,) for n in range(rows)])
        client.commit()
    with graph(settings) as driver:
        driver.execute_query("UNWIND range(1, $rows) AS n CREATE (:Kept {id: n})", rows=rows)
    with pymongo.MongoClient(servers.address(settings, "mongodb")) as mongo:
        mongo.kept.rows.insert_many([{"id": n} for n in range(rows)])


def counts(settings: Settings) -> tuple[int, int, int]:
    with mysql(settings) as client, client.cursor() as cursor:
        cursor.execute("SELECT COUNT(*) FROM kept.row_ids")
        (in_mysql,) = cursor.fetchone() or (0,)
    with graph(settings) as driver:
        in_graph = driver.execute_query("MATCH (k:Kept) RETURN count(k) AS n").records[0]["n"]
    with pymongo.MongoClient(servers.address(settings, "mongodb")) as mongo:
        return in_mysql, in_graph, len(list(mongo.kept.rows.find()))


def mysql(settings: Settings) -> "pymysql.Connection[pymysql.cursors.Cursor]":
    url = urlsplit(servers.address(settings, "mysql"))
    return pymysql.connect(host=url.hostname, port=url.port or 0, user=url.username, password=url.password or "")


def graph(settings: Settings) -> neo4j.Driver:
    url = urlsplit(servers.address(settings, "neo4j"))
    return neo4j.GraphDatabase.driver(f"bolt://{url.hostname}:{url.port}", auth=(url.username, url.password))


def test_killed_servers_come_back_at_their_addresses_with_their_rows(settings: Settings) -> None:
    before = servers.start(settings)
    write(settings, rows=500)
    for server in before:
        assert server.pid is not None
        os.kill(server.pid, signal.SIGKILL)
    assert processes.wait_until(lambda: not any(up for _, up in servers.status(settings)), LONG)

    after = servers.start(settings)

    assert counts(settings) == (500, 500, 500)
    assert [server.place for server in after] == [server.place for server in before]
    assert not {server.pid for server in after} & {server.pid for server in before}


@pytest.mark.parametrize("seconds", [0.6, 1.5])
def test_a_start_killed_halfway_leaves_nothing_that_hinders_the_next(seconds: float) -> None:
    with TemporaryDirectory(prefix="halfway-") as folder:
        Path(folder).chmod(0o755)
        kill_and_start_again(load(home=folder), seconds)


def kill_and_start_again(settings: Settings, seconds: float) -> None:
    command = (
        "from feature_repo.settings import load; from feature_repo.sources import servers;"
        f"servers.start(load(home={str(settings.root)!r}))"
    )
    with subprocess.Popen([sys.executable, "-c", command]) as starting:
        time.sleep(seconds)
        starting.kill()
    try:
        found = servers.start(settings)
        assert [up for _, up in servers.status(settings)] == [True] * 3
        assert all(len(processes.members(server.log)) == 1 for server in found if server.log)
    finally:
        servers.stop(settings)


def test_a_home_that_was_deleted_under_its_servers_starts_anew_without_them(tmp_path: Path) -> None:
    settings = load(home=tmp_path / "home")
    (before,) = servers.start(settings, ["mongodb"])
    subprocess.run(["rm", "-rf", str(settings.root)], check=True)
    try:
        servers.start(settings, ["mongodb"])
        assert not before.is_up
    finally:
        servers.stop(settings)
