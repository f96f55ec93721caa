"""What a source gives: a stream of rows, declared once; queries, file schemas and checks derive from it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Literal

from feature_repo.column import Field

if TYPE_CHECKING:
    import pyarrow as pa

Store = Literal["mysql", "neo4j", "mongodb"]

RECORDED_AT = Field(
    name="recorded_at",
    dtype=datetime,
    description="When the row became known to the source; windows are cut by it",
)


@dataclass(frozen=True, kw_only=True)
class Stream:
    """Rows of one kind from one source system.

    key: the fields that name a row; with recorded_at they name one version of it.
    fields: every field, recorded_at included, times in UTC.
    origin: where the rows are: `database.table`, `database.collection`, or a Cypher pattern.
    paths: the store's own name of a field where it differs from the field's name.
    """

    name: str
    store: Store
    key: tuple[str, ...]
    fields: tuple[Field, ...]
    origin: str
    paths: Mapping[str, str] = field(default_factory=dict, compare=False)
    description: str = ""

    def path(self, name: str) -> str:
        """The store's own name of a field."""
        return self.paths.get(name, name)

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the fields, in order."""
        return tuple(each.name for each in self.fields)

    @property
    def version(self) -> tuple[str, ...]:
        """The fields that name one version of a row; rows are sorted by them."""
        return (*self.key, RECORDED_AT.name)

    @property
    def place(self) -> str:
        """The stream's rows in words, such as `mysql task_service.tasks`."""
        return f"{self.store} {self.origin}"

    def schema(self) -> pa.Schema:
        """The Arrow schema of the stream's rows: times in microseconds, UTC; every field may be null until checked."""
        import pyarrow as pa

        types = {
            str: pa.string(),
            int: pa.int64(),
            float: pa.float64(),
            bool: pa.bool_(),
            datetime: pa.timestamp("us", tz="UTC"),
        }
        return pa.schema([(each.name, types[each.dtype]) for each in self.fields])
