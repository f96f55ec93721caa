"""The split: sticky, as large as it says, independent between experiments, and about whom the question is about."""

import subprocess
import sys

import numpy as np
import pytest

from serving.answering.features import Asked
from serving.versions.arms import is_drawn, unit_of
from tests.serving.process import ROOT
from training.products import PRODUCTS

UNITS = [f"P{number}" for number in range(20_000)]


def drawn(salt: str, share: float) -> np.ndarray:
    return np.array([is_drawn(salt, unit, share) for unit in UNITS])


@pytest.mark.parametrize("share", [0.01, 0.1, 0.5, 0.9])
def test_a_share_of_the_units_is_drawn(share: float) -> None:
    """Within four standard errors of 20,000 draws."""
    assert abs(drawn("salt", share).mean() - share) < 4 * np.sqrt(share * (1 - share) / len(UNITS))


def test_all_are_drawn_for_all() -> None:
    assert drawn("salt", 1.0).all()


def test_another_process_draws_the_same_units() -> None:
    code = "from serving.versions.arms import is_drawn; print([is_drawn('salt', f'P{n}', 0.3) for n in range(200)])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stdout.strip() == str(drawn("salt", 0.3)[:200].tolist())


def test_who_is_drawn_for_a_share_is_drawn_for_a_larger_one() -> None:
    assert not (drawn("salt", 0.2) & ~drawn("salt", 0.6)).any()


def test_experiments_draw_independently() -> None:
    """Of those that one draws, the other draws as many as of all: a quarter is drawn by both."""
    both = drawn("one", 0.5) & drawn("other", 0.5)
    assert abs(both.mean() - 0.25) < 4 * np.sqrt(0.25 * 0.75 / len(UNITS))


def test_a_salt_and_a_unit_do_not_run_together() -> None:
    assert [is_drawn("ab", f"c{n}", 0.5) for n in range(64)] != [is_drawn("a", f"bc{n}", 0.5) for n in range(64)]


def ranking(product: str, **subject: str) -> Asked:
    route = PRODUCTS[product].routes[0]
    return Asked(route, {key: [] for key in route.keys}, [], subject)


def estimate(*pairs: tuple[str, str]) -> Asked:
    route = PRODUCTS["task_performance"].routes[0]
    return Asked(route, {"person_id": [p for p, _ in pairs], "task_id": [t for _, t in pairs]}, [None] * len(pairs), {})


TABLE = [
    ("a ranking of people is about its task", ranking("task_assignment", task_id="T1"), "T1"),
    ("a ranking for a person is about the person", ranking("learning", person_id="P1"), "P1"),
    ("a task that is not stored has no name", ranking("task_assignment", task_id="(new)"), "C1"),
    ("an estimate of one pair is about its person", estimate(("P1", "T1")), "P1"),
    ("estimates of one person are about that person", estimate(("P1", "T1"), ("P1", "(new)")), "P1"),
    ("estimates about one task are about the task", estimate(("P1", "T1"), ("P2", "T1")), "T1"),
    ("estimates of several pairs are about who asks", estimate(("P1", "T1"), ("P2", "T2")), "C1"),
]


@pytest.mark.parametrize(("asked", "unit"), [row[1:] for row in TABLE], ids=[row[0] for row in TABLE])
def test_the_unit_is_what_the_question_is_about(asked: Asked, unit: str) -> None:
    assert unit_of(asked, "C1") == unit


def test_nobody_asking_about_several_is_no_unit_and_a_long_name_is_cut_to_the_log_s_column() -> None:
    assert unit_of(estimate(("P1", "T1"), ("P2", "T2")), None) is None
    assert unit_of(estimate(("P1", "T1"), ("P2", "T2")), "c" * 300) == "c" * 128
