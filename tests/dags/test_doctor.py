"""The doctor tells what is there and what to type; it starts nothing."""

import os
from pathlib import Path

import pytest

from dags.doctor import Finding, available_memory, examine, install_missing
from dags.output import plain
from feature_repo.settings import load
from feature_repo.sources.servers import SOURCES


def by_name(findings: list[Finding]) -> dict[str, Finding]:
    return {finding.name: finding for finding in findings}


def test_each_source_and_each_need_is_examined(tmp_path: Path) -> None:
    found = by_name(examine(load(home=tmp_path)))
    assert {"system", "python", "packages", "cores", "memory", "disk", *SOURCES} <= set(found)
    assert found["python"].is_ok
    assert found["mysql"].is_ok


def test_only_what_is_wrong_has_a_fix(tmp_path: Path) -> None:
    assert all(finding.is_ok == (finding.fix == "") for finding in examine(load(home=tmp_path)))


def test_a_binary_that_is_no_server_is_found_with_a_way_out(tmp_path: Path) -> None:
    mysql = by_name(examine(load(home=tmp_path, mysqld_bin="/bin/false", docker=False)))["mysql"]
    assert not mysql.is_ok
    assert "/bin/false is no server" in mysql.found
    assert "mariadb-server" in mysql.fix


def test_an_address_where_nobody_answers_is_found(tmp_path: Path) -> None:
    neo4j = by_name(examine(load(home=tmp_path, neo4j_url="bolt://neo4j:secret@127.0.0.1:1")))["neo4j"]
    assert not neo4j.is_ok
    assert "secret" not in repr(neo4j)


def test_findings_are_plain_records(tmp_path: Path) -> None:
    rows = plain({"findings": examine(load(home=tmp_path))})["findings"]
    assert {frozenset(row) for row in rows} == {frozenset({"name", "is_ok", "found", "needed", "fix"})}


def test_what_is_installed_is_not_installed_again() -> None:
    said: list[str] = []
    install_missing(said.append)
    assert said == []


def test_what_nothing_breaks_without_may_be_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    found = by_name(examine(load(home=tmp_path)))
    assert {(name, found[name].is_ok, found[name].found) for name in ("redis-server", "wrk")} == {
        ("redis-server", True, "nothing"),
        ("wrk", True, "nothing"),
    }


@pytest.mark.skipif(os.getuid() != 0, reason="only root may install")
@pytest.mark.parametrize(
    ("status", "calls", "said"),
    [
        (0, ["install -y --no-install-recommends redis-server wrk"], ["installing redis-server and wrk by apt-get"]),
        (
            100,
            ["install -y --no-install-recommends redis-server wrk", "update"] * 2,
            [
                "installing redis-server and wrk by apt-get",
                "not installed, and not needed by the platform",
            ],
        ),
    ],
)
def test_redis_and_wrk_are_installed_where_that_may_be_and_missed_by_nobody(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, status: int, calls: list[str], said: list[str]
) -> None:
    """A PATH with nothing but an apt-get that notes what it is told; MariaDB is in a folder of the system."""
    installer = tmp_path / "apt-get"
    installer.write_text(f'#!/bin/sh\necho "$@" >> {tmp_path}/calls\nexit {status}\n')
    installer.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    found: list[str] = []
    install_missing(found.append)
    assert [line.split(":")[0] for line in found] == said
    assert (tmp_path / "calls").read_text().splitlines() == calls[:3]


def test_the_memory_that_is_available_is_less_than_a_terabyte() -> None:
    assert 0 < available_memory() < 1024**4


def test_nothing_is_written_to_the_home(tmp_path: Path) -> None:
    examine(load(home=tmp_path / "home"))
    assert not (tmp_path / "home").exists()
