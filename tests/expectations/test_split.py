"""Which rows are refused and why: by hand, and against a plain loop over generated rows."""

import math
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from expectations.split import Split, split_rows, unfit
from expectations.types import TYPES
from feature_repo.column import Field
from feature_repo.errors import DataError

NEW_YEAR = datetime(2013, 1, 1, tzinfo=UTC)
ID = Field(name="id", dtype=str)


def one(field: Field, *values: Any, kind: Any = None, **options: Any) -> Split:
    """The split of a frame with a key and this field; kind: the polars type that the source gave."""
    column = pl.Series(field.name, values, dtype=kind or TYPES[field.dtype], strict=False)
    frame = pl.DataFrame({"id": [str(number) for number in range(len(values))]}).with_columns(column)
    return split_rows(frame, (ID, field), ("id",), **options)


HOURS = Field(name="hours", dtype=float, unit="h", minimum=0, maximum=80)


@pytest.mark.parametrize(
    ("field", "value", "reason"),
    [
        (HOURS, None, "hours: null h, allowed no nulls"),
        (HOURS, math.nan, "hours: NaN h, allowed finite numbers"),
        (HOURS, -math.inf, "hours: -inf h, allowed finite numbers"),
        (HOURS, -0.5, "hours: -0.5 h, allowed 0 to 80 h"),
        (HOURS, 80.5, "hours: 80.5 h, allowed 0 to 80 h"),
        (Field(name="level", dtype=int, minimum=1), 0, "level: 0, allowed 1 or more"),
        (Field(name="rank", dtype=str, allowed=("LOW", "HIGH")), "low", "rank: low, allowed LOW, HIGH"),
        (Field(name="title", dtype=str), "a\x00b", "title: a\\0b, allowed text without NUL and unpaired surrogates"),
        (Field(name="title", dtype=str), "a\ufffd", "title: a\ufffd, allowed text without NUL and unpaired surrogates"),
        (Field(name="at", dtype=datetime), NEW_YEAR.replace(year=1970), "at: 1970-01-01 00:00:00"),
        (Field(name="at", dtype=datetime), NEW_YEAR.replace(year=2100), "at: 2100-01-01 00:00:00"),
        (Field(name="skills", dtype=list[str]), ["sql", None], "skills: sql, None, allowed no null items"),
        (Field(name="skills", dtype=list[str]), ["s\x00"], "skills: s\\0, allowed text without NUL"),
        (Field(name="levels", dtype=list[float], maximum=5), [1.0, 6.0], "levels: 1.0, 6.0, allowed 5 or less"),
        (Field(name="levels", dtype=list[float]), [math.nan], "levels: nan, allowed finite numbers"),
    ],
)
def test_a_bad_value_is_rejected_with_the_field_what_was_found_and_what_is_allowed(field, value, reason):
    split = one(field, value)
    assert split.accepted.height == 0
    assert split.rejected["reason"].item().startswith(reason)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        (HOURS, 0.0),
        (HOURS, 80.0),
        (Field(name="hours", dtype=float, nulls=0.1), None),
        (Field(name="title", dtype=str), "\U0001f680 launch \U0001f469\u200d\U0001f4bb"),
        (Field(name="title", dtype=str), "\u05e9\u05dc\u05d5\u05dd \u202eabc\u202c"),
        (Field(name="title", dtype=str), ""),
        (Field(name="at", dtype=datetime), NEW_YEAR.replace(year=1990)),
        (Field(name="skills", dtype=list[str]), []),
    ],
)
def test_a_good_value_is_accepted_as_it_is(field, value):
    split = one(field, value)
    assert split.rejected.height == 0
    found = split.accepted[field.name].to_list()
    assert found == [value]


@pytest.mark.parametrize(
    ("dtype", "texts", "values"),
    [
        (float, ["1", " 2.5 ", "x", "1e999", "nan"], [1.0, 2.5]),
        (int, ["7", "3.0", "9007199254740993", "3.5", "99999999999999999999"], [7, 3, 9007199254740993]),
        (bool, ["true", "0", "maybe"], [True, False]),
        (
            datetime,
            ["2013-01-01", "2013-01-01 00:00:00.000000Z", "2013-01-01T01:00:00+01:00", "2013-13-01", "soon"],
            [NEW_YEAR] * 3,
        ),
    ],
)
def test_text_is_read_as_the_declared_type_where_it_can_be(dtype, texts, values):
    split = one(Field(name="value", dtype=dtype), *texts, kind=pl.String)
    assert split.accepted["value"].to_list() == values
    assert split.accepted.schema["value"] == TYPES[dtype]
    assert split.rejected["value"].to_list() == texts[len(values) :]


def test_times_without_a_zone_are_utc():
    split = one(Field(name="at", dtype=datetime), NEW_YEAR.replace(tzinfo=None), kind=pl.Datetime("ms"))
    assert split.accepted["at"].to_list() == [NEW_YEAR]


def test_a_row_cannot_be_recorded_after_it_was_read_but_for_clocks_that_differ():
    recorded = Field(name="recorded_at", dtype=datetime)
    times = [NEW_YEAR, NEW_YEAR + timedelta(minutes=10), NEW_YEAR + timedelta(minutes=11)]
    split = one(recorded, *times, known_by=NEW_YEAR)
    assert split.accepted["recorded_at"].to_list() == times[:2]
    assert split.counts == {"recorded_at: in the future": 1}


def test_every_broken_rule_is_named_and_the_first_one_counts():
    frame = pl.DataFrame({"id": [None], "hours": [-1.0], "extra": ["kept"]}, schema_overrides={"id": pl.String})
    split = split_rows(frame, (ID, HOURS), ("id",))
    row = split.rejected.row(0, named=True)
    assert row["rule"] == "id: null"
    assert row["reasons"] == ["id: null, allowed no nulls", "hours: -1.0 h, allowed 0 to 80 h"]
    assert row["extra"] == "kept"
    assert split.counts == {"id: null": 1}


def test_of_rows_with_one_key_the_same_one_stays_whatever_their_order():
    rows = [("a", None), ("a", 3.0), ("b", 1.0), ("a", 2.0), ("b", 1.0)]
    for order in (rows, rows[::-1], rows[2:] + rows[:2]):
        frame = pl.DataFrame(order, schema={"id": pl.String, "hours": pl.Float64}, orient="row")
        split = split_rows(frame, (ID, Field(name="hours", dtype=float, nulls=1)), ("id",))
        assert set(split.accepted.rows()) == {("a", 2.0), ("b", 1.0)}
        assert split.counts == {"id: duplicate": 3}
        assert "id: a is there already, allowed one row of each" in split.rejected["reason"].to_list()


def test_a_bad_row_does_not_drive_out_a_good_one_with_its_key():
    frame = pl.DataFrame({"id": ["a", "a"], "hours": [-1.0, 1.0]})
    split = split_rows(frame, (ID, HOURS), ("id",))
    assert split.accepted.rows() == [("a", 1.0)]
    assert split.counts == {"hours: below minimum": 1}


def test_a_frame_without_rows_is_split_into_nothing():
    split = split_rows(pl.DataFrame(schema={"id": pl.Null, "hours": pl.Null}), (ID, HOURS), ("id",))
    assert (split.extracted, split.counts) == (0, {})
    assert dict(split.accepted.schema) == {"id": pl.String, "hours": pl.Float64}


def test_a_missing_column_is_named():
    with pytest.raises(DataError, match="column hours: missing, found id"):
        split_rows(pl.DataFrame({"id": ["a"]}), (ID, HOURS), ("id",))


def test_a_column_that_was_dropped_or_retyped_is_unfit():
    texts = pl.DataFrame({"id": [str(number) for number in range(12)], "hours": ["short"] * 12})
    assert unfit(texts, (ID, HOURS)) == ["column hours is String, such as 'short', allowed: a float"]
    assert unfit(texts.drop("hours"), (ID, HOURS)) == ["column hours is missing, allowed: a float"]
    assert unfit(texts.with_columns(hours=pl.lit("2.5")), (ID, HOURS)) == []
    few = texts.head(9)  # so few bad values may be bad rows
    assert unfit(few, (ID, HOURS)) == []


# --- Against a plain loop

FIELDS = (
    ID,
    Field(name="hours", dtype=float, minimum=0, maximum=10, nulls=0.5),
    Field(name="level", dtype=int, minimum=1, maximum=5),
    Field(name="rank", dtype=str, allowed=("LOW", "HIGH"), nulls=1),
    Field(name="skills", dtype=list[str], nulls=1),
    Field(name="at", dtype=datetime),
)
VALUES: dict[str, st.SearchStrategy[Any]] = {
    "id": st.sampled_from([None, "a", "b", "\U0001f600", "\u05d0", "x\x00", "\ufffd"]),
    "hours": st.none() | st.floats(-1, 11) | st.sampled_from([math.nan, math.inf, 0.0, 10.0]),
    "level": st.none() | st.integers(0, 6),
    "rank": st.sampled_from([None, "LOW", "HIGH", "low", ""]),
    "skills": st.none() | st.lists(st.sampled_from(["sql", "", "n\x00", None]), max_size=3),
    "at": st.none() | st.datetimes(datetime(1985, 1, 1), datetime(2105, 1, 1)).map(lambda at: at.replace(tzinfo=UTC)),
}
ROWS = st.lists(st.fixed_dictionaries(VALUES), max_size=12)


def is_valid(field: Field, value: Any) -> bool:
    """The declaration, spelled out."""
    if value is None:
        return field.nulls > 0
    if isinstance(value, list):
        return all(item is not None and "\x00" not in item for item in value)
    if isinstance(value, datetime):
        return 1990 <= value.year < 2100
    if isinstance(value, str):
        return not set(value) & {"\x00", "\ufffd"} and (not field.allowed or value in field.allowed)
    return math.isfinite(value) and field.minimum <= value <= field.maximum


@settings(max_examples=150, deadline=None)
@given(ROWS, st.randoms(use_true_random=False))
def test_generated_rows_are_split_as_a_plain_loop_would(rows, shuffler):
    frame = pl.DataFrame(rows, schema={field.name: TYPES[field.dtype] for field in FIELDS})
    split = split_rows(frame, FIELDS, ("id",))
    valid = [row for row in rows if all(is_valid(field, row[field.name]) for field in FIELDS)]

    assert split.accepted.height + split.rejected.height == len(rows)
    assert sum(split.counts.values()) == split.rejected.height
    assert {row["id"] for row in valid} == set(split.accepted["id"])
    assert split.accepted["id"].is_unique().all()
    assert all(row in valid for row in split.accepted.iter_rows(named=True))
    assert all(row["reasons"] and row["reason"] in row["reasons"] for row in split.rejected.iter_rows(named=True))

    shuffler.shuffle(rows)
    again = split_rows(pl.DataFrame(rows, schema=frame.schema), FIELDS, ("id",))
    assert again.accepted.sort("id").equals(split.accepted.sort("id"))
    assert again.counts == split.counts


@settings(max_examples=100, deadline=None)
@given(ROWS)
def test_what_was_accepted_is_accepted_again_unchanged(rows):
    frame = pl.DataFrame(rows, schema={field.name: TYPES[field.dtype] for field in FIELDS})
    accepted = split_rows(frame, FIELDS, ("id",)).accepted
    assert split_rows(accepted, FIELDS, ("id",)).accepted.equals(accepted)


@settings(max_examples=100, deadline=None)
@given(st.lists(st.none() | st.text(max_size=8), max_size=8))
def test_no_text_is_lost_or_raises_whatever_was_declared(texts):
    for dtype in (str, int, float, bool, datetime):
        split = one(Field(name="value", dtype=dtype, nulls=1), *texts, kind=pl.String)
        assert split.extracted == len(texts)


def test_entries_of_a_list_may_be_missing_only_where_the_field_says_so() -> None:
    values = Field(name="values", dtype=list[float], description="")
    frame = pl.DataFrame({"task_id": ["a", "b"], "values": [[1.0, None], [2.0, 3.0]]})
    fields = (Field(name="task_id", dtype=str, description=""),)
    strict = split_rows(frame, (*fields, values), ("task_id",))
    lenient = split_rows(frame, (*fields, replace(values, item_nulls=True)), ("task_id",))
    assert (strict.accepted["task_id"].to_list(), lenient.accepted["task_id"].to_list()) == (["b"], ["a", "b"])
