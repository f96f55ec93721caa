"""MLflow, Airflow and the prediction service of one home: they come up, keep to loopback, come back, and stop whole."""

import os
import signal
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.request import urlopen

import pytest

from dags import plans, servers
from feature_repo.errors import ServingError, SettingsError
from feature_repo.settings import Settings, load
from feature_repo.sources import processes
from feature_repo.sources.launches import Launch, launched, log_of
from feature_repo.sources.ledger import Server, password
from serving.access.keys import make_secret
from serving.airflow import Airflow
from tests.patience import LONG
from training.products import PRODUCTS

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def settings() -> Iterator[Settings]:
    with TemporaryDirectory(prefix="platform-") as folder:
        settings = load(home=folder)
        make_secret(settings.root)
        try:
            servers.start(settings, servers.PLATFORM)
            yield settings
        finally:
            servers.stop(settings)


@pytest.fixture
def running(settings: Settings) -> list[Server]:
    return servers.start(settings, servers.PLATFORM)


def members(server: Server) -> set[int]:
    assert server.log is not None
    return processes.members(server.log, server.running)


def test_each_page_answers(running: list[Server]) -> None:
    for server in running:
        with urlopen(servers.page(server), timeout=LONG) as answer:
            assert answer.status == 200


def test_airflow_reads_every_dag_of_the_repository(settings: Settings, running: list[Server]) -> None:
    airflow = Airflow.of(settings)
    expected = {"talentml_features", "talentml_retrain_check", *(f"talentml_{name}" for name in PRODUCTS)}
    for dag in expected:
        airflow.unpause(dag, LONG)
    assert airflow.dags() == dict.fromkeys(expected, False)
    assert airflow.import_errors() == {}


def test_a_dag_that_is_not_there_is_an_error_that_lists_those_that_are(settings: Settings) -> None:
    with pytest.raises(ServingError, match=r"no DAG nonsense after 0 s, but \[.*'talentml_features'"):
        Airflow.of(settings).unpause("nonsense", seconds=0)


def test_a_second_start_leaves_the_servers_as_they_are(settings: Settings, running: list[Server]) -> None:
    assert servers.start(settings, servers.PLATFORM) == running


def test_nothing_listens_beyond_loopback(running: list[Server]) -> None:
    rows = [row.split() for row in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    beyond = {row[1] for row in rows if row[3] == "0A" and not row[1].startswith("0100007F:")}
    beyond |= {row.split()[1] for row in Path("/proc/net/tcp6").read_text().splitlines()[1:] if row.split()[3] == "0A"}
    for server in running:
        assert not [port for port in beyond if processes.listens(members(server), int(port.rpartition(":")[2], 16))]


def test_the_login_to_airflow_is_neither_logged_nor_on_a_command_line(
    settings: Settings, running: list[Server]
) -> None:
    secret = password(settings, "airflow")
    texts = [path.read_text(errors="replace") for path in (settings.root / "logs").iterdir()]
    texts += [command_line(pid) for server in running for pid in members(server)]
    texts += [repr(server) for server in running]
    assert len(texts) > 10
    assert not [text for text in texts if secret in text]


def command_line(pid: int) -> str:
    """That of a process, empty once it has ended."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_text()
    except OSError:
        return ""


def test_airflow_without_its_scheduler_is_started_again(settings: Settings, running: list[Server]) -> None:
    airflow = running[1]
    before = members(airflow)
    os.kill(next(pid for pid in before if "scheduler" in command_line(pid)), signal.SIGKILL)
    assert processes.wait_until(lambda: not plans.is_well(airflow), LONG)

    (again,) = servers.start(settings, ["airflow"])

    assert processes.wait_until(lambda: plans.is_well(again), LONG)  # it is asked for five seconds only
    assert again.place == airflow.place
    assert not members(again) & before


def test_stop_leaves_no_process_behind(settings: Settings, running: list[Server]) -> None:
    assert servers.stop(settings, ["mlflow", "service"]) == [running[0], running[2]]
    assert not members(running[0]) | members(running[2])
    assert servers.status(settings) == [(running[1], True)]


def test_a_server_that_does_not_come_up_is_an_error_with_the_end_of_its_log(tmp_path: Path) -> None:
    settings = load(home=tmp_path)
    make_secret(tmp_path)
    command = ["sh", "-c", "echo the disk is on fire >&2; exit 3"]
    plan = replace(plans.service(settings), prepare=lambda port: Launch(command, f"http://127.0.0.1:{port}", tmp_path))
    with pytest.raises(
        ServingError, match=r"(?s)service: .* did not answer on port \d+: its process ended; .*the disk is on fire"
    ):
        launched(settings, plan)
    assert not processes.members(log_of(settings, "service"))


def test_an_unknown_server_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"servers: nonsense unknown, allowed: mysql, .*service"):
        servers.start(load(home=tmp_path), ["nonsense"])
