"""What a worker takes on, in which order, and whom it turns away."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import replace

import pytest

from serving.access import shedding as shedding_module
from serving.access.shedding import Shedding
from serving.limits import LIMITS
from serving.schemas.problems import ProblemError

TWO = replace(LIMITS, in_flight=2, refusal_seconds=0.0)


async def asked(shedding: Shedding, work: float = 0.01, block: Callable[[], None] = lambda: None) -> int:
    """The status of a request that blocks the event loop, and then awaits for some seconds."""
    try:
        async with shedding:
            block()
            await asyncio.sleep(work)
    except ProblemError as error:
        return error.status if error.headers["Retry-After"] == "1" else 0
    return 200


def test_who_finds_all_places_taken_is_told_to_come_back() -> None:
    async def story() -> list[int]:
        shedding = Shedding(TWO)
        return [*await asyncio.gather(*(asked(shedding) for _ in range(5))), await asked(shedding)]

    assert asyncio.run(story()) == [200, 200, 503, 503, 503, 200]


def test_short_answers_that_never_wait_are_counted_too() -> None:
    async def story() -> list[int]:
        shedding = Shedding(TWO)
        return await asyncio.gather(*(asked(shedding, work=0.0, block=lambda: time.sleep(0.01)) for _ in range(5)))

    assert asyncio.run(story()) == [200, 200, 503, 503, 503]


def test_who_has_waited_too_long_for_its_turn_is_turned_away(monkeypatch: pytest.MonkeyPatch) -> None:
    """The first begins at once; the others arrive when it ends, and begin 0, 40, 80 s later."""
    clock = Clock()
    monkeypatch.setattr(shedding_module, "time", clock)

    async def story() -> list[int]:
        shedding = Shedding(replace(LIMITS, wait_seconds=60.0, refusal_seconds=0.0))
        return await asyncio.gather(*(asked(shedding, block=lambda: clock.sleep(40.0)) for _ in range(5)))

    assert asyncio.run(story()) == [200, 200, 200, 503, 503]


def test_who_is_turned_away_late_leaves_its_place_before_it_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock()
    monkeypatch.setattr(shedding_module, "time", clock)

    async def story() -> tuple[int, list[int]]:
        shedding = Shedding(replace(LIMITS, wait_seconds=60.0, refusal_seconds=1.0))
        three = [asyncio.create_task(asked(shedding, 0.0, lambda: clock.sleep(100.0))) for _ in range(3)]
        await asyncio.gather(*three[:2])
        for _ in range(10):  # turns of the loop: the third one is held back meanwhile
            await asyncio.sleep(0)
        return shedding.in_flight, await asyncio.gather(*three)

    assert asyncio.run(story()) == (0, [200, 200, 503])


class Clock:
    """Seconds that pass when a test says so."""

    now = 0.0

    def perf_counter(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


def test_requests_begin_in_the_order_of_their_arrival() -> None:
    async def story() -> list[int]:
        shedding, begun = Shedding(), []

        async def ask(number: int) -> None:
            async with shedding:
                begun.append(number)

        await asyncio.gather(*(ask(number) for number in range(20)))
        return begun

    assert asyncio.run(story()) == list(range(20))


def test_the_loop_looks_up_between_two_answers() -> None:
    """A ticker that runs once per round of the loop sees each of ten blocking answers begin."""

    async def story() -> int:
        shedding, seen, ends = Shedding(), set(), False

        async def tick() -> None:
            while not ends:
                seen.add(shedding.in_flight)
                await asyncio.sleep(0)

        ticker = asyncio.create_task(tick())
        await asyncio.gather(*(asked(shedding, work=0.0, block=lambda: time.sleep(0.002)) for _ in range(10)))
        ends = True
        await ticker
        return len(seen)

    assert asyncio.run(story()) >= 8


def test_a_caller_that_is_slow_to_send_takes_no_place() -> None:
    async def story() -> int:
        shedding, both, ends = Shedding(TWO), asyncio.Barrier(3), asyncio.Event()

        async def slow() -> None:
            async with shedding:
                with shedding.given_up:
                    await both.wait()
                    await ends.wait()

        waiting = [asyncio.create_task(slow()) for _ in range(2)]
        await both.wait()
        status = await asked(shedding)
        ends.set()
        await asyncio.gather(*waiting)
        assert shedding.in_flight == 0
        return status

    assert asyncio.run(story()) == 200


def test_a_request_that_fails_gives_its_place_back() -> None:
    async def story() -> int:
        shedding = Shedding(TWO)
        for _ in range(3):
            with pytest.raises(ZeroDivisionError):
                async with shedding:
                    raise ZeroDivisionError
        return shedding.in_flight

    assert asyncio.run(story()) == 0
