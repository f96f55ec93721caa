"""A disk on which nothing can be written holds up no promotion and ends no follower (16, 28)."""

import json
import resource
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest

from feature_repo.platform import database
from serving.launch import environment
from serving.versions import champions
from serving.versions.champions import Champions
from tests.serving.conftest import Service, promote, promoted
from tests.serving.conftest import home as home
from tests.serving.conftest import serve as serve
from tests.serving.process import ROOT
from tests.serving.test_follower import away
from tests.serving.test_models import NAME, version

FOLLOWER = """
import resource
resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
from serving.versions.follower import main
main()
"""
LONG_AGO = datetime(2012, 1, 1, tzinfo=UTC)


@contextmanager
def full_disk() -> Iterator[None]:
    """No file of this process may grow, so each write fails as on a full disk: OSError, after the file was made."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_promoted_model_is_served_though_that_cannot_be_noted(home: Path, serve: Callable[[Path], Service]) -> None:
    promote(home, promoted(home, 3))
    service = serve(home)
    promote(home, promoted(home, 4))
    with full_disk():
        service.running.models.refresh()
    noted = champions.served(home, NAME)
    assert (version(service), noted and noted.number) == (4, 3)
    assert sorted(path.name for path in (home / "models" / NAME).iterdir()) == ["3", "4", champions.SERVED]


def test_what_cannot_be_written_leaves_the_whole_file_that_was_there(tmp_path: Path) -> None:
    was = Champions(checked_at=LONG_AGO)
    champions.write(tmp_path, was)
    with full_disk(), pytest.raises(OSError, match="File too large"):
        champions.write(tmp_path, Champions())
    assert champions.read(tmp_path) == was
    assert [path.name for path in (tmp_path / "models").iterdir()] == [champions.FILE]


@pytest.mark.slow
def test_a_follower_that_cannot_write_says_so_and_goes_on(tmp_path: Path) -> None:
    settings = away(tmp_path)
    database(settings)
    command = [sys.executable, "-c", FOLLOWER]
    with subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env=environment(settings),
        cwd=ROOT,
    ) as follower:
        assert follower.stdin
        assert follower.stdout
        said = [json.loads(follower.stdout.readline())["event"] for _ in range(3)]
        follower.stdin.close()
    assert [line for line in said if not line.startswith("the registry: ")] == [
        "champions.json cannot be written: File too large"
    ] * 2
    assert list((tmp_path / "models").iterdir()) == []
