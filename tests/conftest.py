"""Real source servers for all tests: started once, stopped at the end. Tests know no setting from outside."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import hypothesis
import pytest
from hypothesis import HealthCheck
from xdist.scheduler import LoadFileScheduling
from xdist.workermanage import NodeManager

from feature_repo.settings import Settings, load
from feature_repo.sources import servers as source_servers
from tests import patience, shared
from tests.feature_repo.worlds import own_servers

END_TO_END = "end_to_end"

for name in [each for each in os.environ if each.startswith("TALENTML_") and not each.startswith("TALENTML_TEST_")]:
    del os.environ[name]  # such as the home that make exports
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # as dags.cli: threads that spin crawl on a busy machine
# Tests run side by side. With four threads boosters of a few hundred rows took 46 s of processor time, with one 14.
os.environ.setdefault("OMP_NUM_THREADS", "1")
patience.install()  # before any test module imports what reads limits
shared.install()
NodeManager.EXIT_TIMEOUT = 240  # workers stop their servers as they end: killed after 10 s they left some running
# Neither a slow example nor slow drawing is a fault of what is tested.
hypothesis.settings.register_profile("patient", deadline=None, suppress_health_check=[HealthCheck.too_slow])
hypothesis.settings.load_profile("patient")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What takes longest begins first: one worker at work while the others have ended is time lost."""
    turns = {END_TO_END: 0, Path(__file__).parent.name: 1, "training": 2}
    items.sort(key=lambda item: turns.get(item.path.parent.name, len(turns)))


class Rooms(LoadFileScheduling):
    """One worker takes all tests of a file, as its fixtures are made once; those end to end share a home."""

    def _split_scope(self, nodeid: str) -> str:
        file = nodeid.partition("::")[0]
        return END_TO_END if END_TO_END in Path(file).parts else file


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Rooms:
    return Rooms(config, log)


@pytest.fixture(scope="session")
def servers() -> Iterator[Settings]:
    """The settings of a home whose source servers run. Tests share them: use names of your own in the databases."""
    with own_servers("sources") as settings:
        yield settings


@pytest.fixture
def home(servers: Settings, tmp_path: Path) -> Settings:
    """The settings of an empty home of the test's own, over the shared source servers."""
    addresses = {f"{name}_url": source_servers.address(servers, name) for name in source_servers.SOURCES}
    return load(home=tmp_path / "home", **addresses)
