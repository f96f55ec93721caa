"""How often a caller may ask, over workers and machines, and what happens when Redis does not answer."""

import asyncio
import logging
import multiprocessing
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from feature_repo.errors import SettingsError
from feature_repo.settings import Settings
from serving.access import windows as windows_module
from serving.access.rates import Limiter
from serving.access.windows import SETS, SLOT, WAYS, Windows
from serving.limits import LIMITS
from serving.schemas.problems import ProblemError
from tests.patience import LONG
from tests.ports import free_port
from tests.serving.process import until

PATIENT = replace(LIMITS, redis_seconds=LONG)
QUICK = replace(PATIENT, redis_retry_seconds=0.2)


class Clock:
    """Seconds that pass when a test says so."""

    now = 1e6

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """The clock of all windows."""
    found = Clock()
    monkeypatch.setattr(windows_module, "time", found)
    return found


def limiter(home: Path, rate: str = "100/hour", redis: str | None = None, bounds: Any = PATIENT) -> Limiter:
    return Limiter.of(Settings(home=home, rate_limit=rate, redis_url=redis, _env_file=None), bounds)


def passed(limiter: Limiter, times: int, subject: str = "anna") -> int:
    """How many of so many requests are let through."""
    return asyncio.run(_passed(limiter, times, subject))


async def _passed(limiter: Limiter, times: int, subject: str) -> int:
    return sum([await _passes(limiter, subject) for _ in range(times)])


async def _batch_passes(limiter: Limiter, size: int) -> bool:
    """Whether a batch is let through: counted as one when it comes, and once more when it is known how large it is."""
    try:
        await limiter.check("anna")
        await limiter.check_batch("anna", size)
    except ProblemError as error:
        return error.status != 429
    return True


async def _passes(limiter: Limiter, subject: str) -> bool:
    try:
        await limiter.check(subject)
    except ProblemError as error:
        return error.status != 429
    return True


def refused(limiter: Limiter, subject: str = "anna") -> ProblemError:
    with pytest.raises(ProblemError) as found:
        asyncio.run(limiter.check(subject))
    return found.value


def test_a_hundred_requests_of_a_minute_pass_and_the_next_is_told_when_to_come_back(tmp_path: Path) -> None:
    found = limiter(tmp_path, "100/minute")
    assert passed(found, 150) == 100
    error = refused(found)
    wait = int(error.headers["Retry-After"])
    assert (error.status, 1 <= wait <= 61) == (429, True)
    assert error.headers["RateLimit-Policy"] == '"subject";q=100;w=60'
    assert error.headers["RateLimit"] == f'"subject";r=0;t={wait}'


def test_each_subject_has_a_limit_of_its_own_and_case_tells_subjects_apart(tmp_path: Path) -> None:
    found = limiter(tmp_path, "3/hour")
    assert {name: passed(found, 5, name) for name in ("anna", "Anna", "bob", "annä", "anna/")} == {
        "anna": 3, "Anna": 3, "bob": 3, "annä": 3, "anna/": 3,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("asked_before", "batches"),
    [
        (0, {1: True, 4: True, 10: True, 100: True}),  # one that is larger than the rate takes all of it
        (1, {1: True, 4: True, 9: True, 10: False, 100: False}),
        (6, {1: True, 4: True, 5: False}),
        (9, {1: True, 2: False}),
    ],
)
def test_a_batch_counts_as_its_requests(tmp_path: Path, asked_before: int, batches: dict[int, bool]) -> None:
    for size, is_let_through in batches.items():
        found = limiter(tmp_path / str(size), "10/hour")
        assert passed(found, asked_before) == asked_before
        assert asyncio.run(_batch_passes(found, size)) is is_let_through


def test_a_batch_that_is_refused_costs_one_and_waits_for_room_for_all_of_it(tmp_path: Path, clock: Clock) -> None:
    found = limiter(tmp_path, "10/2second")
    assert passed(found, 6) == 6
    assert not asyncio.run(_batch_passes(found, 5))
    assert passed(found, 9) == 3
    with pytest.raises(ProblemError) as error:
        asyncio.run(found.check_batch("anna", 10))
    clock.now += int(error.value.headers["Retry-After"])
    assert asyncio.run(_batch_passes(found, 10))
    assert passed(found, 1) == 0


def test_whoever_waits_as_told_is_let_through(tmp_path: Path, clock: Clock) -> None:
    found = limiter(tmp_path, "5/second")
    assert passed(found, 9) == 5
    clock.now += int(refused(found).headers["Retry-After"])
    assert passed(found, 1) == 1


def test_no_window_of_any_second_holds_more_than_the_limit(tmp_path: Path, clock: Clock) -> None:
    windows, let_in = Windows(tmp_path / "limits"), []
    for _ in range(2_500):
        clock.now += 0.001
        if windows.hit("anna", 20, 1.0):
            let_in.append(clock.now)
    assert len(let_in) >= 40
    assert all(late - early > 0.99 for early, late in zip(let_in, let_in[20:], strict=False))


def _hits(home: Path, times: int) -> int:
    return passed(limiter(home), times)


def test_the_workers_of_a_home_share_one_limit(tmp_path: Path) -> None:
    with multiprocessing.get_context("spawn").Pool(2) as workers:
        assert sum(workers.starmap(_hits, [(tmp_path, 90)] * 4)) == 100


def test_the_counts_outlive_a_worker(tmp_path: Path) -> None:
    assert [passed(limiter(tmp_path), 60) for _ in range(3)] == [60, 40, 0]


def test_twenty_thousand_subjects_take_no_more_room_than_one_and_the_limit_holds_on(tmp_path: Path) -> None:
    windows = Windows(tmp_path / "limits")
    for number in range(20_000):
        windows.hit(f"subject {number}", 3, 60)
    assert (tmp_path / "limits").stat().st_size == SETS * WAYS * SLOT < 5_000_000
    assert [windows.hit("anna", 3, 60) for _ in range(5)] == [True, True, True, False, False]


@pytest.mark.parametrize(
    "rate", ["", "often", "0/minute", "-1/minute", "100/fortnight", "1/second;5/minute", "1e9/day"]
)
def test_a_rate_that_is_none_is_refused_by_name(tmp_path: Path, rate: str) -> None:
    with pytest.raises(SettingsError, match=r"rate_limit: .*, allowed: one rate such as 100/minute"):
        limiter(tmp_path, rate)


@pytest.mark.parametrize("url", ["nonsense", "http://example.org", "redis://:secret@host:port"])
def test_an_address_that_is_no_redis_is_refused_without_its_password(tmp_path: Path, url: str) -> None:
    with pytest.raises(SettingsError, match="redis_url") as found:
        limiter(tmp_path, redis=url)
    assert "secret" not in str(found.value)


@contextmanager
def redis(folder: Path, port: int) -> Iterator[subprocess.Popen[bytes]]:
    """A Redis of one's own."""
    command = ["redis-server", "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", str(folder)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as server:
        try:
            until(lambda: _answers(port))
            yield server
        finally:
            server.terminate()


def _answers(port: int) -> bool:
    with socket.socket() as found:
        return found.connect_ex(("127.0.0.1", port)) == 0


def _stored(port: int) -> str:
    from redis import Redis

    with Redis(port=port, decode_responses=True) as client:
        return " ".join(client.scan_iter())


def test_machines_share_a_limit_by_redis_which_learns_no_subject(tmp_path: Path) -> None:
    port = free_port()
    with redis(tmp_path, port):
        url = f"redis://127.0.0.1:{port}/0"
        assert [passed(limiter(tmp_path / name, redis=url), 60) for name in ("a", "b", "c")] == [60, 40, 0]
        error = refused(limiter(tmp_path / "d", redis=url))
        assert 1 <= int(error.headers["Retry-After"]) <= 3_600
        assert "anna" not in _stored(port)


def test_machines_share_what_batches_cost(tmp_path: Path) -> None:
    port = free_port()
    with redis(tmp_path, port):
        url = f"redis://127.0.0.1:{port}/0"
        sizes = {"a": 60, "b": 60, "c": 39, "d": 1}  # 60, then one that tried, then the last 39
        found = {name: asyncio.run(_batch_passes(limiter(tmp_path / name, redis=url), n)) for name, n in sizes.items()}
        assert found == {"a": True, "b": False, "c": True, "d": False}


def test_when_redis_goes_away_the_machines_own_counts_go_on_and_when_it_returns_it_is_asked_again(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    port = free_port()
    here = limiter(tmp_path, redis=f"redis://127.0.0.1:{port}/0", bounds=QUICK)

    async def story() -> list[int]:
        with redis(tmp_path, port):
            found = [await _passed(here, 60, "anna")]
        found.append(await _passed(here, 60, "anna"))
        with redis(tmp_path, port):  # it has forgotten everything
            await asyncio.sleep(0.3)
            found.append(await _passed(here, 60, "anna"))
        return found

    with caplog.at_level(logging.WARNING, "talentml.serving"):
        assert asyncio.run(story()) == [60, 40, 60]
    said = [record.message.split(",")[0] for record in caplog.records]
    assert [line for line in said if "Redis" in line] == [
        "Redis does not answer", "Redis answers again",
    ]  # fmt: skip


def test_a_redis_that_takes_the_connection_and_says_nothing_delays_one_request_and_fails_none(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        bounds = replace(LIMITS, redis_seconds=1.0, redis_retry_seconds=LONG)
        here = limiter(tmp_path, redis=f"redis://127.0.0.1:{silent.getsockname()[1]}/0", bounds=bounds)
        begun = time.monotonic()
        assert passed(here, 150) == 100
        assert time.monotonic() - begun < 60  # 150 waits would be 150 s
