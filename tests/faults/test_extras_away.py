"""What a route says beside scores may hang on a disk: it is null then, scores come, and nothing piles up."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field, fields
from pathlib import Path

import polars as pl
import pytest

from serving.answering.published import Published
from serving.limits import LIMITS
from tests.patience import LONG
from tests.serving.conftest import Service, promote, promoted
from tests.serving.conftest import home as home
from tests.serving.conftest import serve as serve
from tests.serving.process import until
from tests.serving.questions import asking

LEARNING = asking("/api/v1/recommendations/generate")


@dataclass(frozen=True)
class Hanging(Published):
    """The real store, whose streams are on a disk that hangs until it is let go."""

    let_go: threading.Event = field(default_factory=threading.Event)

    def facts(self, stream: str, *, first: bool = False) -> pl.LazyFrame:
        self.let_go.wait()
        return super().facts(stream, first=first)


def test_extras_that_hang_are_null_and_once_all_their_threads_do_nothing_waits_for_them(
    home: Path, serve: Callable[[Path], Service], request: pytest.FixtureRequest
) -> None:
    promote(home, promoted(home, 3))
    service = serve(home)
    whole = LEARNING.answer(service, person_id="P0", contents=["C1", "C2"])
    assert whole["path"]
    now = service.running.features.current
    assert now is not None
    hanging = Hanging(**{each.name: getattr(now, each.name) for each in fields(now)})
    service.running.features.current = hanging
    request.addfinalizer(hanging.let_go.set)  # else this process would never end
    sayers = service.running.answers.sayers
    with service.http:  # one event loop for all requests, as in the service
        sayers.seconds = 0.2
        while sayers.hanging < LIMITS.extra_threads:  # one that has not begun in time does not hang
            hung = LEARNING.answer(service, person_id="P0", contents=["C1", "C2"])
            assert (hung["path"], hung["contents"][0]["score"]) == (None, whole["contents"][0]["score"])
        sayers.seconds, begun = LONG, time.monotonic()
        assert LEARNING.answer(service, person_id="P0", contents=["C1", "C2"])["path"] is None
        assert time.monotonic() - begun < LONG / 2
        hanging.let_go.set()
        until(lambda: sayers.hanging == 0)
        again = LEARNING.answer(service, person_id="P0", contents=["C1", "C2"])
        assert again["path"] == whole["path"]
