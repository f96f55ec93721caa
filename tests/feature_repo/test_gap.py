"""A person, a target and a skill: each column against a table worked out by hand."""

import numpy as np
import polars as pl
import pytest

from feature_repo.features import gap

NAN = float("nan")
NAMES, AMOUNTS = pl.List(pl.String), pl.List(pl.Float64)

# declared and asked for; asked for only; declared only; nothing known; no such skill anywhere
SKILL = pl.Series(["sql", "go", "cobol", "sql", "magic"])
HELD = pl.Series([["cobol", "sql"], ["cobol"], ["cobol"], None, []], dtype=NAMES)
LEVELS = pl.Series([[5.0, 2.0], [5.0], [5.0], None, []], dtype=AMOUNTS)
YEARS = pl.Series([[9.0, 1.5], [9.0], [4.0], None, []], dtype=AMOUNTS)
ASKED = pl.Series([["go", "sql"], ["go"], ["go"], None, []], dtype=NAMES)
ASKED_LEVELS = pl.Series([[3.0, 4.0], [3.0], [3.0], None, []], dtype=AMOUNTS)
WEIGHTS = pl.Series([[1.0, 0.5], [1.0], [1.0], None, []], dtype=AMOUNTS)

DECLARED = [2, 0, 5, 0, 0]
WANTED = [4, 3, NAN, NAN, NAN]


def near(*values):
    return pytest.approx(list(values), nan_ok=True)


def test_what_is_not_declared_counts_as_level_0():
    assert gap.declared_level(SKILL, HELD, LEVELS) == near(*DECLARED)


def test_what_is_not_asked_for_is_missing():
    assert gap.asked_level(SKILL, ASKED, ASKED_LEVELS) == near(*WANTED)
    assert gap.importance(SKILL, ASKED, WEIGHTS) == near(0.5, 1, NAN, NAN, NAN)


def test_the_shortfall_is_asked_for_less_declared():
    assert gap.shortfall(np.array(WANTED, float), np.array(DECLARED, float)) == near(2, 3, NAN, NAN, NAN)


def test_years_of_the_skill_itself_are_0_where_it_is_not_declared():
    assert gap.skill_years(SKILL, HELD, YEARS) == near(1.5, 0, 4, 0, 0)


def test_groundwork_is_the_share_of_prerequisites_that_are_declared():
    before = pl.Series([["cobol", "logic"], ["cobol"], [], None, ["sql"]], dtype=NAMES)
    assert gap.groundwork(before, HELD, LEVELS) == near(0.5, 1, NAN, NAN, 0)


def test_who_is_advanced_in_what_builds_on_a_skill_knows_it():
    after = pl.Series([["cobol", "etl"], ["cobol"], [], None, ["sql"]], dtype=NAMES)
    assert gap.advanced_level(after, HELD, LEVELS) == near(2.5, 5, NAN, NAN, 0)


def test_coverage_of_the_target_is_declared_over_asked_at_most_one():
    assert gap.target_coverage(ASKED, ASKED_LEVELS, HELD, LEVELS) == near((0 + 2 / 4) / 2, 0, 0, NAN, NAN)


def test_how_much_is_declared_at_all():
    assert gap.declared_skills(HELD) == near(2, 1, 1, 0, 0)
    assert gap.mean_level(LEVELS) == near(3.5, 5, 5, NAN, NAN)


def test_a_skill_without_a_name_is_not_that_of_a_list():
    nobody = pl.Series([None, "sql"], dtype=pl.String)
    assert gap.declared_level(nobody, HELD[:2], LEVELS[:2]) == near(0, 0)


def test_one_row_among_a_thousand_is_as_it_is_alone():
    many = pl.concat([SKILL] * 200), pl.concat([HELD] * 200), pl.concat([LEVELS] * 200)
    assert gap.declared_level(*many) == near(*DECLARED * 200)
