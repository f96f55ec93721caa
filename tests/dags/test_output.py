"""Answers as JSON that any parser reads."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from dags.output import plain, strict_json, text


@dataclass(frozen=True)
class Point:
    x: float
    at: datetime


@pytest.mark.parametrize(
    ("found", "written"),
    [
        (float("nan"), None),
        (float("-inf"), None),
        (np.float64("nan"), None),
        (np.float32(0.5), 0.5),
        (np.int64(3), 3),
        (np.bool_(True), True),
        (np.array([1.0, np.inf]), [1.0, None]),
        ({"a": {1}}, {"a": [1]}),
        ((1, 2), [1, 2]),
        (True, True),
        (timedelta(minutes=2), 120.0),
        (Path("a/b"), "a/b"),
        (SecretStr("hidden"), "**********"),
        (Point(float("inf"), datetime(2013, 1, 1, tzinfo=UTC)), {"x": None, "at": "2013-01-01T00:00:00+00:00"}),
    ],
)
def test_each_kind_of_value_has_one_json_form(found: object, written: object) -> None:
    assert plain(found) == written
    assert json.loads(strict_json({"value": found})) == {"value": written}


LEAVES = st.none() | st.booleans() | st.integers() | st.floats() | st.text()
TREES = st.recursive(LEAVES, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=20)


@given(TREES)
def test_whatever_is_answered_is_strict_json_on_one_line(found: object) -> None:
    def refused(constant: str) -> None:
        raise AssertionError(constant)

    line = strict_json(found)
    json.loads(line, parse_constant=refused)
    assert "\n" not in line


def test_cells_are_short() -> None:
    assert [text(value) for value in (0.123456, None, "", "x", [1, 2], [])] == ["0.1235", "-", "-", "x", "1, 2", "-"]
