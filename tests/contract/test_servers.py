"""The source servers, real ones: they start once, answer, keep their secrets, and stop whole."""

import json
import os
import shutil
import socket
import stat
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from pydantic import SecretStr

from feature_repo.errors import SourceError
from feature_repo.settings import Settings, load
from feature_repo.sources import mysql, processes, servers
from feature_repo.sources.ledger import Ledger, Server, password
from feature_repo.sources.probes import answer
from tests.patience import LONG


@pytest.fixture(scope="module")
def settings() -> Iterator[Settings]:
    with TemporaryDirectory(prefix="servers-") as folder:
        Path(folder).chmod(0o755)
        settings = load(home=Path(folder) / "home")
        yield settings
        servers.stop(settings)


@pytest.fixture(scope="module")
def started(settings: Settings) -> list[Server]:
    return servers.start(settings)


@pytest.mark.parametrize("name", servers.SOURCES)
def test_each_source_answers_a_query_at_its_address(settings: Settings, started: list[Server], name: str) -> None:
    assert answer(name, SecretStr(servers.address(settings, name)))


def test_a_second_start_leaves_the_servers_as_they_are(settings: Settings, started: list[Server]) -> None:
    assert servers.start(settings) == started


def test_starts_at_the_same_time_share_one_set_of_servers(settings: Settings, started: list[Server]) -> None:
    command = (
        "from feature_repo.settings import load; from feature_repo.sources import servers;"
        f"print([s.pid for s in servers.start(load(home={str(settings.root)!r}))])"
    )
    both = [subprocess.Popen([sys.executable, "-c", command], stdout=subprocess.PIPE, text=True) for _ in range(2)]
    said = {one.communicate(timeout=LONG)[0].strip() for one in both}
    assert said == {str([server.pid for server in started])}


def test_a_server_says_what_it_is_and_what_it_is_not(started: list[Server]) -> None:
    mysql, neo4j, mongodb = started
    for server, real in ((mysql, "MySQL"), (neo4j, "Neo4j"), (mongodb, "MongoDB")):
        assert (
            server.kind in ("binary", "compose")
            or str(server).endswith(f"a stand-in, not {real}")
            or ("wire-compatible" in str(server))
        )


def test_no_password_is_shown_logged_or_on_a_command_line(settings: Settings, started: list[Server]) -> None:
    secrets = [password(settings, name) for name in servers.SOURCES]
    shown = "".join(repr(server) + str(server) for server in started)
    logs = "".join(path.read_text(errors="replace") for path in (settings.root / "logs").iterdir())
    lines = "".join(
        Path(f"/proc/{pid}/cmdline").read_text()
        for server in started
        if server.log
        for pid in processes.members(server.log)
    )
    assert lines
    assert not [secret for secret in secrets if secret in shown + logs + lines]


def test_what_holds_a_secret_is_its_owners_only(settings: Settings, started: list[Server]) -> None:
    holders = [settings.root / "servers.json", *(settings.root / "run").glob("*.password")]
    holders += (settings.root / "logs").iterdir()
    assert len(holders) >= 7
    assert {stat.S_IMODE(path.stat().st_mode) for path in holders} == {0o600}


def test_the_servers_listen_on_loopback_only(started: list[Server]) -> None:
    for server in started:
        assert server.log is not None
        port = int(server.place.rpartition(":")[2])
        rows = [row.split()[1] for row in Path("/proc/net/tcp").read_text().splitlines()[1:] if row.split()[3] == "0A"]
        assert f"00000000:{port:04X}" not in rows
        assert processes.listens(processes.members(server.log), port)


def test_a_wrong_password_is_refused_with_the_servers_name_and_without_the_password(
    settings: Settings, started: list[Server]
) -> None:
    for name in ("mysql", "neo4j"):
        wrong = servers.address(settings, name).replace(password(settings, name), "wrong-secret")
        with pytest.raises(SourceError, match=rf"{name} at 127.0.0.1:\d+ does not answer") as caught:
            answer(name, SecretStr(wrong))
        assert "wrong-secret" not in str(caught.value)


def test_a_source_without_a_server_says_how_to_start_one(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"mysql: no server runs for .*, start one: talentml servers start"):
        servers.address(load(home=tmp_path), "mysql")


def test_an_address_in_the_settings_comes_first_and_must_answer(tmp_path: Path) -> None:
    settings = load(home=tmp_path, mysql_url="mysql://me:secret@127.0.0.1:1")
    assert servers.address(settings, "mysql") == "mysql://me:secret@127.0.0.1:1"
    with pytest.raises(SourceError, match=r"mysql at 127.0.0.1:1 does not answer") as caught:
        servers.start(settings, ["mysql"])
    assert "secret" not in str(caught.value)


def test_a_binary_that_is_no_server_is_an_error_that_names_it(tmp_path: Path) -> None:
    settings = load(home=tmp_path, mysqld_bin="/bin/false", docker=False)
    with pytest.raises(SourceError, match="mysql: /bin/false is no server, it prints no version"):
        servers.start(settings, ["mysql"])


def test_two_homes_have_servers_of_their_own(settings: Settings, started: list[Server], tmp_path: Path) -> None:
    other = load(home=tmp_path)
    try:
        (mongodb,) = servers.start(other, ["mongodb"])
        assert mongodb.place != started[2].place
        assert [name for name, up in ((s.name, up) for s, up in servers.status(other)) if up] == ["mongodb"]
    finally:
        servers.stop(other)
    assert all(up for _, up in servers.status(settings))


@pytest.fixture
def anybodys() -> Iterator[Path]:
    """A folder that MariaDB's user may enter: below tmp_path its files would lie elsewhere, and stay, 115 MB a home."""
    with TemporaryDirectory(prefix="homes-") as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


def test_mysql_of_many_homes_may_start_at_the_same_time(anybodys: Path) -> None:
    """A starting MariaDB removes all temporary tables in its tmpdir: in a shared one, also those of the others."""
    homes = [load(home=anybodys / str(number)) for number in range(6)]
    with ThreadPoolExecutor(len(homes)) as pool:
        try:
            for home, (server,) in zip(homes, pool.map(lambda one: servers.start(one, ["mysql"]), homes), strict=True):
                with mysql.connected(server.url.get_secret_value()) as connection, connection.cursor() as cursor:
                    cursor.execute("SELECT @@tmpdir")
                    assert cursor.fetchone() == (bytes((home.root / "mysql").resolve() / "tmp"),)
        finally:
            list(pool.map(lambda one: servers.stop(one, ["mysql"]), homes))


def test_a_port_that_a_stranger_took_meanwhile_is_left_to_it(tmp_path: Path) -> None:
    settings = load(home=tmp_path)
    with socket.socket() as stranger:
        stranger.bind(("127.0.0.1", 0))
        stranger.listen()
        taken = f"mongodb://127.0.0.1:{stranger.getsockname()[1]}"
        Ledger(settings).put(Server("mongodb", "stand-in", SecretStr(taken), "stopped since", 1, "another boot"))
        try:
            (mongodb,) = servers.start(settings, ["mongodb"])
            assert mongodb.url.get_secret_value() != taken
        finally:
            servers.stop(settings)


def test_stop_ends_the_server_and_nothing_else(tmp_path: Path) -> None:
    settings = load(home=tmp_path)
    (mongodb,) = servers.start(settings, ["mongodb"])
    assert servers.stop(settings) == [mongodb]
    assert not mongodb.is_up
    assert servers.stop(settings) == []


def test_a_strangers_process_with_a_recorded_pid_is_never_ended(tmp_path: Path) -> None:
    settings = load(home=tmp_path)
    with subprocess.Popen(["sleep", "6000"], start_new_session=True) as stranger:
        url = SecretStr("mongodb://127.0.0.1:1")
        Ledger(settings).put(Server("mongodb", "stand-in", url, "died", stranger.pid, "a boot:1", tmp_path / "log"))
        servers.stop(settings)
        assert stranger.poll() is None
        stranger.kill()


def test_a_server_outlives_its_starter_and_holds_none_of_its_pipes(tmp_path: Path) -> None:
    command = (
        "from feature_repo.settings import load; from feature_repo.sources import servers;"
        f"servers.start(load(home={str(tmp_path)!r}), ['mongodb'], print)"
    )
    try:
        done = subprocess.run([sys.executable, "-c", command], capture_output=True, text=True, timeout=LONG)
        assert "mongodb: " in done.stdout  # The pipe was closed: run() would have hung otherwise.
        assert [up for _, up in servers.status(load(home=tmp_path))] == [True]
    finally:
        servers.stop(load(home=tmp_path))


@pytest.mark.skipif(os.getuid() != 0, reason="only root runs MariaDB as another user")
def test_mariadb_starts_for_a_home_under_a_folder_that_only_root_may_enter(tmp_path: Path) -> None:
    tmp_path.chmod(0o700)
    settings = load(home=tmp_path / "home")
    try:
        (mysql,) = servers.start(settings, ["mysql"])
        assert mysql.pid is not None
        assert Path(f"/proc/{mysql.pid}").stat().st_uid != 0
        assert (settings.root / "mysql").is_symlink()
    finally:
        servers.stop(settings)
        shutil.rmtree((settings.root / "mysql").resolve())


def test_an_unreadable_ledger_is_a_settings_error(tmp_path: Path) -> None:
    (tmp_path / "servers.json").write_text(json.dumps({"mysql": {"name": "mysql"}}))
    with pytest.raises(Exception, match=r"servers.json: not what this version writes"):
        servers.status(load(home=tmp_path))
