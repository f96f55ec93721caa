"""A published home, and the application over a copy of it with tiny models as champions."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from feature_repo.settings import Settings
from serving.access.auth import Role, issue
from serving.access.border import Border
from serving.access.keys import SECRET_FILE, make_secret
from serving.routes.api import application
from serving.running import Running
from serving.versions import champions
from serving.versions.champions import Champions, Promoted
from tests.serving import tiny, world
from training.products import PRODUCTS

LONG_AGO = datetime(2011, 12, 1, tzinfo=UTC)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A home of one's own with the small world in it."""
    tiny.install()
    return world.copy(tmp_path / "home")


def promoted(home: Path, number: int, error: str | None = None) -> dict[str, Promoted]:
    """Tiny models of every product as version `number`, saved where the registry puts verified copies."""
    return {name: promoted_one(home, name, number, error) for name in PRODUCTS}


def promoted_one(home: Path, name: str, number: int, error: str | None = None) -> Promoted:
    """A tiny model of one product."""
    sha256 = tiny.save(home, PRODUCTS[name], number)
    return Promoted(
        number=number, sha256=sha256, as_of=world.AS_OF, trained_until=LONG_AGO, tried_at=datetime.now(UTC), error=error
    )


def promote(home: Path, wanted: Mapping[str, Promoted]) -> None:
    """Say which versions are to be served, as the follower does."""
    champions.write(home, Champions(wanted=wanted, checked_at=datetime.now(UTC)))


@dataclass(frozen=True)
class Service:
    """The application in this process. Nothing runs in the background but its journal: call running.refresh()."""

    home: Path
    running: Running
    http: TestClient

    def rank(self, **body: Any) -> dict[str, Any]:
        """A ranking that must succeed."""
        return self.post("task_assignment", body)

    def estimate(self, **body: Any) -> dict[str, Any]:
        """An estimate that must succeed."""
        return self.post("task_performance", body)

    def post(self, product: str, body: dict[str, Any]) -> dict[str, Any]:
        """An answer that must be a success."""
        answer = self.http.post(PRODUCTS[product].route.path, json=body)
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found

    def metric(self, line: str) -> float:
        """The value of a line of /metrics, such as `name{label="x"}`."""
        lines = self.http.get("/metrics").text.splitlines()
        return next((float(each.rpartition(" ")[2]) for each in lines if each.rpartition(" ")[0] == line), 0.0)


def settings_of(home: Path) -> Settings:
    """The settings of a home that has a secret and no limit that tests would meet."""
    if not (home / SECRET_FILE).exists():
        make_secret(home)
    return Settings(home=home, rate_limit="1000000/minute", _env_file=None)


def headers(settings: Settings, subject: str = "portal", role: Role = Role.SERVICE) -> dict[str, str]:
    """What a caller sends to be known."""
    return {"Authorization": f"Bearer {issue(settings, subject, role, timedelta(hours=1))}"}


def started(home: Path, journal: bool = True) -> Service:
    """The application over a home. Close running.journal at the end.

    Without a journal nothing is logged; a scribe takes a second to begin and to end.
    """
    settings = settings_of(home)
    running = Running(settings, PRODUCTS)
    running.refresh()
    if journal:
        running.journal.start()
    app = application(PRODUCTS)
    app.state.running = running
    return Service(home.resolve(), running, TestClient(Border(app), headers=headers(settings)))


@pytest.fixture
def serve() -> Iterator[Callable[[Path], Service]]:
    """Starts the application over a home, with no journal: whose test reads the log starts it."""
    services: list[Service] = []

    def start(home: Path) -> Service:
        services.append(started(home, journal=False))
        return services[-1]

    yield start
    for each in services:
        each.running.journal.close()


@pytest.fixture(scope="session")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """The application with version 3 of every product as champion; tests that change it start their own."""
    tiny.install()
    home = world.copy(tmp_path_factory.mktemp("served") / "home")
    promote(home, promoted(home, 3))
    found = started(home)
    yield found
    found.running.journal.close()
