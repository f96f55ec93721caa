"""The doctor tells what is there and what to type; it starts nothing."""

from pathlib import Path

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


def test_the_memory_that_is_available_is_less_than_a_terabyte() -> None:
    assert 0 < available_memory() < 1024**4


def test_nothing_is_written_to_the_home(tmp_path: Path) -> None:
    examine(load(home=tmp_path / "home"))
    assert not (tmp_path / "home").exists()
