"""A person beside something to learn from: each column against a table worked out by hand."""

import numpy as np
import polars as pl
import pytest

from feature_repo.features import study

NAN = float("nan")
NAMES, AMOUNTS = pl.List(pl.String), pl.List(pl.Float64)

TAUGHT = pl.Series(["sql", "go", "sql", None], dtype=pl.String)
HELD = pl.Series([["python", "sql"], ["python", "sql"], None, ["sql"]], dtype=NAMES)
LEVELS = pl.Series([[3.0, 2.5], [3.0, 2.5], None, [4.0]], dtype=AMOUNTS)


def numbers(*values):
    return np.array(values, dtype=np.float64)


def near(*values):
    return pytest.approx(list(values), nan_ok=True)


def test_the_level_before_is_that_of_the_skill_taught():
    assert study.level_before(TAUGHT, HELD, LEVELS) == near(2.5, 0, 0, 0)


@pytest.mark.parametrize(
    ("start", "end", "hours", "level", "step", "gain", "per_hour"),
    [
        (2, 3.5, 4, 2.5, -0.5, 1, 0.25),
        (3, 5, 8, 0, 2, 4, 0.5),
        (1, 2.5, 2, 4, -3, 0, 0),
        (1, 2.5, 0, 1, 0, 1.5, 6),  # a quarter of an hour at least
        (NAN, NAN, NAN, 0, NAN, NAN, NAN),
    ],
)
def test_what_would_be_gained(start, end, hours, level, step, gain, per_hour):
    before = numbers(level)
    gained = study.gain(numbers(end), before)
    found = [study.step_up(numbers(start), before)[0], gained[0], study.gain_per_hour(gained, numbers(hours))[0]]
    assert found == near(step, gain, per_hour)


def test_wanted_is_what_the_person_would_like_to_work_with():
    wanted = pl.Series([["python", "sql"], ["python", "sql"], None, ["sql"]], dtype=NAMES)
    assert study.is_wanted(TAUGHT, wanted) == near(1, 0, 0, 0)


def test_ready_is_who_declares_what_comes_before():
    needed = pl.Series([["logic", "python"], ["python"], ["python"], None], dtype=NAMES)
    assert study.readiness(needed, HELD, LEVELS) == near(0.5, 1, 0, NAN)


@pytest.mark.parametrize(
    ("worth", "shown", "usual"), [(0, 0, 0.1), (NAN, NAN, 0.1), (9, 10, (9 + 1) / 20), (0, 90, 0.01)]
)
def test_an_item_that_was_hardly_shown_is_taken_for_a_usual_one(worth, shown, usual):
    assert study.usual_worth(numbers(worth), numbers(shown)) == near(usual)


def test_a_thousand_rows_have_the_values_that_each_has_alone():
    many = pl.concat([TAUGHT] * 250), pl.concat([HELD] * 250), pl.concat([LEVELS] * 250)
    assert study.level_before(*many) == near(*[2.5, 0, 0, 0] * 250)
