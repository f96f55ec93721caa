"""A team's tickets as arrays, in the order in which they were raised."""

from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from feature_repo.errors import DataError

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
SCHEMA: dict[str, pl.DataType | type[pl.DataType]] = {
    "raised_at": pl.Datetime("ms"),
    "text": pl.String,
    "components": pl.List(pl.String),
    "kind": pl.String,
    "person_id": pl.String,
}
DAY_MS = 86_400_000


@dataclass(frozen=True)
class Tickets:
    """day: days since 1970, ascending. person: a code into people, -1 where nobody took it.

    All but people have shape (tickets,).
    """

    day: Floats
    text: tuple[str, ...]
    components: tuple[tuple[str, ...], ...]
    kind: tuple[str, ...]
    person: Ints
    people: tuple[str, ...]

    @staticmethod
    def of(frame: pl.DataFrame) -> "Tickets":
        """Rows keep their order, which must be that of raised_at. Raises DataError where SCHEMA is not met."""
        absent = [name for name in SCHEMA if name not in frame.columns]
        if absent:
            raise DataError(f"tickets: no column {absent[0]}, needed: {', '.join(SCHEMA)}")
        rows = frame.select(pl.col(name).cast(dtype) for name, dtype in SCHEMA.items())
        if rows["raised_at"].null_count() or not rows["raised_at"].is_sorted():
            raise DataError("tickets: raised_at is missing or descends, allowed: a time for each, ascending")
        people = rows["person_id"].drop_nulls().unique().sort().to_list()
        person = rows["person_id"].replace_strict(people, range(len(people)), default=-1, return_dtype=pl.Int64)
        return Tickets(
            rows["raised_at"].cast(pl.Int64).to_numpy() / DAY_MS,
            tuple(rows["text"].fill_null("")),
            tuple(map(tuple, rows["components"].fill_null([]))),
            tuple(rows["kind"].fill_null("")),
            person.fill_null(-1).to_numpy(),
            tuple(people),
        )

    def __len__(self) -> int:
        return len(self.day)

    def before(self, count: int) -> "Tickets":
        """The first tickets. People keep their codes."""
        shorter = (self.day[:count], self.text[:count], self.components[:count], self.kind[:count])
        return Tickets(*shorter, self.person[:count], self.people)
