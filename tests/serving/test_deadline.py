"""When a block that takes too long is ended, and by whom."""

import asyncio
import time

import pytest

from serving.access.deadline import Deadline, Deadlines


async def ended(first: float, moved: float, work: float) -> tuple[bool, float]:
    """Whether a block came to its own end, whose deadline is moved as it begins; and the seconds it took."""
    begun = time.monotonic()
    try:
        with Deadline(Deadlines(), first) as deadline:
            deadline.move(moved)
            await asyncio.sleep(work)
    except TimeoutError:
        return False, time.monotonic() - begun
    return True, time.monotonic() - begun


@pytest.mark.parametrize(
    ("first", "moved", "work", "found", "least"),
    [
        (99.0, 99.0, 0.0, True, 0.0),
        (0.05, 0.05, 99.0, False, 0.05),
        (0.05, 99.0, 0.2, True, 0.2),  # moved on
        (0.05, 0.30, 99.0, False, 0.3),
        (99.0, 0.05, 99.0, False, 0.05),  # moved nearer
    ],
)
def test_a_block_is_ended_where_its_deadline_was_moved_to(
    first: float, moved: float, work: float, found: bool, least: float
) -> None:
    is_whole, seconds = asyncio.run(ended(first, moved, work))
    assert is_whole is found
    assert least - 0.01 <= seconds < 60


def test_whoever_cancels_the_task_cancels_it_and_no_deadline_makes_a_timeout_of_it() -> None:
    async def story() -> str:
        task = asyncio.create_task(ended(99.0, 99.0, 99.0))
        await asyncio.sleep(0.01)
        task.cancel()
        try:
            await task
        except asyncio.CancelledError:
            return "cancelled"
        return "ended"

    assert asyncio.run(story()) == "cancelled"


def test_what_a_block_raises_goes_on_and_a_task_goes_on_after_a_timeout() -> None:
    async def story() -> tuple[bool, int]:
        with pytest.raises(ValueError, match="x"), Deadline(Deadlines(), 99.0):
            raise ValueError("x")
        late, _ = await ended(0.01, 0.01, 99.0)
        task = asyncio.current_task()
        assert task
        await asyncio.sleep(0.02)  # nothing is left that would cancel it
        return late, task.cancelling()

    assert asyncio.run(story()) == (False, 0)


def test_of_many_blocks_each_is_ended_at_its_own_time_by_one_timer() -> None:
    deadlines = Deadlines()

    async def one(seconds: float, work: float) -> bool:
        try:
            with Deadline(deadlines, seconds):
                await asyncio.sleep(work)
        except TimeoutError:
            return False
        return True

    async def story() -> list[bool]:
        return await asyncio.gather(one(99, 0.3), one(0.05, 99), one(99, 0.1), one(0.2, 99), one(99, 0.0))

    assert asyncio.run(story()) == [True, False, True, False, True]
    assert asyncio.run(story()) == [True, False, True, False, True], "and in another event loop"


def test_a_nearer_deadline_takes_the_place_of_the_timer_that_there_was() -> None:
    async def story() -> int:
        deadlines, loop = Deadlines(), asyncio.get_running_loop()
        with Deadline(deadlines, 99) as first:
            for seconds in (98, 97, 96):
                first.move(seconds)
            return sum(not timer.cancelled() for timer in loop._scheduled)  # type: ignore[attr-defined]

    assert asyncio.run(story()) == 1
