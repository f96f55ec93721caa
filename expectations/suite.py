"""Great Expectations suites, derived from declarations: none is written by hand."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from expectations.rules import EARLIEST, LATEST, interval
from expectations.types import TYPES, title
from feature_repo.column import Field, View
from feature_repo.sources.stream import Stream

TIMES = (
    Field(name="event_timestamp", dtype=datetime, description="From when on the values hold"),
    Field(name="created_timestamp", dtype=datetime, description="When the values became known"),
)


@dataclass(frozen=True)
class Declaration:
    """What check needs of a stream or a view: its fields and the key that one row has."""

    kind: str
    name: str
    fields: tuple[Field, ...]
    key: tuple[str, ...]
    description: str = ""

    @property
    def title(self) -> str:
        """Such as `stream tasks`."""
        return f"{self.kind} {self.name}"

    @property
    def folder(self) -> str:
        """Where files of this kind lie: `streams` or `views`."""
        return f"{self.kind}s"

    @property
    def file(self) -> str:
        """The path of its rows in such a folder as staged, such as `streams/tasks.parquet`."""
        return f"{self.folder}/{self.name}.parquet"


def of_stream(stream: Stream) -> Declaration:
    """A stream's declaration; its key names one version of a row."""
    about = f"{stream.description}. From {stream.place}"
    return Declaration("stream", stream.name, stream.fields, stream.version, about)


def of_view(view: View) -> Declaration:
    """An entity view's declaration: its keys, its two times, and its columns."""
    keys = tuple(Field(name=key, dtype=str, description=f"Which {key.removesuffix('_id')}") for key in view.keys)
    key = (*view.keys, *(time.name for time in TIMES))
    about = f"Features of {' and '.join(entity.name for entity in view.entities)}"
    return Declaration("view", view.name, (*keys, *TIMES, *view.columns), key, about)


@dataclass(frozen=True)
class Present:
    """What a source has of a declaration, so that nothing is expected of what is not there.

    least_rows: 0 where it has no rows of the kind. blank: the fields that have no value in any row.
    """

    least_rows: int = 1
    blank: frozenset[str] = frozenset()


def suite(declared: Declaration, present: Present = Present()) -> Any:
    """The great_expectations.ExpectationSuite of a declaration; `.to_json_dict()` is plain JSON.

    It is made for pandas frames with Arrow types.
    """
    from great_expectations import ExpectationSuite

    made = [*_of_the_table(declared, present.least_rows)]
    for field in declared.fields:
        made += _of_values(field)
        made += () if field.name in present.blank else _of_extremes(field)
    return ExpectationSuite(
        name=f"{declared.kind}_{declared.name}",
        expectations=made,
        meta={"notes": {"format": "markdown", "content": [f"{declared.description}."]}},
    )


def _of_the_table(declared: Declaration, least_rows: int) -> Iterator[Any]:
    from great_expectations import expectations as gx

    yield gx.ExpectTableRowCountToBeBetween(min_value=least_rows)
    yield gx.ExpectTableColumnsToMatchOrderedList(column_list=[field.name for field in declared.fields])
    if len(declared.key) > 1:
        yield gx.ExpectCompoundColumnsToBeUnique(column_list=list(declared.key))
    else:
        yield gx.ExpectColumnValuesToBeUnique(column=declared.key[0])


def _of_values(field: Field) -> Iterator[Any]:
    from great_expectations import expectations as gx

    notes = {"notes": _notes(field)}
    yield gx.ExpectColumnValuesToBeOfType(column=field.name, type_=title(field.dtype).split("[")[0], meta=notes)
    if field.nulls < 1:
        yield gx.ExpectColumnValuesToNotBeNull(column=field.name, mostly=round(1 - field.nulls, 12))
    if field.dtype is str and field.allowed:
        yield gx.ExpectColumnValuesToBeInSet(column=field.name, value_set=list(field.allowed))


def _of_extremes(field: Field) -> Iterator[Any]:
    """The range, of the extremes and not of each value: Great Expectations compares Arrow values one by one."""
    from great_expectations import expectations as gx

    low, high = (EARLIEST, LATEST) if field.dtype is datetime else (field.minimum, field.maximum)
    if TYPES[field.dtype].is_nested():
        return
    if low is not None:
        yield gx.ExpectColumnMinToBeBetween(column=field.name, min_value=low)
    if high is not None:
        yield gx.ExpectColumnMaxToBeBetween(column=field.name, max_value=high)


def _notes(field: Field) -> dict[str, Any]:
    """What the declaration says of a field, for the reader of the Data Docs."""
    limits = interval(field) if field.minimum is not None or field.maximum is not None else field.unit
    said = ". ".join(part for part in (field.description.rstrip("."), limits) if part)
    return {"format": "markdown", "content": [f"{said}."]}
