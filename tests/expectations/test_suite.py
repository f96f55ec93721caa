"""Suites say what declarations say, and Great Expectations finds what breaks them."""

import json
from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest

from expectations import docs
from expectations.suite import Declaration, Present, of_stream, of_view, suite
from expectations.types import TYPES
from feature_repo.column import Field
from feature_repo.features import VIEWS
from feature_repo.sources.streams import STREAMS

NEW_YEAR = datetime(2013, 1, 1, tzinfo=UTC)
WHOLE = Present()
THINGS = Declaration(
    kind="stream",
    name="things",
    fields=(
        Field(name="id", dtype=str),
        Field(name="at", dtype=datetime),
        Field(name="hours", dtype=float, unit="h", minimum=0, maximum=80, nulls=0.25),
        Field(name="level", dtype=int, minimum=1, nulls=1),
        Field(name="is_open", dtype=bool, nulls=1),
        Field(name="rank", dtype=str, allowed=("LOW", "HIGH"), nulls=1),
        Field(name="skills", dtype=list[str], nulls=1),
        Field(name="levels", dtype=list[float], nulls=1),
    ),
    key=("id", "at"),
)
GOOD = {
    "id": ["a", "b", "c", "\u05d0"],
    "at": [NEW_YEAR] * 4,
    "hours": [0.0, 80.0, 8.0, None],
    "level": [1, None, 3, 2],
    "is_open": [True, None, False, True],
    "rank": ["LOW", "HIGH", None, "LOW"],
    "skills": [["sql"], [], None, ["a", "b"]],
    "levels": [[1.0], [], None, [1.0, 2.0]],
}


def things(**changed: object) -> pl.DataFrame:
    return pl.DataFrame({**GOOD, **changed}, schema={field.name: TYPES[field.dtype] for field in THINGS.fields})


def validated(folder: Path, frame: pl.DataFrame, present: Present = WHOLE) -> docs.Outcome:
    """What Great Expectations says of a file with these rows."""
    path = folder / THINGS.file
    path.parent.mkdir(parents=True, exist_ok=True)
    frame.write_parquet(path)
    return docs.validate({THINGS: present}, folder, folder / "docs", "20130101T000000.000000Z")[THINGS]


def test_rows_that_keep_their_declaration_meet_every_expectation(tmp_path: Path):
    outcome = validated(tmp_path, things())
    assert outcome.failed == ()
    # 3 of the table; 8 types, 3 of nulls, 1 set, 2 + 2 + 1 extremes
    assert outcome.evaluated == 20


@pytest.mark.parametrize(
    ("frame", "sentence"),
    [
        (things().clear(), "expected table row count to be between (min_value 1), found 0"),
        (things().drop("rank"), "expected table columns to match ordered list"),
        (things(id=["a", "a", "b", "c"]), "expected compound columns to be unique"),
        (things(id=[None, "b", "c", "d"]), "id: expected column values to not be null"),
        (
            things(hours=[0.0, 8.0, None, None]),
            "hours: expected column values to not be null (mostly 0.75), found 50%",
        ),
        (things(hours=[-1.0, 8.0, 8.0, None]), "hours: expected column min to be between (min_value 0.0), found -1"),
        (things(hours=[81.0, 8.0, 8.0, None]), "hours: expected column max to be between (max_value 80.0), found 81"),
        (things(rank=["low", None, None, None]), "rank: expected column values to be in set"),
        (things(at=[NEW_YEAR.replace(year=1970)] * 4), "at: expected column min to be between (min_value 1990-01-01"),
        (
            things().with_columns(level=pl.lit(1.5)),
            "level: expected column values to be of type (type_ int), found float",
        ),
        (things().with_columns(at=pl.lit("x")), "at: expected column values to be of type (type_ datetime), found str"),
        (
            things().with_columns(skills=pl.lit("x")),
            "skills: expected column values to be of type (type_ list), found str",
        ),
    ],
)
def test_what_breaks_the_declaration_is_found_and_said_in_a_sentence(
    tmp_path: Path, frame: pl.DataFrame, sentence: str
):
    assert any(found.startswith(sentence) for found in validated(tmp_path, frame).failed)


def test_a_column_that_is_not_there_is_said_in_one_line_each(tmp_path: Path):
    failed = validated(tmp_path, things().drop("rank")).failed
    assert any('column "rank" in BatchData does not exist' in sentence for sentence in failed)
    assert not any("Traceback" in sentence or "\n" in sentence for sentence in failed)


def test_nothing_is_expected_of_what_a_source_does_not_have(tmp_path: Path):
    nothing = Present(least_rows=0, blank=frozenset(GOOD))
    assert validated(tmp_path, things().clear(), nothing).failed == ()


@pytest.mark.parametrize(
    "declared",
    [*map(of_stream, STREAMS), *(of_view(view) for view in VIEWS if view.rows is not None)],
    ids=lambda declared: declared.title,
)
def test_every_stream_and_view_has_a_suite_of_its_own_fields(declared: Declaration):
    derived = json.loads(json.dumps(suite(declared).to_json_dict(), allow_nan=False))
    named = {each["kwargs"]["column"] for each in derived["expectations"] if "column" in each["kwargs"]}
    assert derived["name"] == f"{declared.kind}_{declared.name}"
    assert named == {field.name for field in declared.fields}


def test_a_views_suite_holds_keys_times_and_columns():
    view = VIEWS[0]
    fields = [field.name for field in of_view(view).fields]
    assert fields == [*view.keys, "event_timestamp", "created_timestamp", *(column.name for column in view.columns)]


def test_old_runs_leave_the_docs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(docs, "RUNS_KEPT", 2)
    (tmp_path / "streams").mkdir()
    things().write_parquet(tmp_path / THINGS.file)
    for day in range(1, 5):
        docs.validate({THINGS: WHOLE}, tmp_path, tmp_path / "docs", f"2013010{day}T000000.000000Z")
    for folder in ("results", "site/validations"):
        found = {path.name[:8] for path in (tmp_path / "docs" / folder).glob("*/*")}
        assert found == {"20130103", "20130104"}
