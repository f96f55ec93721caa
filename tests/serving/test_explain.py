"""Factors in words, worked out by hand."""

import polars as pl
import pytest

from feature_repo.column import Column
from feature_repo.errors import DataError
from serving.answering.explain import explanation, factor, factors


def column(name: str, unit: str = "", text: str = "Years of work.", dtype: object = float) -> Column:
    return Column(name=name, dtype=dtype, unit=unit, view="person", description=text, function=len)


def test_the_strongest_come_first_whatever_their_sign_and_zeros_are_left_out() -> None:
    columns = [column(name) for name in "abcd"]
    names = [each.qualified for each in columns]
    added = pl.DataFrame({name: [value] for name, value in zip(names, (0.1, -3.0, 0.0, 2.0), strict=True)})
    found = factors(
        added.with_columns(expected=0.5), pl.DataFrame({name: [1.0] for name in names}), columns, "score", top=3
    )
    assert [(each["column"], each["contribution"]) for each in found[0]] == [
        ("person__b", -3.0), ("person__d", 2.0), ("person__a", 0.1),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("value", "unit", "contribution", "sentence"),
    [
        (12.0, "years", 0.5, "Years of work: 12 years. This raises the content score."),
        (0.123456, "", -0.5, "Years of work: 0.123. This lowers the content score."),
        (1234.5, "h", 0.5, "Years of work: 1234 h. This raises the content score."),
        (None, "years", -0.5, "Years of work: not known. This lowers the content score."),
        (True, "", 0.5, "Years of work: yes. This raises the content score."),
        ("J1", "", 0.5, "Years of work: J1. This raises the content score."),
        (pl.Series(["a", "b"]), "", 0.5, "Years of work: a, b. This raises the content score."),
        ([], "", 0.5, "Years of work: none. This raises the content score."),
        (list("abcdefg"), "", 0.5, "Years of work: a, b, c, d, e and 2 more. This raises the content score."),
    ],
)
def test_a_factor_is_said_in_words(value: object, unit: str, contribution: float, sentence: str) -> None:
    assert factor(column("x", unit), value, contribution, "content_score")["sentence"] == sentence


def test_only_the_first_clause_of_a_description_is_said() -> None:
    text = "Tasks started, fading by 30 days; none\n    at the start. See events."
    said = factor(column("x", text=text), 2.0, 1.0, "hours")
    assert said["sentence"] == "Tasks started, fading by 30 days: 2. This raises the hours."
    assert said["description"] == "Tasks started, fading by 30 days; none at the start. See events."


def test_a_contribution_that_is_no_number_is_an_error() -> None:
    with pytest.raises(DataError, match="not finite"):
        factors(pl.DataFrame({"person__a": [float("nan")]}), pl.DataFrame({"person__a": [1.0]}), [column("a")], "score")


def test_the_explanation_names_output_scale_and_expected_value() -> None:
    frame = pl.DataFrame({"person__a": [0.1], "expected": [0.25]})
    assert explanation(frame, "hours", "log hours") == {"output": "hours", "scale": "log hours", "expected": 0.25}
