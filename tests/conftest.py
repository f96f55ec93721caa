"""Real source servers for all tests: started once, stopped at the end. Tests know no setting from outside."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from feature_repo.settings import Settings, load
from feature_repo.sources import servers as source_servers
from tests.feature_repo.worlds import own_servers

for name in [each for each in os.environ if each.startswith("TALENTML_") and not each.startswith("TALENTML_TEST_")]:
    del os.environ[name]  # such as the home that make exports
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # as dags.cli: threads that spin crawl on a busy machine


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
