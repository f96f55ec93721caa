"""A person beside an occupation: each column against a table worked out by hand."""

import numpy as np
import polars as pl
import pytest

from feature_repo.features import career
from feature_repo.sources.streams import careers

NAN = float("nan")
NAMES, AMOUNTS = pl.List(pl.String), pl.List(pl.Float64)

NEEDED = pl.Series([["go", "sql"], ["sql"], [], None], dtype=NAMES)
LEVELS = pl.Series([[2.0, 4.0], [4.0], [], None], dtype=AMOUNTS)
WEIGHTS = pl.Series([[0.25, 0.75], [0.0], [], None], dtype=AMOUNTS)
HELD = pl.Series([["sql"], ["sql"], ["sql"], ["sql"]], dtype=NAMES)
HELD_LEVELS = pl.Series([[3.0]] * 4, dtype=AMOUNTS)


def near(*values):
    return pytest.approx(list(values), nan_ok=True)


def test_skills_count_by_their_importance():
    assert career.skill_coverage(NEEDED, WEIGHTS, HELD, HELD_LEVELS) == near(0.75, NAN, NAN, NAN)


def test_levels_count_up_to_what_is_needed():
    found = career.level_coverage(NEEDED, LEVELS, WEIGHTS, HELD, HELD_LEVELS)
    assert found == near(0.75 * 3 / 4, NAN, NAN, NAN)


def test_what_is_not_declared_is_missing():
    assert career.missing_skills(NEEDED, HELD)[:3] == near(1, 0, 0)
    nothing = pl.Series([None, [], ["sql"], None], dtype=NAMES)
    assert career.missing_skills(NEEDED, nothing)[:3] == near(2, 1, 0)


def test_the_share_of_needed_skills_that_one_would_like_to_use():
    wanted = pl.Series([["go", "rust"], None, ["go"], ["go"]], dtype=NAMES)
    assert career.wanted_share(NEEDED, wanted) == near(0.5, 0, NAN, NAN)


def traits(*rows):
    """Names and values of each row's traits, null where the row is None."""
    return (
        pl.Series([None if row is None else sorted(row) for row in rows], dtype=NAMES),
        pl.Series([None if row is None else [row[name] for name in sorted(row)] for row in rows], dtype=AMOUNTS),
    )


OFFERED = traits(
    {"artistic": 0.1, "realistic": 0.9, "social": 0.5, "support": 0.2, "recognition": 0.4},
    {"artistic": 0.1, "realistic": 0.9},
    {"artistic": 0.1, "realistic": 0.9},
    {"artistic": 0.5, "realistic": 0.5},
    {"artistic": 0.5},
    None,
)
CARED = traits(
    {"artistic": 0.2, "realistic": 0.6, "social": 0.4, "support": 0.9, "recognition": 0.1},
    {"artistic": 0.8, "realistic": 0.3, "social": 0.9},  # social is not rated for the occupation
    None,
    {"artistic": 0.1, "realistic": 0.9},
    {"artistic": 0.1, "realistic": 0.9},
    {"artistic": 0.1},
)


def test_interests_are_alike_where_they_rise_and_fall_together():
    assert career.interest_similarity(*OFFERED, *CARED) == near(1, -1, NAN, NAN, NAN, NAN)


def test_work_values_are_kept_apart_from_interests():
    assert career.value_similarity(*OFFERED, *CARED) == near(-1, NAN, NAN, NAN, NAN, NAN)


def test_a_correlation_is_pearsons():
    random = np.random.default_rng(1)
    offered, cared = random.random((2, 300, 6))
    names = pl.Series([sorted(careers.INTERESTS)] * 300, dtype=NAMES)
    lists = [pl.Series(values.tolist(), dtype=AMOUNTS) for values in (offered, cared)]
    found = career.interest_similarity(names, lists[0], names, lists[1])
    assert found == near(*(np.corrcoef(one, other)[0, 1] for one, other in zip(offered, cared, strict=True)))


def test_the_interests_are_those_of_the_stream():
    assert set(careers.INTERESTS) == career.INTERESTS


@pytest.mark.parametrize(("degree", "zone", "gap"), [(2, 3, 0), (4, 1, 4), (0, 5, -4), (NAN, 3, NAN), (2, NAN, NAN)])
def test_preparation(degree, zone, gap):
    assert career.preparation_gap(np.array([degree]), np.array([zone])) == near(gap)


def test_no_column_knows_what_only_the_judge_knew():
    read = {name for column in career.view.columns for name in column.reads}
    assert not {name for name in read if "similarity" in name or "match" in name}
