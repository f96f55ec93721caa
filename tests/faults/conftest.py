"""One service for the tests that only ask it."""

from collections.abc import Iterator

import pytest

from tests.faults.live import QUESTION, RANK, UNLIMITED, Live, live


@pytest.fixture(scope="session")
def unlimited(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    """A service that answers and counts nobody's requests. Tests leave it as it is."""
    with live(tmp_path_factory.mktemp("unlimited") / "home", rate_limit=UNLIMITED) as found:
        with found.client() as client:
            assert client.post(RANK, content=QUESTION).status_code == 200
        yield found
