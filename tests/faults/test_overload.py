"""Ten times the load: what is taken on is answered nearly as before, the rest is told when to come back (FAULTS 26)."""

import json
import subprocess
import sys
import threading
import time
from collections.abc import Iterator

import httpx
import pytest

from tests.faults.live import QUESTION, RANK, UNLIMITED, Live, live
from tests.faults.load import Tally
from tests.serving.process import ROOT, until

pytestmark = [pytest.mark.slow, pytest.mark.alone]
FEW, MANY = 8, 80
SECONDS = 6.0


@pytest.fixture(scope="module")
def pressed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    """A service with users' own limits of time, and none of requests."""
    with live(tmp_path_factory.mktemp("pressed") / "home", limits={}, rate_limit=UNLIMITED) as found:
        yield found


def loaded(pressed: Live, connections: int, seconds: float = SECONDS) -> Tally:
    """What so many connections get within so long, asked by another process."""
    head = f"POST {RANK} HTTP/1.1\r\nHost: x\r\nAuthorization: {pressed.token()}\r\nContent-Type: application/json\r\n"
    request = f"{head}Content-Length: {len(QUESTION)}\r\n\r\n".encode() + QUESTION
    command = [sys.executable, "-m", "tests.faults.load", pressed.server.url, str(connections), str(seconds)]
    done = subprocess.run(command, input=request, cwd=ROOT, capture_output=True, check=True)
    return Tally(**json.loads(done.stdout))


def test_with_ten_times_the_load_goodput_stays_and_the_service_recovers_at_once(pressed: Live) -> None:
    loaded(pressed, FEW, seconds=2)  # warm
    before, health = loaded(pressed, FEW), Health(pressed)
    with health:
        pressing = loaded(pressed, MANY)
    after = loaded(pressed, FEW)
    capacity = min(before.statuses["200"], after.statuses["200"])  # the lesser: the machine has other work too
    assert pressing.statuses["200"] >= 0.9 * capacity, (before.statuses, pressing.statuses, after.statuses)
    assert set(pressing.statuses) <= {"200", "429", "503"}
    assert (pressing.without_retry_after, pressing.broken) == (0, 0)
    assert pressing.seconds[int(0.99 * len(pressing.seconds))] < 3  # not the 10 that a queue without end would take
    assert set(health.statuses) == {200}


def test_within_thirty_seconds_of_it_one_caller_is_answered_as_before(pressed: Live) -> None:
    with pressed.client() as client:

        def seconds() -> float:
            begun = time.monotonic()
            assert client.post(RANK, content=QUESTION).status_code == 200
            return time.monotonic() - begun

        usual = sorted(seconds() for _ in range(50))[25]
        loaded(pressed, MANY)
        until(lambda: sorted(seconds() for _ in range(20))[10] < 2 * usual, 30)


class Health:
    """Asks for the health of the service all the time while inside."""

    def __init__(self, pressed: Live) -> None:
        self.statuses: list[int] = []
        self._url, self._ending = f"{pressed.server.url}/api/v1/health", threading.Event()
        self._asking = threading.Thread(target=self._ask)

    def __enter__(self) -> None:
        self._asking.start()

    def __exit__(self, *_: object) -> None:
        self._ending.set()
        self._asking.join()

    def _ask(self) -> None:
        while not self._ending.wait(0.2):
            self.statuses.append(httpx.get(self._url, timeout=30).status_code)
