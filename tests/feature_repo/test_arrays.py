"""Values become columns: what fits is typed, what does not comes as text, nothing is lost."""

from datetime import UTC, datetime
from typing import Any

import pyarrow as pa
import pytest
from bson.datetime_ms import DatetimeMS

from feature_repo.sources.arrays import from_objects, from_text

TIME = pa.timestamp("us", tz="UTC")
NOON = datetime(2024, 1, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("values", "kind", "found"),
    [
        ([1.5, 2, None], pa.float64(), [1.5, 2.0, None]),
        ([3.0, 2], pa.int64(), [3, 2]),
        ([float("inf"), float("-inf")], pa.float64(), [float("inf"), float("-inf")]),
        ([NOON, None], TIME, [NOON, None]),
        (["🦉", "a\x00b", None], pa.string(), ["🦉", "a\x00b", None]),
        ([None, None], pa.bool_(), [None, None]),
    ],
)
def test_objects_that_fit_are_typed(values: list[Any], kind: pa.DataType, found: list[Any]) -> None:
    array = from_objects(values, kind)
    assert (array.type, array.to_pylist()) == (kind, found)


@pytest.mark.parametrize(
    ("values", "kind", "found"),
    [
        ([3.5, 2], pa.int64(), ["3.5", "2"]),
        ([float("nan"), 2], pa.int64(), ["nan", "2"]),
        ([1, "two", None], pa.float64(), ["1", "two", None]),
        ([2**70], pa.int64(), [str(2**70)]),
        (["\ud800"], pa.string(), ["\ufffd"]),
        (["a", 7], pa.string(), ["a", "7"]),
        ([True, 2], pa.bool_(), ["True", "2"]),
        ([NOON, "noon"], TIME, ["2024-01-01T12:00:00+00:00", "noon"]),
        ([DatetimeMS(2**53)], TIME, [str(DatetimeMS(2**53))]),
    ],
)
def test_objects_that_do_not_fit_come_as_text(values: list[Any], kind: pa.DataType, found: list[Any]) -> None:
    array = from_objects(values, kind)
    assert (array.type, array.to_pylist()) == (pa.string(), found)


@pytest.mark.parametrize(
    ("word", "found"),
    [
        ("2024-01-01T12:00:00Z", NOON),
        ("2024-01-01T14:00:00+02:00[Europe/Berlin]", NOON),
        ("2024-01-01T12:00:00.123456789Z", NOON.replace(microsecond=123_456)),
        ("2024-01-01 12:00:00", NOON),
        ("2024-01-01", NOON.replace(hour=0)),
    ],
)
def test_times_are_read_as_utc(word: str, found: datetime) -> None:
    assert from_text([word], TIME).to_pylist() == [found]


def test_bytes_that_are_not_utf_8_come_with_a_replacement_that_the_check_refuses() -> None:
    assert from_text([b"caf\xe9", b"ok"], pa.string()).to_pylist() == ["caf\ufffd", "ok"]
