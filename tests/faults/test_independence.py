"""Everything the service stands beside may be down, slow (accepts, never answers) or wrong (answers garbage).

What a caller sees, at a start and later alike unless said:

|                    | down                     | slow                            | wrong                              |
|--------------------|--------------------------|---------------------------------|------------------------------------|
| MLflow             | the champion, from the verified local copy; the status says why; promotions wait          |||
| Redis              | limits are the machine's own, after .05 s in one request                                  |||
| platform database  | answers, logged when it is back as far as the queue holds them, the rest is counted;       |||
|                    | 503 for feedback, reports and admin routes, within 10 s                                   |||
| sources            | nothing: they are not even asked                                                          |||
| Airflow            | 503 for retraining, and for nothing else                                                  |||
| online store       | start: the rule, marked  | start: the rule until it opens  | start: the rule, marked            |
|                    | later: the open version, which is mapped into memory; `features_failing`, and its age     |||
| local models       | start: the rule, marked  | start: the rule until they load | refused; the previous version,     |
|                    | later: the loaded one    | later: the loaded one           | at a start the one served last     |

All servers at once in each way here; the store and the models here where they are slow, else in test_features_away.py
and test_models_served.py; one server after the other in tests/serving: test_rates, test_admin, test_follower. How soon
a service is ready beside them is in test_starts.py.
"""

import os
import shutil
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import httpx
import pytest
from sqlalchemy import Engine, create_engine, func, select

from feature_repo.platform import tables
from feature_repo.settings import Settings
from feature_repo.versions import current, swap
from serving.access.auth import Role
from serving.versions import champions
from serving.versions.follower import asked
from tests.faults.front import Front, Way, front
from tests.feature_repo.postgres import fresh_database
from tests.patience import LONG, PATIENT
from tests.ports import free_port
from tests.serving import tiny, world
from tests.serving.conftest import promote, promoted
from tests.serving.process import Load, Server, server, until
from tests.serving.registered import PRODUCT, candidate, move
from tests.serving.test_rates import redis
from tests.training import tracking
from training.registry import Registry
from training.version import Version

pytestmark = pytest.mark.slow
RANK = PRODUCT.route.path
QUESTION = {"task_id": "T60", "explain": False}
WAYS = [Way.DOWN, Way.SLOW, Way.WRONG]
HANGS_SECONDS = 20.0
"""How long whoever needs a server that hangs waits for it here: more than any answer takes on a busy machine."""
WAITS = dict.fromkeys(("database_seconds", "feedback_seconds", "airflow_seconds", "admin_seconds"), HANGS_SECONDS)
HURRIED = {**PATIENT, **WAITS, "open_seconds": 3.0, "log_flush_seconds": 10.0}
SOURCES = {"mysql_url": "mysql://x:y", "neo4j_url": "bolt://x:y", "mongodb_url": "mongodb://x:y"}
URLS = {
    "mlflow_url": "http://127.0.0.1:{port}",
    "airflow_url": "http://x:y@127.0.0.1:{port}",
    "redis_url": "redis://127.0.0.1:{port}/0",
    "database_url": "postgresql://talentml@127.0.0.1:{port}/{name}",
} | {name: f"{start}@127.0.0.1:{{port}}" for name, start in SOURCES.items()}
WITHOUT_DATABASE: Mapping[str, tuple[str, dict[str, Any] | None]] = {
    f"/api/v1/recommendations/{uuid4()}/feedback": ("POST", {"accepted": True}),
    "/api/v1/ml/training-history": ("GET", None),
    "/api/v1/models/retrain": ("POST", {"product": PRODUCT.name, "reason": "none"}),
}


def settings_of(home: Path, fronts: Mapping[str, Front], name: str = "none") -> Settings:
    urls = {key: URLS[key].format(port=each.port, name=name) for key, each in fronts.items()}
    return Settings(home=home, rate_limit="1000000/minute", _env_file=None, **urls)  # type: ignore[arg-type]


def home_with_models(tmp_path: Path) -> Path:
    tiny.install()
    home = world.copy(tmp_path / "home")
    promote(home, promoted(home, 3))
    return home


def rank(server: Server) -> tuple[str, str | None, int | None]:
    """Who answers, and why if it is the rule."""
    answer = httpx.post(server.url + RANK, json=QUESTION, headers=server.headers(), timeout=LONG)
    assert answer.status_code == 200, answer.text
    body = answer.json()
    return body["source"], body["reason"], body["model"]["version"]


# --- At a start


@pytest.mark.parametrize("way", WAYS)
def test_a_cold_start_with_every_server_in_trouble_serves_the_champion_from_its_local_copy(
    tmp_path: Path, way: Way
) -> None:
    with ExitStack() as open_:
        fronts = {name: open_.enter_context(front(way=way)) for name in URLS}
        with server(settings_of(home_with_models(tmp_path), fronts), limits=HURRIED) as running:
            until(lambda: rank(running) == ("model", None, 3))
            for _ in range(20):
                begun = time.monotonic()
                assert rank(running) == ("model", None, 3)
                assert time.monotonic() - begun < HANGS_SECONDS / 2
            with ThreadPoolExecutor(len(WITHOUT_DATABASE)) as pool:
                said = pool.map(lambda path: status(running, path, *WITHOUT_DATABASE[path]), WITHOUT_DATABASE)
                assert list(said) == [503] * len(WITHOUT_DATABASE)
        assert {name: fronts[name].asked for name in SOURCES} == dict.fromkeys(SOURCES, 0)


def status(server: Server, path: str, method: str, body: dict[str, Any] | None) -> int:
    """The status of an admin's request; each is answered before the border gives up."""
    headers = server.headers(role=Role.ADMIN)
    answer = httpx.request(method, server.url + path, json=body, headers=headers, timeout=LONG)
    assert "Retry-After" in answer.headers, answer.text
    return answer.status_code


@contextmanager
def stuck(path: Path) -> Iterator[Callable[[], None]]:
    """Whoever opens a file waits for ever, as on a disk that hangs, until it is let go."""
    whole, content = path.with_name(f"{path.name}.whole"), path.read_bytes()
    path.rename(whole)
    os.mkfifo(path)

    def let_go() -> None:
        with path.open("wb") as readers:  # opens once somebody reads
            whole.replace(path)
            readers.write(content)

    yield let_go


def started(home: Path) -> AbstractContextManager[Server]:
    """A service beside no server that waits three seconds for the store and as long for models, as users' does."""
    return server(settings_of(home, {}), limits=HURRIED)


def test_a_store_that_hangs_at_a_start_leaves_the_rule_until_it_opens(tmp_path: Path) -> None:
    home = home_with_models(tmp_path)
    with stuck(current(home / "online") / "snapshot.json") as let_go, started(home) as running:
        assert rank(running) == ("fallback", "features missing", None)
        let_go()
        until(lambda: rank(running) == ("model", None, 3))


def test_models_that_hang_at_a_start_leave_the_rule_until_they_load(tmp_path: Path) -> None:
    home = home_with_models(tmp_path)
    with stuck(home / "models" / "champions.json") as let_go, started(home) as running:
        assert rank(running) == ("fallback", "no model", None)
        let_go()
        until(lambda: rank(running) == ("model", None, 3))


def test_a_new_version_of_the_store_that_hangs_holds_up_no_promotion(tmp_path: Path) -> None:
    home = home_with_models(tmp_path)
    with started(home) as running:
        newer = Path(shutil.copytree(current(home / "online"), home / "online" / "newer"))
        with stuck(newer / "snapshot.json"):
            swap(newer.parent, newer.name)
            time.sleep(1)  # the worker has begun to open it
            promote(home, promoted(home, 4))
            until(lambda: rank(running) == ("model", None, 4))


# --- Later


@dataclass(frozen=True)
class Live:
    """Two workers; MLflow, Redis and PostgreSQL are real, each behind a front. log: the database, by its own port."""

    server: Server
    fronts: Mapping[str, Front]
    registry: Registry
    versions: tuple[Version, Version]
    log: Engine

    def turn(self, way: Way) -> None:
        for each in self.fronts.values():
            each.turn(way)

    @property
    def logged(self) -> int:
        with self.log.connect() as connection:
            return int(connection.scalar(select(func.count()).select_from(tables.prediction_log)) or 0)

    @property
    def error(self) -> str | None:
        """Why the registry cannot be asked."""
        return champions.read(self.server.settings.root).error


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    tiny.install()
    folder, port, url = tmp_path_factory.mktemp("independence"), free_port(), urlsplit(fresh_database())
    home = world.copy(folder / "home")
    targets = {
        "mlflow_url": (urlsplit(tracking.server()).hostname, urlsplit(tracking.server()).port),
        "redis_url": ("127.0.0.1", port),
        "database_url": (url.hostname, url.port),
    }
    direct = Settings(home=home, mlflow_url=tracking.server(), database_url=url.geturl(), _env_file=None)
    registry = Registry(direct)
    one, two = (registry.register(candidate(home, number), PRODUCT.name, "independence") for number in (1, 2))
    move(registry, one, None)
    champions.write(home, asked(registry, registry.champion, [PRODUCT.name], home))
    with ExitStack() as open_:
        open_.enter_context(redis(folder, port))
        fronts = {name: open_.enter_context(front(target)) for name, target in targets.items()}
        settings = settings_of(home, fronts, url.path.strip("/"))
        running = open_.enter_context(server(settings, workers=2, limits=HURRIED))
        log = create_engine(url._replace(scheme="postgresql+psycopg2").geturl())
        yield Live(running, fronts, registry, (one, two), log)


@pytest.mark.parametrize("way", WAYS)
def test_servers_in_trouble_fail_no_request_and_are_used_again_once_they_are_back(live: Live, way: Way) -> None:
    one, two = live.versions
    move(live.registry, one, None)
    until(lambda: live.error is None and is_served(live, one))
    before, connections = live.logged + dropped(live), live.fronts["redis_url"].asked
    with Load(live.server, {one.number: 0.01, two.number: 0.02}, threads=1).running() as load:
        time.sleep(1)
        live.turn(way)
        until(lambda: live.error is not None)
        time.sleep(3)
    assert (load.failures, set(load.versions)) == ([], {one.number})
    assert max(body["processing_ms"] for _, body in load.answers) < 1_000 * HANGS_SECONDS / 2
    live.turn(Way.WELL)
    until(lambda: live.error is None)
    move(live.registry, two, one)
    until(lambda: is_served(live, two))
    until(lambda: live.logged + dropped(live) >= before + len(load.answers))
    assert live.fronts["redis_url"].asked > connections


def dropped(live: Live) -> int:
    """Answers that found no room in the queue for the log, in both workers."""
    lines = httpx.get(f"{live.server.url}/metrics", headers=live.server.headers(), timeout=LONG).text.splitlines()
    return sum(int(float(line.split()[-1])) for line in lines if line.startswith("prediction_log_dropped_total "))


def is_served(live: Live, version: Version) -> bool:
    """Whether each of a dozen connections finds the version: all reach one of two workers in one of 2,000 cases."""
    return all(rank(live.server) == ("model", None, version.number) for _ in range(12))
