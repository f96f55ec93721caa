"""How soon a service is ready, and answers, beside servers or a store or models that hang.

What it answers then, and later, is in test_independence.py; seconds of the clock until it is ready are measured by
`make bench`.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from feature_repo.settings import Settings
from feature_repo.versions import current
from tests.faults.front import Way, front
from tests.faults.test_independence import URLS, home_with_models, rank, settings_of, stuck
from tests.serving.process import server

pytestmark = [pytest.mark.slow, pytest.mark.alone]
READY_SECONDS, ANSWER_SECONDS = 15.0, 1.0
"""Of processor time, which was 4 to 6.5 s, the more the busier the machine; of the clock's, which was 0.03 s."""
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


@pytest.mark.parametrize("hangs", [nothing, every_server, the_store, the_models])
def test_a_service_is_ready_after_a_few_seconds_of_work_and_answers_at_once_whatever_hangs(
    tmp_path: Path, hangs: Hanging
) -> None:
    with contextmanager(hangs)(home_with_models(tmp_path)) as settings, server(settings, limits={}) as running:
        assert running.started_for < READY_SECONDS
        for _ in range(20):
            begun = time.monotonic()
            rank(running)
            assert time.monotonic() - begun < ANSWER_SECONDS
