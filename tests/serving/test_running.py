"""What a worker begins, and how it ends."""

import os
import signal
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from serving import running as module
from serving.limits import LIMITS
from serving.running import Running
from tests.serving.conftest import settings_of
from tests.serving.process import until
from training.products import PRODUCTS


@pytest.mark.parametrize("signals", [[], [signal.SIGSTOP]], ids=["well", "hangs"])
def test_whatever_the_follower_does_a_worker_writes_what_waits_and_leaves_none_behind(
    home: Path, monkeypatch: pytest.MonkeyPatch, signals: list[signal.Signals]
) -> None:
    if signals:
        monkeypatch.setattr(module, "LIMITS", replace(LIMITS, watch_close_seconds=0.2))
    others = _followers()
    running = Running(settings_of(home), PRODUCTS)
    running.start()
    until(lambda: bool(_followers() - others and running.journal.scribe))
    ends = [*_followers() - others, psutil.Process(running.journal.scribe)]
    for each in signals:
        os.kill(ends[0].pid, each)
    running.close()
    assert [each.is_running() for each in ends] == [False, False]


def _followers() -> set[psutil.Process]:
    found = set()
    for each in psutil.Process().children():
        with suppress(psutil.Error):  # other tests' may have ended
            if "serving.versions.follower" in each.cmdline():
                found.add(each)
    return found
