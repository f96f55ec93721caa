"""Row 29: an explanation that is slow or fails never keeps a score back, and those that hang do not pile up."""

import asyncio
import gc
import logging
import math
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from feature_repo.errors import ServingError
from feature_repo.table import Frame
from serving.answering.explainers import Explainers
from serving.limits import LIMITS
from serving.versions.loading import TIMED, explained_seconds
from tests.patience import LONG
from tests.serving import tiny, world
from tests.serving.conftest import Service, promote, promoted, started
from tests.serving.test_fallback import swap
from training.contributions import Contributions
from training.products import PRODUCTS
from training.route import Outputs

PRODUCT = "task_assignment"


class Hanging:
    """A model whose explanations wait until they are let go. asked: how many have begun."""

    def __init__(self, model: Any) -> None:
        self.model, self.asked, self.let_go = model, 0, threading.Event()
        self.explains, self.scale = model.explains, model.scale

    def predict(self, frame: Frame) -> Outputs:
        found: Outputs = self.model.predict(frame)
        return found

    def contributions(self, frame: pl.DataFrame) -> Contributions:
        self.asked += 1
        self.let_go.wait()
        found: Contributions = self.model.contributions(frame)
        return found


class Compiled(Hanging):
    """A model that says that its explanations are compiled. threads: in which they were made."""

    is_compiled = True

    def __init__(self, model: Any) -> None:
        super().__init__(model)
        self.threads: list[str] = []
        self.let_go.set()

    def contributions(self, frame: pl.DataFrame) -> Contributions:
        self.threads.append(threading.current_thread().name.split("_")[0])
        return super().contributions(frame)


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    tiny.install()
    home = world.copy(tmp_path / "home")
    promote(home, promoted(home, 3))
    found = started(home, journal=False)
    yield found
    found.running.journal.close()


@pytest.fixture
def hanging(service: Service) -> Iterator[Hanging]:
    champion = service.running.models.active[PRODUCT]
    model = Hanging(champion.model)
    swap(service, replace(champion, model=model))
    yield model
    model.let_go.set()


@pytest.fixture
def let_go() -> Iterator[threading.Event]:
    """What threads wait for: at the end of a test at the latest, else this process would never end."""
    found = threading.Event()
    yield found
    found.set()


def unexplained(service: Service) -> None:
    """Ask for a ranking; it comes, without its explanation."""
    answer = service.rank(task_id="T60")
    assert (answer["source"], answer["explanation"], answer["candidates"][0]["factors"]) == ("model", None, None)


def hang_all(service: Service) -> None:
    """Ask until every thread hangs. One that does not begin in time, on a busy machine, does not."""
    explainers = service.running.answers.explainers
    explainers.seconds = 0.2
    while explainers.hanging < LIMITS.explanation_threads:
        unexplained(service)


def test_a_score_comes_in_time_without_its_explanation_and_at_once_when_all_threads_hang(
    service: Service, hanging: Hanging
) -> None:
    hang_all(service)
    service.running.answers.explainers.seconds = LONG
    begun = time.monotonic()
    unexplained(service)
    assert time.monotonic() - begun < LONG / 2
    assert hanging.asked == LIMITS.explanation_threads


def test_explanations_come_back_when_those_that_hang_are_done(service: Service, hanging: Hanging) -> None:
    service.running.answers.explainers.seconds = 0.2
    unexplained(service)
    service.running.answers.explainers.seconds = LONG
    hanging.let_go.set()
    assert service.rank(task_id="T60")["explanation"] is not None


def test_one_product_s_explanations_that_hang_leave_another_s_scores_alone(service: Service, hanging: Hanging) -> None:
    """In a thread of those that hang they would come once these are let go: at the end of this test."""
    hang_all(service)
    people = [f"N{number}" for number in range(LIMITS.inline_rows + 1)]  # enough to be scored in a thread
    assert service.rank(task_id="T60", candidates=["P1", *people], explain=False)["source"] == "model"


@pytest.mark.parametrize(
    ("seconds", "candidates", "is_inline"),
    [
        (LIMITS.inline_explained_seconds, LIMITS.inline_explained_rows, True),
        (LIMITS.inline_explained_seconds, LIMITS.inline_explained_rows + 1, False),
        (2 * LIMITS.inline_explained_seconds, 1, False),
    ],
    ids=["fast and few", "many rows", "slow when it was loaded"],
)
def test_few_rows_of_a_fast_model_are_explained_on_the_event_loop_and_others_in_a_thread(
    service: Service, seconds: float, candidates: int, is_inline: bool
) -> None:
    champion = service.running.models.active[PRODUCT]
    found = replace(champion, explained_seconds=seconds)
    assert found.is_explained_inline(candidates) == is_inline


@pytest.mark.parametrize(("kind", "asked", "is_timed"), [(Compiled, 1 + TIMED, True), (Hanging, 1, False)])
def test_only_a_model_that_says_it_is_compiled_is_timed_and_meanwhile_the_collector_runs(
    service: Service, kind: type[Hanging], asked: int, is_timed: bool
) -> None:
    model = kind(service.running.models.active[PRODUCT].model)
    model.let_go.set()
    seconds = explained_seconds(model, service.running.warm_up(PRODUCTS[PRODUCT]).features.rows([0]))
    assert (model.asked, math.isfinite(seconds), gc.isenabled()) == (asked, is_timed, True)


def test_an_explanation_on_the_event_loop_says_what_one_in_a_thread_says(service: Service) -> None:
    champion = service.running.models.active[PRODUCT]
    model, said = Compiled(champion.model), []
    for seconds in (0.0, 1.0):
        swap(service, replace(champion, model=model, explained_seconds=seconds))
        answer = service.rank(task_id="T60")
        said.append((answer["explanation"], [each["factors"] for each in answer["candidates"]]))
    assert said[0] == said[1]
    assert said[0][0] is not None
    assert [name == "explainer" for name in model.threads] == [False, True]


def test_an_explanation_that_fails_on_the_event_loop_leaves_the_score(service: Service) -> None:
    champion = service.running.models.active[PRODUCT]
    model = Compiled(champion.model)
    model.contributions = None  # type: ignore[assignment, method-assign]
    swap(service, replace(champion, model=model, explained_seconds=0.0))
    answer = service.rank(task_id="T60")
    assert (answer["source"], answer["explanation"], answer["candidates"][0]["factors"]) == ("model", None, None)


def test_work_that_waits_for_a_thread_is_withdrawn_when_its_time_is_up(let_go: threading.Event) -> None:
    done: list[str] = []

    async def ask() -> list[str]:
        explainers, found = Explainers(threads=1, seconds=0.2), list[str]()
        while not explainers.hanging:  # on a busy machine the first may not begin in time either
            first = asyncio.create_task(explainers.run(let_go.wait))
            second = asyncio.create_task(explainers.run(done.append, "second"))
            found = [type(each).__name__ for each in await asyncio.gather(first, second, return_exceptions=True)]
        with pytest.raises(ServingError, match="1 hang, allowed: fewer than 1"):
            await explainers.run(done.append, "third")
        let_go.set()
        explainers.seconds = LONG
        while explainers.hanging:
            await asyncio.sleep(0.01)
        await explainers.run(done.append, "fourth")
        return found

    assert asyncio.run(ask()) == ["TimeoutError", "TimeoutError"]
    assert done == ["fourth"]


def test_a_thread_that_works_for_somebody_who_is_given_up_hangs_too(let_go: threading.Event) -> None:
    """As where a batch has taken its whole time: the next one is not to wait for that thread."""

    async def ask() -> None:
        explainers, begun = Explainers(threads=1, seconds=LONG), threading.Event()

        def hang() -> None:
            begun.set()
            let_go.wait()

        asked = asyncio.create_task(explainers.run(hang))
        await asyncio.to_thread(begun.wait)
        asked.cancel()
        await asyncio.wait([asked])
        with pytest.raises(ServingError, match="1 hang, allowed: fewer than 1"):
            await explainers.run(print)
        let_go.set()
        while explainers.hanging:
            await asyncio.sleep(0.01)

    asyncio.run(ask())


def test_work_that_fails_is_told_to_who_asked_and_logged_by_nobody_else(caplog: pytest.LogCaptureFixture) -> None:
    def fail() -> None:
        raise ValueError("of P1")

    async def ask() -> None:
        with pytest.raises(ValueError, match="of P1"):
            await Explainers(threads=1, seconds=LONG).run(fail)
        gc.collect()  # asyncio looks at what nobody retrieved when it goes

    asyncio.run(ask())
    gc.collect()
    assert [each.message for each in caplog.records if each.levelno > logging.DEBUG] == []
