"""Twenty hot swaps under load (25), and an experiment's split, in two worker processes that follow a real MLflow."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial

import httpx
import pytest

from feature_repo.settings import Settings
from monitoring import experiment
from monitoring.experiment import Mode
from serving.client import ASSIGNMENT
from serving.versions import champions
from serving.versions.arms import is_drawn
from serving.versions.champions import Champions
from serving.versions.follower import asked
from tests.patience import LONG
from tests.serving import tiny, world
from tests.serving.conftest import headers
from tests.serving.process import Load, Server, server, until
from tests.serving.registered import PRODUCT, candidate, move
from tests.training import tracking
from training.registry import Registry
from training.version import Version

pytestmark = pytest.mark.slow
NAME = PRODUCT.name
SWAPS = 20
ANEW = httpx.Limits(max_keepalive_connections=0)
CONNECTIONS = 12
"""Of which all reach the same of two workers once in two thousand times."""
TASKS = [f"T{number}" for number in range(20, 50)]


@dataclass(frozen=True)
class Live:
    """A service with two workers, and the two versions that may be its champion."""

    settings: Settings
    registry: Registry
    one: Version
    two: Version
    server: Server

    def followed(self) -> Champions:
        """What the workers were told last."""
        return champions.read(self.settings.root)


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    tiny.install()
    home = world.copy(tmp_path_factory.mktemp("swaps") / "home")
    settings = Settings(home=home, mlflow_url=tracking.server(), rate_limit="1000000/minute", _env_file=None)
    registry = Registry(settings)
    one, two = (registry.register(candidate(home, number), NAME, "swaps") for number in (1, 2))
    move(registry, one, None)
    champions.write(home, asked(registry, registry.champion, [NAME], home))
    with server(settings, workers=2) as running:
        yield Live(settings, registry, one, two, running)


def test_twenty_swaps_under_load_fail_no_request_and_each_answer_is_one_version_s(live: Live) -> None:
    """Each reaches both workers; Load checks each answer's scores against the version that it names.

    What the swaps cost in time is measured by `make bench`.
    """
    marks = {live.one.number: 0.01, live.two.number: 0.02}
    move(live.registry, live.two, live.one)
    until(lambda: is_served(live, live.two))  # the follower is still starting
    with Load(live.server, marks, threads=2).running() as load:
        for swap in range(SWAPS):
            wanted, before = (live.one, live.two)[:: (1, -1)[swap % 2]]
            move(live.registry, wanted, before)
            until(partial(is_served, live, wanted))
    assert load.failures == []
    assert set(load.versions) == set(marks)


def is_served(live: Live, wanted: Version) -> bool:
    """Whether both workers answer with a version: a connection stays with one of them, so each question has its own."""
    question = {"task_id": "T60", "explain": False}
    with httpx.Client(base_url=live.server.url, headers=headers(live.settings), timeout=LONG, limits=ANEW) as client:
        found = (client.post(ASSIGNMENT, json=question).json()["model"]["version"] for _ in range(CONNECTIONS))
        return all(number == wanted.number for number in found)


def versions(live: Live, client: httpx.Client) -> dict[str, int | None]:
    """Who answers each task."""
    said = {task: client.post(ASSIGNMENT, json={"task_id": task, "explain": False}) for task in TASKS}
    return {task: answer.json()["model"]["version"] for task, answer in said.items()}


def test_every_worker_splits_alike_and_a_promotion_ends_it(live: Live) -> None:
    move(live.registry, live.one, None)
    running = experiment.planned(NAME, live.one.number, live.two.number, Mode.SPLIT, 0.5, 0.05, "me")
    drawn = {task for task in TASKS if is_drawn(running.salt, task, 0.5)}
    split = {task: live.two.number if task in drawn else live.one.number for task in TASKS}
    with httpx.Client(base_url=live.server.url, headers=headers(live.settings), timeout=LONG, limits=ANEW) as client:
        until(lambda: live.followed().wanted[NAME].number == live.one.number)
        experiment.start(live.registry.engine, running)
        until(lambda: all(versions(live, client) == split for _ in range(5)))
        move(live.registry, live.two, live.one)
        until(lambda: set(versions(live, client).values()) == {live.two.number})
    ended = experiment.latest(live.registry.engine, NAME)
    assert ended is not None
    assert ended.result == f"ended by itself: version {live.two.number} became champion, the challenger itself"
