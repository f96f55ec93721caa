"""The features of a logged request as bytes, every bit kept: Arrow IPC, in one of two layouts.

A frame has a column each. A table has all its numbers in one column, as they stand in its matrix: to make the frame of
100 rows and 80 columns and to write it took 780 us of a processor, for every answer; to write the table takes 160 us.
"""

import io
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from typing import Any

import polars as pl
import pyarrow as pa

from feature_repo.column import Column
from feature_repo.table import Floats, Frame, Stored, Table, framed
from feature_repo.views import polars_type

NUMBERS = "numbers"
HEAD = b"talentml.columns"
"""Key of the schema's metadata, in files of tables: by name, in order, the type of a number and null for the others."""
KINDS: dict[str, pl.DataType] = {"float": pl.Float64(), "int": pl.Int64(), "bool": pl.Boolean()}


@dataclass(frozen=True)
class Packed:
    """Features as bytes already, and of how many rows."""

    content: bytes
    height: int


@dataclass(frozen=True)
class Form:
    """What the tables of one kind of request share.

    columns: in order. kinds: of each the type of a number in the matrix, None for the others. slots: of these numbers.
    """

    columns: tuple[str, ...]
    kinds: tuple[str | None, ...]
    slots: tuple[int, ...]

    @cached_property
    def head(self) -> bytes:
        """The schema's metadata."""
        return json.dumps(dict(zip(self.columns, self.kinds, strict=True))).encode()

    @cached_property
    def others(self) -> tuple[str, ...]:
        """The columns that are no numbers of the matrix."""
        return tuple(name for name, kind in zip(self.columns, self.kinds, strict=True) if kind is None)


def form_of(table: Table) -> Form:
    """The form of a table; it has no slots where no column is a number of the matrix."""
    in_matrix = table.slots.keys() - table.names.keys() - table.others.keys()
    kinds = tuple(table.declared[name].dtype.__name__ if name in in_matrix else None for name in table.columns)
    slots = tuple(table.slots[name] for name in table.columns if name in in_matrix)
    return Form(tuple(table.columns), kinds, slots)


def packed(rows: Frame) -> bytes:
    """The columns of a frame or table."""
    if isinstance(rows, Table):
        form = form_of(rows)
        if form.slots:  # else nothing says how many rows there are
            others = {name: array_of(rows, name) for name in form.others}
            return packed_as(form, rows.numbers[list(form.slots)], others)
    file = io.BytesIO()
    framed(rows).write_ipc(file, compression="zstd")
    return file.getvalue()


def packed_as(form: Form, numbers: Floats, others: Mapping[str, pa.Array]) -> bytes:
    """A table's columns. numbers: shape (slots, rows), as the form names them. others: by name the other columns."""
    arrays = [_matrix(numbers), *(others[name] for name in form.others)]
    fields = [pa.field(name, array.type) for name, array in zip([NUMBERS, *form.others], arrays, strict=True)]
    schema = pa.schema(fields, {HEAD: form.head})
    file = pa.BufferOutputStream()
    with pa.ipc.new_stream(file, schema, options=_options()) as stream:
        stream.write_batch(pa.RecordBatch.from_arrays(arrays, schema=schema))
    content: bytes = file.getvalue().to_pybytes()
    return content


def array_of(table: Table, name: str) -> pa.Array:
    """A column of a table that is no number of its matrix, of the type that it has in a frame."""
    found = table.others.get(name)
    if found is None:
        return table.names[name].arrow(table.numbers[table.slots[name]])
    if isinstance(found, list):
        return texts(found)
    if isinstance(found, Stored) and is_typed(table, name, found):
        return found.array
    return table[name].to_arrow()


def texts(found: list[str | None]) -> pa.Array:
    """Plain texts as a column."""
    return pa.array(found, pa.large_string())


def is_typed(table: Table, name: str, found: Stored) -> bool:
    """Whether it is of its column's type already."""
    return bool(found.opened.column.type == _arrow_type(table.declared[name]))


def unpacked(content: bytes) -> pl.DataFrame:
    """The frame that was packed, or that of the table, null where a number is NaN."""
    if not content.startswith(b"ARROW1"):
        with pa.ipc.open_stream(content) as stream:
            return _frame(stream.read_next_batch())
    return pl.read_ipc(io.BytesIO(content))


def _matrix(numbers: Any) -> pa.Array:
    """An item per row, so that it fits beside the others; but its values stand column by column, which is smaller."""
    return pa.FixedSizeListArray.from_arrays(pa.array(numbers.ravel()), len(numbers))


@cache
def _arrow_type(column: Column) -> pa.DataType:
    return pl.Series([], dtype=polars_type(column)).to_arrow().type


@cache
def _options() -> pa.ipc.IpcWriteOptions:
    # zstd makes 13 kB of what lz4 makes 22 kB of, but in 290 instead of 46 us
    return pa.ipc.IpcWriteOptions(compression="lz4", use_threads=False)


def _frame(batch: pa.RecordBatch) -> pl.DataFrame:
    head: dict[str, str | None] = json.loads(batch.schema.metadata[HEAD])
    kinds = {name: KINDS[kind] for name, kind in head.items() if kind}
    numbers = batch[0].flatten().to_numpy().reshape(len(kinds), batch.num_rows)
    made = {name: _series(name, row, kinds[name]) for name, row in zip(kinds, numbers, strict=True)}
    return pl.DataFrame([made[name] if name in made else pl.Series(name, batch[name]) for name in head])


def _series(name: str, numbers: Any, kind: pl.DataType) -> pl.Series:
    found = pl.Series(name, numbers, nan_to_null=True)
    return found if kind == pl.Float64 else found.cast(kind)
