"""How soon a service is ready, and answers, beside servers or a store or models that hang.

What it answers then, and later, is in test_independence.py; seconds of the clock until it is ready are measured by
`make bench`.
"""

import resource
import subprocess
import sys
import timeit
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
from pydantic import SecretStr

from feature_repo.settings import Settings
from feature_repo.versions import current
from serving.launch import environment
from tests.faults.front import Way, front
from tests.faults.test_independence import URLS, home_with_models, rank, settings_of, stuck
from tests.serving.process import ROOT, server

pytestmark = [pytest.mark.slow, pytest.mark.alone]
TIMES_THE_IMPORTS = 6
"""So much processor time it takes at most until it is ready; it was 1.5 to 1.8 times that of the imports alone."""
USUAL_SECONDS, MOST_SECONDS = 1.0, 4.0
"""Of half of the answers, which took 0.03 s, and of each: less than anybody waits for a server, and more than a machine
stands still."""
Hanging = Callable[[Path], Iterator[Settings]]


def nothing(home: Path) -> Iterator[Settings]:
    yield settings_of(home, {})


def every_server(home: Path) -> Iterator[Settings]:
    with ExitStack() as open_:
        yield settings_of(home, {name: open_.enter_context(front(way=Way.SLOW)) for name in URLS})


def the_store(home: Path) -> Iterator[Settings]:
    with stuck(current(home / "online") / "snapshot.json"):
        yield settings_of(home, {})


def the_models(home: Path) -> Iterator[Settings]:
    with stuck(home / "models" / "champions.json"):
        yield settings_of(home, {})


@pytest.fixture(scope="module")
def imports(tmp_path_factory: pytest.TempPathFactory) -> float:
    """Seconds of processor time in which a process imports what a worker does."""
    settings = Settings(home=tmp_path_factory.mktemp("home"), jwt_secret=SecretStr("x" * 32), _env_file=None)
    before = spent()
    command = [sys.executable, "-c", "import tests.serving.served, serving.worker"]
    subprocess.run(command, env=environment(settings), cwd=ROOT, check=True)
    return spent() - before


def spent() -> float:
    """Processor time of all processes that this one has begun and that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


@pytest.mark.parametrize("hangs", [nothing, every_server, the_store, the_models])
def test_a_service_is_ready_after_a_few_seconds_of_work_and_answers_at_once_whatever_hangs(
    tmp_path: Path, imports: float, hangs: Hanging
) -> None:
    with contextmanager(hangs)(home_with_models(tmp_path)) as settings, server(settings, limits={}) as running:
        assert running.started_for < TIMES_THE_IMPORTS * imports
        seconds = sorted(timeit.repeat(lambda: rank(running), number=1, repeat=20))
    assert seconds[10] < USUAL_SECONDS
    assert seconds[-1] < MOST_SECONDS
