"""Rows as JSON: what is written column by column is what a dict of each row would have been."""

import json
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from pydantic_core import to_json

from serving.answering.columns import BETWEEN, NULL, Lines, lines, nested, numbers, objects, texts

AWKWARD = [
    '"',
    "\\",
    '","',
    '"},{"',
    "a\nb",
    "\r\n,\n",
    ",",
    "",
    "%s %b %%",
    "é \u2028 \U0001f600",
    "\x00\x1f\x7f",
    "null",
]
NUMBERS = [0.0, -0.0, 1.0, 0.1, 1 / 3, 1e16, 1e-7, 5e-324, 1.7976931348623157e308, -2.5]


@dataclass(frozen=True)
class Impact:
    """What an extra may say."""

    before: float
    skills: list[str]


def parted(found: Lines) -> list[bytes]:
    """Each value, and that there are as many as it says."""
    each = found.said.split(BETWEEN)
    assert len(each) == found.height
    return each


def test_texts_come_back_whatever_they_hold() -> None:
    assert [json.loads(each) for each in parted(texts([*AWKWARD, None]))] == [*AWKWARD, None]


@pytest.mark.parametrize("text", AWKWARD)
def test_a_text_alone_is_parted_nowhere(text: str) -> None:
    assert texts([text]) == Lines(to_json(text), 1)


def test_numbers_are_written_row_by_row_as_one_by_one() -> None:
    rows = [each for number in NUMBERS for each in (to_json(number), b"0.0")]
    assert numbers([np.array(NUMBERS), np.zeros(10)], 10) == BETWEEN.join(rows)


def test_what_is_not_finite_is_null() -> None:
    assert numbers([np.array([np.nan, 1.0, np.inf, -np.inf])], 4).split(BETWEEN) == [NULL, b"1.0", NULL, NULL]


def test_lists_mappings_and_dataclasses_are_values_too() -> None:
    said = parted(nested([[1, "a,b"], {"x": None}, Impact(float("nan"), ["go"]), None]))
    assert [json.loads(each) for each in said] == [[1, "a,b"], {"x": None}, {"before": None, "skills": ["go"]}, None]


# columns, count -> rows
ROWS: list[tuple[dict[str, Any], int, list[dict[str, Any]]]] = [
    ({"id": texts(["a", "b"]), "score": np.array([0.5, np.nan])}, 2,
     [{"id": "a", "score": 0.5}, {"id": "b", "score": None}]),
    ({"id": texts(["a", "b"]), "factors": NULL}, 2, [{"id": "a", "factors": None}, {"id": "b", "factors": None}]),
    ({"factors": NULL}, 2, [{"factors": None}] * 2),
    ({"score": np.array([0.5, 1.0]), "id": texts(["a", "b"]), "hours": np.array([2.0, 3.0])}, 2,
     [{"score": 0.5, "id": "a", "hours": 2.0}, {"score": 1.0, "id": "b", "hours": 3.0}]),
    ({"of 100 %": to_json("50 %b"), "id": texts(["%"])}, 1, [{"of 100 %": "50 %b", "id": "%"}]),
    ({"id": texts([]), "score": np.zeros(0), "factors": NULL}, 0, []),
]  # fmt: skip


@pytest.mark.parametrize(("columns", "count", "rows"), ROWS)
def test_rows_by_hand(columns: dict[str, Any], count: int, rows: list[dict[str, Any]]) -> None:
    assert json.loads(b"[%b]" % objects(columns, count)) == rows


def test_many_rows_are_to_the_byte_what_a_dict_of_each_is() -> None:
    random = np.random.default_rng(1)
    names, scores = [f"{AWKWARD[n % len(AWKWARD)]}{n}" for n in range(200)], random.normal(size=200)
    dicts = [{"id": name, "score": score, "x": {}} for name, score in zip(names, scores.tolist(), strict=True)]
    assert b"[%b]" % objects({"id": texts(names), "score": scores, "x": b"{}"}, 200) == to_json(dicts)


@pytest.mark.parametrize(
    "columns",
    [
        {"id": texts(["a", "b"]), "score": np.zeros(1)},
        {"id": texts(["a"]), "score": np.zeros(2)},
        {"id": texts(["a"]), "of": lines([b"1", b"2"])},
        {"score": np.zeros(2), "level": np.zeros(3)},
    ],
)
def test_columns_of_other_lengths_are_refused(columns: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"allowed: 2|inhomogeneous"):
        objects(columns, 2)
