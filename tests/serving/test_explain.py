"""Factors in words, worked out by hand."""

import math
from dataclasses import replace
from typing import Any

import numpy as np
import polars as pl
import pytest
from pydantic_core import from_json

from feature_repo.column import Column
from feature_repo.errors import DataError
from feature_repo.table import Frame, tabled
from serving.answering import explain
from serving.answering.explain import explanation
from serving.answering.phrases import Phrase, Phrases
from serving.answering.picking import pick
from serving.answering.telling import tell
from serving.schemas.replies import Factor
from training.contributions import Contributions


def column(name: str, unit: str = "", text: str = "Years of work.", dtype: object = float) -> Column:
    return Column(name=name, dtype=dtype, unit=unit, view="person", description=text, function=len)


def declared(names: str) -> dict[str, Column]:
    return {each.qualified: each for each in map(column, names)}


def added(amounts: dict[str, float], expected: float = 0.5) -> Contributions:
    return Contributions.of(list(amounts), np.array([[*amounts.values(), expected]]))


def factors(
    contributions: Contributions, features: Frame, columns: dict[str, Column], output: str, top: int = 5
) -> list[list[dict[str, Any]]]:
    """What is said of each row."""
    said = explain.factors(contributions, features, Phrases(columns, output), top)
    return [from_json(each) for each in said]


def test_the_strongest_come_first_whatever_their_sign_and_zeros_are_left_out() -> None:
    columns = declared("abcd")
    amounts = added(dict(zip(columns, (0.1, -3.0, 0.0, 2.0), strict=True)))
    found = factors(amounts, pl.DataFrame({name: [1.0] for name in columns}), columns, "score", top=3)
    assert [(each["column"], each["contribution"]) for each in found[0]] == [
        ("person__b", -3.0), ("person__d", 2.0), ("person__a", 0.1),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("value", "unit", "contribution", "sentence"),
    [
        (12.0, "years", 0.5, "Years of work: 12 years. This raises the content score."),
        (0.123456, "", -0.5, "Years of work: 0.123. This lowers the content score."),
        (999.4, "h", 0.5, "Years of work: 999 h. This raises the content score."),
        (999.6, "h", 0.5, "Years of work: 1000 h. This raises the content score."),
        (1234.5, "h", 0.5, "Years of work: 1234 h. This raises the content score."),
        (None, "years", -0.5, "Years of work: not known. This lowers the content score."),
        (True, "", 0.5, "Years of work: yes. This raises the content score."),
        ("J1", "", 0.5, "Years of work: J1. This raises the content score."),
        (["a", "b"], "", 0.5, "Years of work: a, b. This raises the content score."),
        ([], "", 0.5, "Years of work: none. This raises the content score."),
        (list("abcdefg"), "", 0.5, "Years of work: a, b, c, d, e and 2 more. This raises the content score."),
    ],
)
def test_a_factor_is_said_in_words(value: object, unit: str, contribution: float, sentence: str) -> None:
    phrase = Phrase(column("x", unit), "content_score")
    said = from_json(phrase.of(value, contribution, b"0.25"))
    assert said == {
        "column": "person__x", "description": "Years of work.", "value": value, "unit": unit, "contribution": 0.25,
        "direction": "raises" if contribution > 0 else "lowers", "sentence": sentence,
    }  # fmt: skip
    Factor.model_validate(said)


def test_only_the_first_clause_of_a_description_is_said() -> None:
    text = "Tasks started, fading by 30 days; none\n    at the start. See events."
    said = from_json(Phrase(column("x", text=text), "hours").of(2.0, 1.0, b"1.0"))
    assert said["sentence"] == "Tasks started, fading by 30 days: 2. This raises the hours."
    assert said["description"] == "Tasks started, fading by 30 days; none at the start. See events."


def test_of_contributions_of_one_size_the_first_column_comes_first() -> None:
    columns = declared("abc")
    amounts = added(dict(zip(columns, (-1.0, 1.0, 1.0), strict=True)))
    found = factors(amounts, pl.DataFrame({name: [1.0] for name in columns}), columns, "score", top=2)
    assert [each["column"] for each in found[0]] == ["person__a", "person__b"]


@pytest.mark.parametrize("order", ["C", "F"])
def test_contributions_may_be_read_only_and_in_any_order_in_memory_and_nothing_is_compiled_for_them(order: str) -> None:
    values = np.array([[0.5, 0.0, -2.0], [0.0, 0.25, 0.0]], order=order)  # type: ignore[call-overload]
    values.flags.writeable = False
    columns = declared("abc")
    frame = pl.DataFrame({name: [1.0, 2.0] for name in columns})
    for features in (frame, tabled(frame, list(columns.values()))):
        found = factors(Contributions(list(columns), values, np.zeros(2)), features, columns, "score", top=2)
        said = [[(each["column"], each["value"], each["contribution"]) for each in row] for row in found]
        assert said == [[("person__c", 1.0, -2.0), ("person__a", 1.0, 0.5)], [("person__b", 2.0, 0.25)]]
    assert len(pick.signatures) == 1


VALUES: dict[str, tuple[object, list[object]]] = {
    "share": (float, [0.5, None]),
    "tasks": (int, [7, None]),
    "is_open": (bool, [True, None]),
    "job": (str, ["clerk", None]),
    "skills": (list[str], [["sql"], None]),
}
"""Column to its type, and the values of two rows."""


def test_a_request_s_table_tells_the_same_values_as_its_frame() -> None:
    columns = {each.qualified: each for each in (column(name, dtype=dtype) for name, (dtype, _) in VALUES.items())}
    frame = pl.DataFrame({name: values for name, (_, values) in zip(columns, VALUES.values(), strict=True)})
    amounts = Contributions.of(list(columns), np.ones((2, len(columns) + 1)))
    for features in (frame, tabled(frame, list(columns.values()))):
        found = factors(amounts, features, columns, "score")
        assert [[each["value"] for each in row] for row in found] == [
            [0.5, 7, True, "clerk", ["sql"]],
            [None] * 5,
        ]
        assert [type(each["value"]) for each in found[0]] == [float, int, bool, str, list]


NUMBERS = {
    "person__a": ([0.5, 0.123456, math.nan], ["0.5 h", "0.123 h", "not known"]),
    "person__b": ([-999.6, 1234.5, -1e7], ["-1000 h", "1234 h", "-10000000 h"]),
    "person__c": ([-0.0, 1e-9, math.inf], ["-0 h", "1e-09 h", "inf h"]),
    "person__d": ([1.0, 1.0, 1.0], ["yes", "yes", "yes"]),
}
"""Column to the values of three rows, and their words."""


def test_numbers_of_a_table_are_said_as_of_a_frame_and_what_has_no_template_stands_among_them() -> None:
    columns = declared("abc") | {"person__d": column("d", text="1 where the person leads; 0 where not.")}
    columns = {name: replace(each, unit="" if name == "person__d" else "h") for name, each in columns.items()}
    frame = pl.DataFrame({name: values for name, (values, _) in NUMBERS.items()})
    amounts = np.array([[0.1, -0.2, 0.3, 0.4, 9.0], [0.4, 0.0, -0.2, -0.1, 9.0], [0.0, 0.3, 0.25, -0.5, 9.0]])
    found = factors(Contributions.of(list(columns), amounts), tabled(frame, list(columns.values())), columns, "score")
    assert found == factors(Contributions.of(list(columns), amounts), frame.fill_nan(None), columns, "score")
    assert [[each["column"][-1] for each in row] for row in found] == [list("dcba"), list("acd"), list("dbc")]
    for row, said in enumerate(found):
        for each in said:
            words = NUMBERS[each["column"]][1][row]
            assert f": {words}. This {each['direction']} the score." in each["sentence"]
    assert len(tell.signatures) == 1, "compiled once, for whatever comes"


def test_what_json_or_a_template_would_read_otherwise_is_said_as_it_is() -> None:
    """Quotes, commas, and per cent in descriptions, units and values."""
    said = from_json(Phrase(column("x", "%", 'The "share", 5 %s or %d.'), "score").of('a "b" 5 %s', 1.0, b"1.0"))
    assert said["sentence"] == 'The "share", 5 %s or %d: a "b" 5 %s %. This raises the score.'
    columns = {"person__x": column("x", "%", 'The "share", of all')}
    table = tabled(pl.DataFrame({"person__x": [7.0]}), list(columns.values()))
    assert factors(added({"person__x": 1.0}), table, columns, "score")[0][0]["sentence"] == (
        'The "share", of all: 7 %. This raises the score.'
    )


def test_a_column_that_is_1_where_something_holds_says_so_by_yes_or_no() -> None:
    columns = {"person__x": column("x", text="1 where the person leads; 0 where not.")}
    sentences = {
        1.0: "The person leads: yes.",
        0.0: "The person leads: no.",
        None: "1 where the person leads: not known.",
    }
    for value, sentence in sentences.items():
        frame = pl.DataFrame({"person__x": [value]}, schema={"person__x": pl.Float64})
        for features in (frame, tabled(frame, list(columns.values()))):
            said = factors(added({"person__x": 1.0}), features, columns, "score")[0][0]
            assert (said["value"], said["sentence"]) == (value, f"{sentence} This raises the score.")


def test_a_part_of_a_model_that_is_no_column_has_no_value() -> None:
    said = factors(added({"trend_of_all": -1.0}), pl.DataFrame({"person__a": [1.0]}), {}, "demand")[0][0]
    assert (said["column"], said["value"], said["sentence"]) == (
        "trend_of_all", None, "The trend of all. This lowers the demand.",
    )  # fmt: skip


def test_a_contribution_that_is_no_number_is_an_error() -> None:
    with pytest.raises(DataError, match="not finite"):
        factors(added({"person__a": float("nan")}), pl.DataFrame({"person__a": [1.0]}), declared("a"), "score")


def test_the_explanation_names_output_scale_and_expected_value() -> None:
    said = explanation(added({"person__a": 0.1}, expected=0.25), "hours", "log hours")
    assert said == {"output": "hours", "scale": "log hours", "expected": 0.25}
