"""What goes to the scribe arrives as what the log would have held without it, bit for bit."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pyarrow as pa
import pytest
from pydantic_core import to_json

from feature_repo.column import Column
from feature_repo.index import write_batch
from feature_repo.lists import Opened
from feature_repo.names import Names
from feature_repo.platform.tables.types import written
from feature_repo.table import Stored, Table
from monitoring.packed import unpacked
from monitoring.prediction_log import Record, _row
from serving.answering.messages import MOST_FORMS, Decoder, Encoder
from serving.versions.arms import Arm
from tests.serving.records import AT, record

NAN = float("nan")
VERSION = "v1"
SKILLS = pa.array([["go", None], None, [], ["sql"]], pa.large_list(pa.large_string()))
GIVEN = pl.Series("v__text", ["new", None, "low"])
LIKE: dict[str, Callable[[Table], Table]] = {
    "all rows": lambda table: table,
    "one row": lambda table: table.rows([1]),
    "no rows": lambda table: table.rows([]),
    "an unknown id": lambda table: with_other(table, "person_id", ["P1", None, "P3"]),
    "an id that holds what is put between ids": lambda table: with_other(table, "person_id", ["P1\0", "", "P3"]),
    "an id that all rows share": lambda table: with_other(table, "task_id", ["T1"] * 3),
    "such an id that holds what is put between ids": lambda table: with_other(table, "task_id", ["T\0001"] * 3),
    "an id that no row has": lambda table: with_other(table, "task_id", [None] * 3),
    "one id": lambda table: with_other(table.rows([0]), "person_id", [""]),
    "a given text in the place of codes": lambda table: with_other(
        table, "v__text", pl.Series("v__text", ["new", None, "low"])
    ),
    "an option": lambda table: with_other(table, "horizon", pl.Series("horizon", [0.1, 0.1, 0.1])),
    "no numbers": lambda table: replace(table, columns=["person_id", "v__text"]),
    "texts that are in no file": lambda table: replace(table, names={"v__text": Names.of(pl.Series(["low", "high"]))}),
}


def column(name: str, dtype: object) -> Column:
    return Column(name=name, dtype=dtype, view="v", function=lambda: None)  # type: ignore[arg-type]


def with_other(table: Table, name: str, values: Any) -> Table:
    columns = list(table.columns) + [name] * (name not in table.columns)
    return replace(table, columns=columns, others={**table.others, name: values})


@pytest.fixture
def online(tmp_path: Path) -> Path:
    """A folder of snapshots with one in it: texts of v__text, and lists of the view v."""
    (tmp_path / VERSION / "names").mkdir(parents=True)
    Names.of(pl.Series(["low", "high"])).write(tmp_path / VERSION / "names" / "v__text.arrow")
    write_batch(tmp_path / VERSION / "v.arrow", pa.RecordBatch.from_arrays([SKILLS], ["skills"]))
    return tmp_path


@pytest.fixture
def table(online: Path) -> Table:
    """Numbers, texts by their codes, ids and lists; and a column that is not asked for."""
    names = {"v__text": Names.mapped(online / VERSION / "names" / "v__text.arrow")}
    kinds = {"n": int, "x": float, "is": bool, "text": str, "skills": list[str], "unasked": float}
    declared = {each.qualified: each for each in (column(name, dtype) for name, dtype in kinds.items())}
    slots = {name: place for place, name in enumerate(["v__n", "v__unasked", "v__x", "v__text", "v__is"])}
    numbers = np.array([[2**53, NAN, -1], [7, 7, 7], [-0.0, NAN, 5e-324], [1, NAN, 0], [1, NAN, 0]])
    others = {"person_id": ["P1", "P2", "ü😀"], "v__skills": pl.Series("v__skills", SKILLS.take(pa.array([3, 0, 1])))}
    columns = ["person_id", "v__x", "v__text", "v__skills", "v__is", "v__n"]
    return Table(declared, columns, slots, numbers, others, names)


class Line:
    """Both ends."""

    def __init__(self, online: Path) -> None:
        self.encoder, self.decoder = Encoder(), Decoder(online)

    def passed(self, record: Record) -> Record:
        return self.decoder.record(memoryview(b"".join(self.encoder.message(record))))


@pytest.mark.parametrize("like", LIKE)
def test_a_table_arrives_as_the_log_would_hold_it(online: Path, table: Table, like: str) -> None:
    features = LIKE[like](table)
    sent = replace(record(1), features=features)
    arrived = Line(online).passed(sent)
    assert _row(arrived) == _row(sent)
    assert unpacked(_row(arrived)["features"]).equals(features.frame)


def test_what_lies_in_the_snapshot_goes_by_its_places_and_arrives_whole(online: Path, table: Table) -> None:
    by_place = Stored("v", "skills", Opened(SKILLS), np.array([3, 0, 1]))
    arrived = Line(online).passed(replace(record(1), features=with_other(table, "v__skills", by_place)))
    assert _row(arrived) == _row(replace(record(1), features=table))


def test_a_snapshot_that_was_written_of_may_be_deleted(online: Path, table: Table) -> None:
    line, sent = Line(online), replace(record(1), features=table)
    first = line.passed(sent)
    (online / VERSION / "names" / "v__text.arrow").unlink()
    assert _row(line.passed(sent)) == _row(first)


def test_tables_of_one_form_share_what_says_how_they_look_and_others_do_not(table: Table) -> None:
    encoder = Encoder()
    tables = [table, table.rows([0]), with_other(table, "person_id", ["a", "b", "c"]), replace(table, columns=["v__x"])]
    forms = [encoder.rows(each).form for each in tables]
    assert forms[0] is forms[1] is forms[2] != forms[3]


def test_more_forms_than_are_kept_all_arrive(online: Path, table: Table) -> None:
    line = Line(online)
    for number in [*range(MOST_FORMS + 5), 0, 1]:
        sent = replace(record(1), features=with_other(table, f"given:{number}", pl.Series([number] * 3)))
        assert _row(line.passed(sent)) == _row(sent)


@pytest.mark.parametrize("features", [None, pl.DataFrame({"person_id": ["P1"], "pair__x": [0.5]})])
def test_what_is_no_table_arrives_too(online: Path, features: pl.DataFrame | None) -> None:
    sent = replace(record(1), features=features)
    assert _row(Line(online).passed(sent)) == _row(sent)


@pytest.mark.parametrize("zone", [UTC, timezone(timedelta(hours=5))])
def test_instants_arrive_to_the_microsecond_and_with_their_zone(online: Path, zone: timezone) -> None:
    at = datetime(2026, 3, 1, 1, 2, 3, 456789, zone)
    arrived = Line(online).passed(replace(record(1), as_of=None, predicted_at=at))
    assert (arrived.as_of, arrived.predicted_at, arrived.predicted_at.utcoffset()) == (None, at, at.utcoffset())


def test_json_as_it_was_sent_is_logged_as_what_it_says_without_factors(online: Path) -> None:
    rows = [{"person_id": "Pü", "score": 0.1, "factors": [{"column": "x"}]}, {"person_id": "P2", "score": None}]
    said = {"as_of": record(1).as_of, "explanation": {"scale": "score"}, "candidates": rows}
    plain = {**said, "candidates": [{"person_id": "Pü", "score": 0.1}, {"person_id": "P2", "score": None}]}
    sent = replace(record(1), request=to_json({"task_id": "Tü"}), answer=to_json(said))
    assert _row(Line(online).passed(sent)) == _row(replace(record(1), request={"task_id": "Tü"}, answer=plain))
    assert '"as_of":"2026-01-01T00:00:00+00:00"' in _row(sent)["answer"]


@pytest.mark.parametrize("name", ["P1", "Pü", 'P","explanation":{'])
@pytest.mark.parametrize("at", [None, AT, AT.replace(microsecond=120_000)])
@pytest.mark.parametrize(("explanation", "factors"), [(None, {"factors": None}), ({"scale": "score"}, {})])
def test_an_answer_that_explains_nothing_or_comes_without_factors_is_logged_as_it_would_be_written(
    online: Path, name: str, at: datetime | None, explanation: Any, factors: dict[str, None]
) -> None:
    rows = [{"person_id": name, "score": 0.1 + 0.2, **factors}]
    said = {"reason": "\x7f", "as_of": at, "explanation": explanation, "candidates": rows}
    sent = replace(record(1), as_of=at, answer=to_json(said, inf_nan_mode="null"))
    assert _row(Line(online).passed(sent))["answer"] == written(said)


def test_an_arm_arrives_as_its_text(online: Path) -> None:
    assert Line(online).passed(replace(record(1), arm=Arm.CHALLENGER)).arm == "challenger"


def test_half_of_a_surrogate_pair_is_logged_as_it_was_asked(online: Path) -> None:
    sent = replace(record(1), request={"task_id": "\ud83d"})
    assert _row(Line(online).passed(sent))["request"] == '{"task_id": "\\ud83d"}'


@pytest.mark.parametrize(
    ("asked", "logged"),
    [
        (b'{"task_id": "T\\u0036",\n "limit":3}', '{"task_id": "T\\u0036",\n "limit":3}'),
        ('{"task_id":"ü"}'.encode(), '{"task_id":"\\u00fc"}'),
        (b'{"hours":NaN,"most":-Infinity}', '{"hours":null,"most":null}'),
    ],
)
def test_a_request_is_logged_as_it_was_asked_where_every_database_reads_that(
    online: Path, asked: bytes, logged: str
) -> None:
    assert _row(Line(online).passed(replace(record(1), request=asked)))["request"] == logged


def test_times_are_utc_where_they_were(online: Path) -> None:
    assert Line(online).passed(record(1)).predicted_at == datetime(2026, 1, 1, tzinfo=UTC)
