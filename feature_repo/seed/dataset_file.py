"""A file of a published data set: the columns that a seed reads of it, checked and typed, in batches."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import polars as pl

from feature_repo.errors import DataError

if TYPE_CHECKING:
    import pyarrow as pa

Kind = Literal["text", "whole", "number", "time"]

ROWS = 20_000
KINDS: dict[Kind, str] = {"text": "text", "whole": "a whole number", "number": "a finite number", "time": "a time"}


@dataclass(frozen=True)
class FileColumn:
    """A column of a file. A required one has no empty cell.

    template: of a time, as strptime takes it; a month is its first instant. minimum, maximum: of a number. allowed:
    the words of a text, any where there are none.
    """

    name: str
    kind: Kind = "text"
    required: bool = False
    template: str = ""
    minimum: float | None = None
    maximum: float | None = None
    allowed: tuple[str, ...] = ()

    @property
    def wording(self) -> str:
        """What a cell may be, in words."""
        if self.allowed:
            return ", ".join(self.allowed)
        bounds = [f"{word} {bound:g}" for word, bound in (("from", self.minimum), ("to", self.maximum)) if bound]
        return " ".join([KINDS[self.kind], *([f"such as {self.template}"] if self.template else []), *bounds])


@dataclass(frozen=True)
class DataFile:
    """A Parquet or CSV file by its name, with the columns that are read."""

    name: str
    columns: tuple[FileColumn, ...]

    def batches(self, path: Path, names: Sequence[str] = ()) -> Iterator[pl.DataFrame]:
        """The rows, ROWS at a time, typed; empty cells are null. names: of columns, all that are declared where empty.

        Raises DataError that names the file, the row, the column, what was found and what is allowed.
        """
        wanted = [column for column in self.columns if not names or column.name in names]
        first = 1
        for batch in _batches(path, [column.name for column in wanted]):
            cells = batch.select(pl.col(column.name).cast(pl.String).str.strip_chars() for column in wanted)
            cells = cells.select(pl.all().replace("", None))
            values = cells.select(_value(column).alias(column.name) for column in wanted)
            for column in wanted:
                _check(path, first, column, cells[column.name], values[column.name])
            first += batch.height
            yield values

    def frame(self, path: Path, names: Sequence[str] = ()) -> pl.DataFrame:
        """All rows at once: of small files, or of few columns."""
        return pl.concat(list(self.batches(path, names)))


def header(path: Path) -> list[str]:
    """The names of the file's columns. Raises DataError for a file that cannot be read."""
    with _opened(path) as (names, _):
        return names


@contextmanager
def _opened(path: Path, names: list[str] | None = None) -> Iterator[tuple[list[str], Iterator["pa.RecordBatch"]]]:
    """The file's column names, and its record batches with the columns of these names, all where None.

    What cannot be read within becomes a DataError that names the file.
    """
    import pyarrow as pa

    is_parquet = path.suffix == ".parquet"
    try:
        yield _parquet(path, names) if is_parquet else _csv(path, names)
    except (OSError, pa.ArrowInvalid) as error:
        found = error.strerror if isinstance(error, OSError) and error.strerror else str(error).splitlines()[0]
        what = "Parquet" if is_parquet else "CSV with a header"
        raise DataError(f"{path}: cannot be read ({found}), allowed: a {what} file") from None


def _parquet(path: Path, names: list[str] | None) -> tuple[list[str], Iterator["pa.RecordBatch"]]:
    import pyarrow.parquet as pq

    file = pq.ParquetFile(path)
    return list(file.schema_arrow.names), file.iter_batches(ROWS, columns=names)


def _csv(path: Path, names: list[str] | None) -> tuple[list[str], Iterator["pa.RecordBatch"]]:
    from pyarrow import csv

    found = list(csv.open_csv(path).schema.names)
    texts = csv.ConvertOptions(column_types=dict.fromkeys(found, "string"), include_columns=names)
    return found, csv.open_csv(path, convert_options=texts)


def _batches(path: Path, names: list[str]) -> Iterator[pl.DataFrame]:
    check_header(path, names)
    with _opened(path, names) as (_, batches):
        for batch in batches:
            frame = pl.from_arrow(batch)
            assert isinstance(frame, pl.DataFrame)
            yield frame


def check_header(path: Path, names: Sequence[str]) -> None:
    """Raise DataError where a column is missing."""
    found = header(path)
    if missing := [name for name in names if name not in found]:
        raise DataError(
            f"{path}: no column {', '.join(missing)}; found {', '.join(found) or 'none'}; allowed {', '.join(names)}"
        )


def _value(column: FileColumn) -> pl.Expr:
    cell = pl.col(column.name)
    if column.kind == "text":
        return cell
    if column.kind == "time":
        # polars reads no time that has no day
        dated = (cell, column.template) if "%d" in column.template else (pl.lit("01 ") + cell, f"%d {column.template}")
        return dated[0].str.to_datetime(dated[1], time_unit="us", time_zone="UTC", strict=False)
    number = cell.cast(pl.Float64, strict=False)
    if column.kind == "number":
        return pl.when(number.is_finite()).then(number)
    return pl.when(number == number.round()).then(number).cast(pl.Int64, strict=False)


def _check(path: Path, first: int, column: FileColumn, cells: pl.Series, values: pl.Series) -> None:
    wrong = values.is_null() & (cells.is_not_null() | column.required)
    if column.minimum is not None:
        wrong |= (values < column.minimum).fill_null(False)
    if column.maximum is not None:
        wrong |= (values > column.maximum).fill_null(False)
    if column.allowed:
        wrong |= ~cells.fill_null(column.allowed[0]).is_in(list(column.allowed))
    if wrong.any():
        row = wrong.arg_true()[0]
        found = cells[row]
        raise DataError(
            f"{path}, row {first + row}: {column.name} is {'empty' if found is None else repr(found)}, "
            f"allowed {column.wording}"
        )
