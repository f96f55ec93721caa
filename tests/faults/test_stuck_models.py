"""A model that hangs while it loads or warms up is refused, and holds up nobody else's swap (16)."""

import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Self

import pytest

from feature_repo.table import Frame
from serving.versions import models
from serving.versions.champions import Promoted
from serving.versions.loading import Loader
from tests.patience import LONG
from tests.serving import tiny, world
from tests.serving.conftest import LONG_AGO, Service, promote, promoted, started
from tests.serving.process import until
from training.model import KINDS, save_model
from training.products import PRODUCTS
from training.route import Outputs

STUCK, OTHER = "task_assignment", "task_performance"
FAILURES = f'model_load_failures_total{{product="{STUCK}"}}'
GO_ON = threading.Event()


class StuckInLoad(tiny.Tiny):
    """A model whose load hangs until GO_ON."""

    kind = "serving-stuck-in-load"

    @classmethod
    def load(cls, folder: Path) -> Self:
        GO_ON.wait()
        return super().load(folder)


class StuckInWarmUp(StuckInLoad):
    """A model whose answers hang until GO_ON."""

    kind = "serving-stuck-in-warm-up"

    @classmethod
    def load(cls, folder: Path) -> Self:
        return super(StuckInLoad, cls).load(folder)

    def predict(self, frame: Frame) -> Outputs:
        GO_ON.wait()
        return super().predict(frame)


KIND = pytest.mark.parametrize("kind", [StuckInLoad, StuckInWarmUp])


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    """Version 3 of every product serves; nobody waits for what is loaded from now on."""
    tiny.install()
    GO_ON.clear()
    home = world.copy(tmp_path / "home")
    promote(home, promoted(home, 3))
    found = started(home, journal=False)
    found.running.models.loader.patience = 0.1
    yield found
    GO_ON.set()
    found.running.journal.close()


def stuck(home: Path, number: int, kind: type[StuckInLoad]) -> Promoted:
    """A version that hangs."""
    KINDS[kind.kind] = f"{__name__}:{kind.__name__}"
    good = tiny.tiny(PRODUCTS[STUCK], number)
    model = kind(good.booster, good.names, good.outputs, good.number)
    sha256 = save_model(model, home / "models" / STUCK / str(number))
    return Promoted(number=number, sha256=sha256, as_of=world.AS_OF, trained_until=LONG_AGO, tried_at=datetime.now(UTC))


def version(service: Service, product: str) -> int:
    return service.running.models.active[product].version.number


def loads() -> int:
    """How many threads load it."""
    return [each.name for each in threading.enumerate()].count(f"load {STUCK}")


def an_hour_later(service: Service) -> None:
    """What was refused is due to be tried again."""
    models = service.running.models
    models.refused = {name: replace(each, at=each.at - 3_600) for name, each in models.refused.items()}


def is_so(service: Service, claim: Callable[[], bool]) -> Callable[[], bool]:
    """Whether something is so after another round."""

    def found() -> bool:
        service.running.refresh()
        return claim()

    return found


@KIND
def test_while_a_model_hangs_the_previous_one_serves_and_other_products_are_swapped(
    service: Service, kind: type[StuckInLoad]
) -> None:
    four = {**promoted(service.home, 4), STUCK: stuck(service.home, 4, kind)}
    promote(service.home, four)
    until(is_so(service, lambda: version(service, OTHER) == 4))
    promote(service.home, {**promoted(service.home, 5), STUCK: four[STUCK]})
    until(is_so(service, lambda: version(service, OTHER) == 5))
    assert version(service, STUCK) == 3


@KIND
def test_a_model_that_hangs_is_refused_in_the_end_and_counted_once(service: Service, kind: type[StuckInLoad]) -> None:
    service.running.models.loader.seconds = 1.0
    promote(service.home, {STUCK: stuck(service.home, 4, kind)})
    until(is_so(service, lambda: service.metric(FAILURES) > 0))
    assert service.running.models.refused[STUCK].reason == "ServingError: not loaded and warm within 1 s"
    an_hour_later(service)
    service.running.refresh()
    assert (version(service, STUCK), service.metric(FAILURES)) == (3, 1.0)
    assert loads() == 1


def test_a_model_that_loads_after_all_serves_once_it_is_tried_again(service: Service) -> None:
    service.running.models.loader.seconds = 1.0
    promote(service.home, {STUCK: stuck(service.home, 4, StuckInLoad)})
    until(is_so(service, lambda: STUCK in service.running.models.refused))
    GO_ON.set()
    until(lambda: loads() == 0)
    an_hour_later(service)
    until(is_so(service, lambda: version(service, STUCK) == 4))
    assert STUCK not in service.running.models.refused


def test_the_version_before_may_be_asked_for_while_a_model_hangs(service: Service) -> None:
    promote(service.home, {STUCK: stuck(service.home, 4, StuckInLoad)})
    service.running.refresh()
    promote(service.home, promoted(service.home, 5))
    until(is_so(service, lambda: version(service, STUCK) == 5))
    assert service.metric(FAILURES) == 0.0


def test_a_cold_start_with_a_champion_that_hangs_takes_what_was_served_last(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    promote(service.home, {STUCK: stuck(service.home, 4, StuckInLoad)})
    monkeypatch.setattr(models, "Loader", partial(Loader, seconds=LONG, patience=0.1))
    again = started(service.home, journal=False)
    again.running.models.loader.seconds = 5.0  # the version before has as long to load
    until(is_so(again, lambda: STUCK in again.running.models.active))
    assert (version(again, STUCK), again.metric(FAILURES)) == (3, 1.0)
    again.running.journal.close()
