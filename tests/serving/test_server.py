"""A real service process and a real MLflow server: hot swaps under load, refusals, MLflow away, cold starts."""

from collections.abc import Iterator
from dataclasses import dataclass

import httpx
import pytest
from sqlalchemy import select

from feature_repo.errors import ServingError
from feature_repo.platform import database, tables
from feature_repo.settings import Settings
from monitoring.parity import parity
from serving.client import Client
from tests.patience import LONG
from tests.serving import tiny, world
from tests.serving.process import Line, Load, Server, server, until
from tests.serving.registered import PRODUCT, candidate, move
from tests.training import tracking
from training.registry import Registry
from training.version import Version

pytestmark = pytest.mark.slow
FAILURES = 'model_load_failures_total{product="task_assignment"} '


@dataclass(frozen=True)
class Live:
    """A home with the small world, the registry behind a line that can be cut, and two registered versions."""

    settings: Settings
    line: Line
    registry: Registry
    versions: tuple[Version, ...]

    @property
    def marks(self) -> dict[int, float]:
        """What the tiny models give as collaborative scores."""
        return {version.number: number / 100 for number, version in enumerate(self.versions, start=1)}

    def model_id(self, version: Version) -> str:
        """MLflow's name of the folder that holds a version's files."""
        import mlflow

        found = mlflow.MlflowClient(tracking.server()).get_model_version(version.product, str(version.number))
        return str(found.source).rpartition("/")[2]


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    tiny.install()
    home = world.copy(tmp_path_factory.mktemp("live") / "home")
    line = Line(tracking.server())
    settings = Settings(home=home, mlflow_url=line.url, rate_limit="1000000/minute", _env_file=None)
    registry = Registry(Settings(home=home, mlflow_url=tracking.server(), _env_file=None))
    versions = tuple(registry.register(candidate(home, number), PRODUCT.name, "0123abc") for number in (1, 2, 3))
    move(registry, versions[0], None)
    yield Live(settings, line, registry, versions)
    line.cut()


@pytest.fixture(scope="module")
def running(live: Live) -> Iterator[Server]:
    with server(live.settings, workers=2) as found:
        yield found


def served(url: str) -> int | None:
    with Client(url, timeout=LONG) as client:
        found: int | None = client.health()["models"][PRODUCT.name]["version"]
    return found


def is_served(server: Server, version: Version) -> bool:
    """By both workers: twenty connections reach the same one in one of 500,000 cases."""
    return all(served(server.url) == version.number for _ in range(20))


def test_the_service_soon_serves_the_champion(live: Live, running: Server) -> None:
    until(lambda: is_served(running, live.versions[0]))


def test_a_promotion_under_load_reaches_both_workers_without_a_failed_request(live: Live, running: Server) -> None:
    one, two, _ = live.versions
    until(lambda: is_served(running, one))
    with Load(running, live.marks).running() as load:
        until(lambda: len(load.answers) > 50)
        moved = len(load.answers)
        move(live.registry, two, one)
        until(lambda: is_served(running, two))
    with Load(running, live.marks).running() as after:
        until(lambda: len(after.answers) > 50)
    assert load.failures == after.failures == []
    assert set(load.versions[:moved]) == {one.number}
    assert set(load.versions) <= {one.number, two.number}
    assert set(after.versions) == {two.number}


def test_a_damaged_version_is_refused_and_the_previous_one_goes_on_serving(live: Live, running: Server) -> None:
    _, two, three = live.versions
    artifact = next(tracking.folder().glob(f"artifacts/**/{live.model_id(three)}/artifacts/data/model/booster.txt"))
    artifact.write_text(artifact.read_text() + "\n")
    before = metric(running, FAILURES)
    with Load(running, live.marks).running() as load:
        move(live.registry, three, two)
        until(lambda: metric(running, FAILURES) == before + 2)  # once in each worker
    assert (load.failures, set(load.versions)) == ([], {two.number})
    with running.client() as client:
        status = next(each for each in client.models()["models"] if each["product"] == PRODUCT.name)
    assert status["refused"].startswith(f"version {three.number}: RegistryError")
    move(live.registry, two, three)


def test_with_mlflow_gone_requests_go_on_and_a_cold_start_serves_the_champion(live: Live, running: Server) -> None:
    two = live.versions[1]
    with Load(running, live.marks).running() as load:
        live.line.cut()
        until(lambda: registry_error(running) is not None)
    assert (load.failures, set(load.versions)) == ([], {two.number})
    with server(live.settings) as again:
        until(lambda: served(again.url) == two.number)


def test_what_was_asked_during_all_this_is_logged_and_replays_bit_for_bit(live: Live) -> None:
    until(lambda: len(logged(live.settings)) > 50)
    found = parity(live.settings, world.START)
    assert (found.mismatches, found.rows % 7) == (0, 0)
    assert found.requests > 50


def test_what_was_answered_is_logged_though_the_service_is_stopped_at_once(live: Live) -> None:
    with server(live.settings) as found, found.client() as client:
        ids = {client.rank(task_id="T60", explain=False, fresh=True)["prediction_id"] for _ in range(20)}
    until(lambda: ids <= logged(live.settings))  # a scribe outlives its worker where it has more to write


def logged(settings: Settings) -> set[str]:
    """The ids of the answers in the log."""
    with database(settings).connect() as connection:
        return set(connection.scalars(select(tables.prediction_log.c.prediction_id)))


def test_the_client_says_what_is_wrong(live: Live) -> None:
    with server(live.settings) as found, found.client() as client:
        with pytest.raises(ServingError, match=r"POST .*task-assignment: 404, No such task: T-none"):
            client.rank(task_id="T-none")
        with pytest.raises(ServingError, match=r"422, .* limit: Input should be less than or equal to 100"):
            client.rank(task_id="T60", limit=500)
        estimate = client.estimate([("P1", "T60"), ("P2", {"priority": 1, "project_id": "J1", "estimate_hours": 2})])
        assert len(estimate["estimates"]) == 2
    with found.client() as client, pytest.raises(ServingError, match="no answer from"):
        client.health()


def metric(server: Server, line: str) -> float:
    found = httpx.get(f"{server.url}/metrics", headers=server.headers(), timeout=LONG).text.splitlines()
    return next((float(each.removeprefix(line)) for each in found if each.startswith(line)), 0.0)


def registry_error(server: Server) -> str | None:
    with server.client() as client:
        error: str | None = client.models()["registry"]["error"]
    return error
