"""The circuit breaker: when calls go through, and when they fail at once."""

import threading
from contextlib import suppress

import pytest

from serving.client import Breaker, RefusedError, UnreachableError


class Clock:
    """Seconds that pass when a test says so."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def breaker(clock: Clock) -> Breaker:
    """Opens after three failures, for ten seconds."""
    return Breaker(failures=3, seconds=10.0, clock=clock)


def call(breaker: Breaker, fails: bool = False) -> bool:
    """Whether the call went through."""
    went_through = False
    with suppress(UnreachableError), breaker.guard():
        went_through = True
        if fails:
            raise UnreachableError("no answer")
    return went_through


def test_it_opens_after_failures_in_a_row(breaker: Breaker) -> None:
    assert [call(breaker, fails=True) for _ in range(3)] == [True, True, True]
    assert breaker.state == "open"
    assert not call(breaker)


def test_a_success_in_between_starts_the_count_anew(breaker: Breaker) -> None:
    for fails in (True, True, False, True, True):
        assert call(breaker, fails)
    assert breaker.state == "closed"


def test_an_open_circuit_says_so_at_once(breaker: Breaker) -> None:
    for _ in range(3):
        call(breaker, fails=True)
    with (
        pytest.raises(UnreachableError, match="the call: not sent, the circuit is open after 3 failures"),
        breaker.guard(),
    ):
        pytest.fail("nothing runs")


def test_a_refusal_is_an_answer_of_a_service_that_is_well(breaker: Breaker) -> None:
    for _ in range(2):
        call(breaker, fails=True)
    with pytest.raises(RefusedError), breaker.guard():
        raise RefusedError("POST /", 404, "No such task.")
    assert [call(breaker, fails=True) for _ in range(2)] == [True, True]
    assert breaker.state == "closed"


def test_an_error_of_the_caller_s_own_teaches_nothing(breaker: Breaker) -> None:
    for _ in range(2):
        call(breaker, fails=True)
    with pytest.raises(KeyError), breaker.guard():
        raise KeyError("token")
    call(breaker, fails=True)
    assert breaker.state == "open"


@pytest.mark.parametrize(("fails", "then"), [(False, "closed"), (True, "open")])
def test_after_its_time_the_one_call_that_is_tried_decides(
    breaker: Breaker, clock: Clock, fails: bool, then: str
) -> None:
    for _ in range(3):
        call(breaker, fails=True)
    clock.now = 9.9
    assert not call(breaker)
    clock.now = 10.0
    assert breaker.state == "half open"
    assert call(breaker, fails)
    assert breaker.state == then


def test_a_try_that_fails_opens_it_for_the_whole_time_again(breaker: Breaker, clock: Clock) -> None:
    for _ in range(3):
        call(breaker, fails=True)
    clock.now = 10.0
    call(breaker, fails=True)
    clock.now = 19.9
    assert not call(breaker)
    clock.now = 20.0
    assert call(breaker)


def test_half_open_one_call_is_let_through_and_the_others_fail_at_once(breaker: Breaker, clock: Clock) -> None:
    for _ in range(3):
        call(breaker, fails=True)
    clock.now = 10.0
    with breaker.guard():
        assert [call(breaker) for _ in range(5)] == [False] * 5
    assert [call(breaker) for _ in range(5)] == [True] * 5


def test_a_try_that_is_interrupted_leaves_its_place_to_the_next(breaker: Breaker, clock: Clock) -> None:
    for _ in range(3):
        call(breaker, fails=True)
    clock.now = 10.0
    with pytest.raises(KeyboardInterrupt), breaker.guard():
        raise KeyboardInterrupt
    assert call(breaker)
    assert breaker.state == "closed"


def test_calls_that_began_before_it_opened_do_not_keep_it_open(breaker: Breaker, clock: Clock) -> None:
    with suppress(UnreachableError), breaker.guard():
        for _ in range(3):
            call(breaker, fails=True)
        clock.now = 5.0
        raise UnreachableError("the straggler")
    clock.now = 10.0
    assert breaker.state == "half open"


def test_calls_of_several_threads_run_side_by_side(breaker: Breaker) -> None:
    meeting = threading.Barrier(4, timeout=10)

    def meet() -> None:
        with breaker.guard():
            meeting.wait()  # all four are inside at once, or none gets on

    threads = [threading.Thread(target=meet) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not meeting.broken
