"""The files of the SiP task history (arXiv 1901.01621): one row per task and developer, dates without times."""

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import polars as pl

from feature_repo.errors import DataError

Kind = Literal["text", "id", "whole", "hours", "date"]

ALLOWED: dict[Kind, str] = {
    "text": "text",
    "id": "a whole number",
    "whole": "a whole number",
    "hours": "a finite number",
    "date": "a date such as 2012-12-21",
}


@dataclass(frozen=True)
class FileColumn:
    """A column of the file. A required one may not be empty; any other may, and the check judges it later."""

    name: str
    kind: Kind
    required: bool = False


COLUMNS = (
    FileColumn("TaskNumber", "id", required=True),
    FileColumn("Summary", "text"),
    FileColumn("Priority", "whole"),
    FileColumn("RaisedByID", "id"),
    FileColumn("AssignedToID", "id"),
    FileColumn("AuthorisedByID", "id"),
    FileColumn("StatusCode", "text"),
    FileColumn("ProjectCode", "text"),
    FileColumn("ProjectBreakdownCode", "text"),
    FileColumn("Category", "text"),
    FileColumn("SubCategory", "text"),
    FileColumn("HoursEstimate", "hours"),
    FileColumn("HoursActual", "hours"),
    FileColumn("DeveloperID", "id"),
    FileColumn("DeveloperHoursActual", "hours"),
    FileColumn("EstimateOn", "date", required=True),
    FileColumn("StartedOn", "date"),
    FileColumn("CompletedOn", "date"),
)


def read_files(paths: Sequence[Path]) -> pl.DataFrame:
    """The rows of all files, typed: ids as text without ".0", dates as instants at 00:00 UTC, empty cells null.

    Of several rows for a task and developer the last counts.
    Raises DataError that names the file, the line, the column, what was found and what is allowed.
    """
    if not paths:
        raise DataError("seed sip: no file named, allowed: one or more CSV files")
    rows = pl.concat([_typed(path, _cells(path)) for path in paths])
    return rows.unique(["TaskNumber", "DeveloperID"], keep="last", maintain_order=True)


def _cells(path: Path) -> pl.DataFrame:
    """The file's cells as text, with the number of the line that each row ends on."""
    try:
        with path.open(encoding="utf-8-sig", errors="replace", newline="") as file:
            reader = csv.reader(file, strict=True)
            header = next(reader, [])
            _check_header(path, header)
            rows = [[*_checked(path, reader.line_num, row, header), str(reader.line_num)] for row in reader if row]
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror}), allowed: a CSV file of SiP tasks") from None
    except csv.Error as error:
        raise DataError(f"{path}, line {reader.line_num}: {error}, allowed: CSV") from None
    return pl.DataFrame(rows, schema=dict.fromkeys([*header, "line"], pl.String), orient="row")


def _check_header(path: Path, header: list[str]) -> None:
    wanted = [column.name for column in COLUMNS]
    if missing := [name for name in wanted if name not in header]:
        found = ", ".join(header) or "an empty file"
        raise DataError(f"{path}, line 1: no column {', '.join(missing)}; found {found}; allowed {', '.join(wanted)}")
    if len(set(header)) < len(header):
        raise DataError(f"{path}, line 1: a column is named twice; found {', '.join(header)}")


def _checked(path: Path, line: int, row: list[str], header: list[str]) -> list[str]:
    if len(row) != len(header):
        raise DataError(f"{path}, line {line}: {len(row)} cells, allowed {len(header)}, as in the header")
    return row


def _typed(path: Path, cells: pl.DataFrame) -> pl.DataFrame:
    found = [pl.col(column.name).str.strip_chars().replace("", None) for column in COLUMNS]
    cells = cells.select("line", *found)
    frame = cells.select(_value(column).alias(column.name) for column in COLUMNS)
    for column in COLUMNS:
        _check_column(path, column, cells, frame[column.name])
    return frame


def _value(column: FileColumn) -> pl.Expr:
    cell = pl.col(column.name)
    if column.kind == "text":
        return cell
    if column.kind == "date":
        return cell.str.to_datetime("%Y-%m-%d", time_unit="us", time_zone="UTC", strict=False)
    if column.kind == "hours":
        number = cell.cast(pl.Float64, strict=False)
        return pl.when(number.is_finite()).then(number)
    whole = cell.str.extract(r"^(-?\d+)(?:\.0+)?$")
    return whole.cast(pl.Int64, strict=False) if column.kind == "whole" else whole


def _check_column(path: Path, column: FileColumn, cells: pl.DataFrame, values: pl.Series) -> None:
    wrong = cells.filter(values.is_null() & (cells[column.name].is_not_null() | column.required))
    if wrong.height:
        found = wrong[column.name][0]
        raise DataError(
            f"{path}, line {wrong['line'][0]}: {column.name} is {'empty' if found is None else repr(found)}, "
            f"allowed {ALLOWED[column.kind]}"
        )
