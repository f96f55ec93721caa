"""What a request's features are packed into comes back bit for bit."""

import io
import json
from datetime import UTC, datetime

import numpy as np
import polars as pl
import pyarrow as pa
import pytest

from feature_repo.column import Column
from feature_repo.lists import Opened
from feature_repo.names import Names
from feature_repo.table import Stored, Table
from monitoring.packed import MARK, Form, packed, packed_as, unpacked
from monitoring.parity import different

NAN = float("nan")
FRAME = pl.DataFrame(
    {
        "x": [0.1, -0.0, None, NAN, 5e-324],
        "n": [1, -(2**63), 2**63 - 1, None, 0],
        "is": [True, None, False, True, None],
        "s": ["a", "", None, "ü\x00", "😀"],
        "l": [["a", None], [], None, ["b"], ["c"]],
        "at": [datetime(2024, 5, 1, 12, 30, 15, 123456, UTC), None, None, None, None],
    }
)


def column(name: str, dtype: object) -> Column:
    return Column(name=name, description=name, dtype=dtype, view="v", function=lambda: None)  # type: ignore[arg-type]


def stored(name: str, values: pa.Array) -> Stored:
    return Stored("v", name, Opened(values), np.arange(3))


def table() -> Table:
    """Every kind of column, each with something missing; and one more in the matrix that is not asked for."""
    declared = {c.qualified: c for c in [
        column("n", int), column("x", float), column("is", bool), column("text", str), column("one", str),
        column("list", list[str]), column("levels", list[float]), column("unasked", float),
    ]}  # fmt: skip
    slots = {name: place for place, name in enumerate(["v__n", "v__x", "v__is", "v__text", "v__one", "v__unasked"])}
    numbers = np.full((len(slots), 3), np.nan)
    for name, values in {
        "v__n": [2**53, NAN, -1], "v__x": [-0.0, NAN, 5e-324], "v__is": [1, NAN, 0],
        "v__text": [1, NAN, 0], "v__one": [0, 0, 0],
    }.items():  # fmt: skip
        numbers[slots[name]] = values
    others = {
        "person_id": ["P1", None, "ü😀"],
        "given:day": pl.Series("given:day", [datetime(2024, 5, 1), None, None]),
        "v__list": stored("list", pa.array([["a", None], None, []], pa.large_list(pa.large_string()))),
        "v__levels": stored("levels", pa.array([[0.5, None], None, [-0.0]], pa.list_(pa.float64()))),
    }
    columns = ("person_id", "v__x", "v__text", "v__n", "v__list", "given:day", "v__is", "v__levels", "v__one")
    known = Names.of(pl.Series(["low", "high"]))
    return Table(declared, columns, slots, numbers, others, {"v__text": known, "v__one": known})


def same(left: pl.DataFrame, right: pl.DataFrame) -> bool:
    return left.schema == right.schema and not any(different(left[name], right[name]).any() for name in left.columns)


def test_a_frame_of_every_type_comes_back_bit_for_bit() -> None:
    assert same(unpacked(packed(FRAME)), FRAME)
    assert unpacked(packed(FRAME))["x"].is_nan().to_list() == [False, False, None, True, False]


@pytest.mark.parametrize("rows", [[0, 1, 2], [1], []])
def test_a_table_comes_back_as_its_frame(rows: list[int]) -> None:
    some = table().rows(rows)
    assert same(unpacked(packed(some)), some.frame)
    assert unpacked(packed(some)).columns == list(some.columns)


def test_a_table_without_numbers_comes_back_too() -> None:
    some = table()
    few = Table(some.declared, ("person_id", "v__text"), some.slots, some.numbers, some.others, some.names)
    assert same(unpacked(packed(few)), few.frame)


def test_a_column_of_the_matrix_that_others_replace_is_the_others() -> None:
    some = table()
    some.others["v__text"] = pl.Series("v__text", ["unheard of", None, "low"])
    assert unpacked(packed(some))["v__text"].to_list() == ["unheard of", None, "low"]


def test_what_was_logged_as_a_file_of_the_frame_is_still_read() -> None:
    file = io.BytesIO()
    table().frame.write_ipc(file, compression="zstd")
    assert same(unpacked(file.getvalue()), table().frame)


def test_what_was_logged_as_an_arrow_stream_is_still_read() -> None:
    """As releases did that wrote a table's numbers column by column, but as an item per row."""
    numbers = pa.array([-0.0, NAN, 5e-324, 2**53, NAN, -1, 1, NAN, 0])
    ids = pa.array(["P1", None, "ü😀"], pa.large_string())
    kinds = {"person_id": None, "v__x": "float", "v__n": "int", "v__is": "bool"}
    arrays = {"numbers": pa.FixedSizeListArray.from_arrays(numbers, 3), "person_id": ids}
    batch = pa.RecordBatch.from_pydict(arrays, metadata={"talentml.columns": json.dumps(kinds)})
    file = pa.BufferOutputStream()
    with pa.ipc.new_stream(file, batch.schema, options=pa.ipc.IpcWriteOptions(compression="lz4")) as stream:
        stream.write_batch(batch)
    logged = {
        "person_id": ["P1", None, "ü😀"], "v__x": [-0.0, None, 5e-324], "v__n": [2**53, None, -1],
        "v__is": [True, None, False],
    }  # fmt: skip
    assert same(unpacked(file.getvalue().to_pybytes()), pl.DataFrame(logged))


def test_a_table_says_of_which_layout_it_is() -> None:
    assert packed(table()).startswith(MARK)


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        (["T1", "T1", "T1"], ["T1", "T1", "T1"]),
        ("T1", ["T1", "T1", "T1"]),  # the one that all rows have
        ([None, None, None], [None, None, None]),
        (None, [None, None, None]),
        (["T1", None, "T1"], ["T1", None, "T1"]),
        (pa.array(["T1", "T1", "T1"], pa.large_string()), ["T1", "T1", "T1"]),
    ],
)
def test_a_text_that_all_rows_have_comes_back_in_all_rows(texts: object, expected: list[str | None]) -> None:
    content = packed_as(Form(("task_id",), (None,), ()), np.empty((0, 3)), {"task_id": texts})  # type: ignore[dict-item]
    assert unpacked(content).equals(pl.DataFrame({"task_id": expected}, schema={"task_id": pl.String}))


def test_what_all_rows_have_takes_little_room() -> None:
    """100 rows of 50 columns that are the task's own: 40 kB of numbers."""
    columns = tuple(f"task__{number}" for number in range(50))
    numbers = np.repeat(np.random.default_rng(1).random((50, 1)), 100, axis=1)
    assert len(packed_as(Form(columns, ("float",) * 50, tuple(range(50))), numbers, {})) < 2_000
