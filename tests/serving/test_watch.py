"""A watch goes on, whatever its rounds do, and holds up nobody for longer than it was told."""

import threading
import time

from serving.watch import Watch
from tests.patience import LONG
from tests.serving.process import until


def test_a_round_that_fails_is_followed_by_the_next_one() -> None:
    rounds: list[int] = []

    def turn() -> None:
        rounds.append(len(rounds))
        if len(rounds) < 3:
            raise OSError("no disk")

    watch = Watch("disk", turn, pause=0.01)
    assert watch.start(LONG)
    until(lambda: len(rounds) > 3)
    watch.close()
    ended = len(rounds)
    time.sleep(0.05)
    assert len(rounds) == ended


def test_a_first_round_that_hangs_is_waited_for_no_longer_than_told_and_ends_in_its_own_time() -> None:
    disk_answers = threading.Event()
    rounds: list[bool] = []
    watch = Watch("disk", lambda: rounds.append(disk_answers.wait()), pause=0.01)
    assert not watch.start(0.05)
    disk_answers.set()
    until(lambda: len(rounds) > 1)
    watch.close()
