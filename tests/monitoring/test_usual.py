"""What is usual is learned from whole blocks of enough tasks; a leftover says nothing."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl
import pytest

from monitoring import psi
from monitoring.comparison import compared
from monitoring.drift import drift
from tests.monitoring.test_drift import NUMBERS, PRODUCT, rows

START = datetime(2010, 1, 1, tzinfo=UTC)


def in_time(seed: int, count: int, first: int, days: int, by: float = 1.0, candidates: int = 1) -> pl.DataFrame:
    """Rows of count tasks, spread over days from the first day on, with numbers `by` times as large."""
    day = np.sort(np.random.default_rng(seed).uniform(first, first + days, count))
    at = pl.Series([START + timedelta(days=float(each)) for each in day], dtype=pl.Datetime("us", "UTC"))
    frame = rows(seed, count, event_timestamp=at, **{f"v__{name}": pl.col(f"v__{name}") * by for name in NUMBERS})
    return pl.concat([frame] * candidates)


def blocks(*sizes: int) -> psi.Integers:
    return np.repeat(np.arange(len(sizes)), sizes)


def moving(*sizes: int) -> pd.Series:
    """The first block holds a, all later ones b."""
    return pd.Series(["a"] * sizes[0] + ["b"] * sum(sizes[1:]))


def test_what_is_usual_is_the_furthest_that_a_block_lay_from_those_before() -> None:
    series = moving(100, 100)
    by_hand = psi.index(series[:100], series[100:])
    assert psi.usual(series, blocks(100, 100), np.arange(200)) == by_hand > 1


@pytest.mark.parametrize(("first", "second"), [(100, 99), (99, 100), (0, 200)])
def test_a_block_of_too_few_tasks_says_nothing(first: int, second: int) -> None:
    assert psi.usual(moving(first, second), blocks(first, second), np.arange(first + second)) == 0


def test_candidates_of_one_task_do_not_make_a_block_larger() -> None:
    # 20 tasks of 7 candidates in each block are 140 rows, and too few.
    assert psi.usual(moving(140, 140), blocks(140, 140), np.arange(280) // 7) == 0
    assert psi.usual(moving(700, 700), blocks(700, 700), np.arange(1_400) // 7) > 1


def test_rows_in_no_whole_block_are_not_compared() -> None:
    numbers = np.repeat([-1, 0, 1], 100)
    assert psi.usual(moving(100, 100, 100), numbers, np.arange(300)) < 0.01


@pytest.mark.parametrize("leftover", [8, 150])
def test_a_leftover_block_does_not_set_the_limit(tmp_path: Path, leftover: int) -> None:
    # A reference hardly longer than the current period, whose first week was another one: 7 candidates each.
    first = in_time(1, leftover, 0, 7, by=30.0, candidates=7)
    reference = pl.concat([first, in_time(2, 280, 7, 183, candidates=7)])
    current = in_time(3, 290, 190, 183, by=4.0, candidates=7)
    names = [f"v__{name}" for name in NUMBERS]
    assert max(each.limit for each in compared(names, reference, current)) < 0.25
    assert drift(PRODUCT, reference, current, tmp_path).verdict == "drift"


@pytest.mark.parametrize("seed", range(30, 36))
def test_years_that_stay_as_they_were_are_not_called_drift(tmp_path: Path, seed: int) -> None:
    report = drift(PRODUCT, in_time(seed, 2_000, 0, 8 * 365), in_time(seed + 50, 120, 8 * 365, 182), tmp_path)
    assert (report.verdict, report.drifted) == ("none", ())


def test_a_shift_after_years_is_found_where_it_was_planted(tmp_path: Path) -> None:
    current = in_time(41, 120, 8 * 365, 182, by=4.0)
    report = drift(PRODUCT, in_time(40, 2_000, 0, 8 * 365), current, tmp_path)
    assert set(report.drifted) == {f"v__{name}" for name in NUMBERS}
