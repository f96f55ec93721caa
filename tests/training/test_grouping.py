"""A score in parts: they are what the columns contributed, on a scale of their own, and the strongest in words."""

from datetime import UTC, datetime

import polars as pl
import pytest

from feature_repo.column import Column
from training.asking.grouping import Part, groups, parts, reasons
from training.route import Answered


def column(name: str, words: str) -> Column:
    return Column(name=name, dtype=float, view="fit", function=abs, description=words)


COVERAGE, YEARS, PAY, PLACE = (
    column("coverage", "Share of skills held. Missing where none."),
    column("years", "Years of use"),
    column("pay", "Pay that both accept"),
    column("place", "Distance"),
)
GROUPS = {"skills": (COVERAGE, YEARS), "salary": (PAY,), "location": (PLACE,)}
ADDED = pl.DataFrame(
    {"row": [0, 2], "fit__coverage": [6.0, -9.0], "fit__years": [4.0, -21.0], "fit__pay": [-5.0, 0.0],
     "fit__place": [0.5, 1.0], "expected": [60.0, 60.0]}
)  # fmt: skip
VALUES = pl.DataFrame(
    {"fit__coverage": [0.75, 0.1, 0.0], "fit__years": [3.0, 1.0, None], "fit__pay": [0.2] * 3, "fit__place": [5.0] * 3}
)


def answered(contributions: pl.DataFrame | None = ADDED) -> Answered:
    outputs = pl.DataFrame({"score": [65.5, 80.0, 81.0]})
    return Answered({}, {}, VALUES, outputs, contributions, _Published(), lambda *_: outputs)


class _Published:
    at = datetime(2020, 1, 1, tzinfo=UTC)


def test_a_part_is_the_sum_of_what_its_columns_added_and_50_where_that_is_nothing():
    first, _, third = parts(answered(), GROUPS)
    assert first == {"skills": Part(10.0, 75.0), "salary": Part(-5.0, 37.5), "location": Part(0.5, 51.25)}
    assert third == {"skills": Part(-30.0, 0.0), "salary": Part(0.0, 50.0), "location": Part(1.0, 52.5)}


def test_parts_and_expected_add_up_to_the_score():
    first, *_ = parts(answered(), GROUPS)
    assert sum(part.contribution for part in first.values()) + 60 == 65.5


def test_a_part_that_raised_the_score_is_above_50_and_larger_ones_are_higher():
    for row in filter(None, parts(answered(), GROUPS)):
        for part in row.values():
            assert (part.score - 50) * part.contribution >= 0
        by_amount = sorted(row.values(), key=lambda part: part.contribution)
        assert [part.score for part in by_amount] == sorted(part.score for part in by_amount)


def test_the_strongest_three_are_said_by_size_with_value_and_direction():
    first, _, third = reasons(answered(), GROUPS)
    assert first == [
        "Share of skills held: 0.75. This raises the score.",
        "Pay that both accept: 0.2. This lowers the score.",
        "Years of use: 3. This raises the score.",
    ]
    assert third[0] == "Years of use: not known. This lowers the score."


@pytest.mark.parametrize("contributions", [None, ADDED.head(0)], ids=["not explained", "by the rule"])
def test_rows_that_the_model_did_not_score_have_neither_parts_nor_reasons(contributions):
    assert parts(answered(contributions), GROUPS) == reasons(answered(contributions), GROUPS) == [None] * 3


def test_the_badge_is_for_more_than_80():
    badge = next(extra for extra in groups(GROUPS) if extra.name == "badge")
    assert badge.value(answered()) == [False, False, True]
