"""The point-in-time join: for each (entity, instant) the row that was both true and known by then.

A row is eligible at instant t when event <= t and created <= t. Among the eligible rows the latest by (event, created)
wins; of exact ties the one that stands last in the file. With a ttl the winner must not be older than t - ttl: any
other eligible row is older still, so testing the winner is exact.

How one binary search is enough: a row becomes available at a = max(event, created). Rows are stored in the order
(entity, event, created, place in the file), so that a row's position is its rank. Going through an entity's rows by a,
the running maximum of the positions is the winner from that instant on. So the answer is one search in the sorted a,
and one look-up. Where created plays no part (known_at=False), the search is in the stored events themselves.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from feature_repo.errors import DataError

Integers = NDArray[np.int64]

ENTITY, PLACE, EVENT, CREATED = "__entity", "__place", "__event", "__created"  # names that no column has


@dataclass(frozen=True)
class Entities:
    """The distinct keys of an index, sorted by their text. keys: one array per key column, shape (entities,)."""

    keys: pa.RecordBatch

    @cached_property
    def text(self) -> pl.Series:
        return key_text([pl.Series(values=self.keys[name]) for name in self.keys.schema.names])

    def find(self, wanted: Sequence[pl.Series]) -> Integers:
        """The number of each wanted entity, -1 where unknown or where a key is null. wanted: a series per key."""
        text, known = (each.to_arrow().cast(pa.large_string()) for each in (key_text(wanted), self.text))
        numbers: Integers = pc.index_in(text, known).fill_null(-1).to_numpy()
        return numbers.astype(np.int64)


def key_text(keys: Sequence[pl.Series]) -> pl.Series:
    """One text per row, different for different keys, null where a key is null. The last key stands as it is."""
    texts = [key.cast(pl.String).alias(str(place)) for place, key in enumerate(keys)]
    lengths = [pl.concat_str(pl.col(text.name).str.len_bytes(), pl.lit(":"), pl.col(text.name)) for text in texts[:-1]]
    return pl.DataFrame(texts).select(key=pl.concat_str(*lengths, pl.col(texts[-1].name))).to_series()


@dataclass(frozen=True)
class Index:
    """Rows prepared for the join. Times are us since 1970.

    starts: shape (entities + 1,), where each entity's rows begin. available, winners: shape (rows,), by (entity, a).
    event, created: shape (rows,), and rows: the columns, by (entity, event, created, place in the file).
    """

    entities: Entities
    starts: Integers
    available: Integers
    winners: Integers
    event: Integers
    created: Integers
    rows: pa.RecordBatch

    def find(self, keys: Sequence[pl.Series], at: Integers, ttl: int = 0, known_at: bool = True) -> Integers:
        """The position in `rows` of each spine row's winner, -1 where there is none. at, ttl: us; ttl 0 is no limit."""
        return self.winner(self.entities.find(keys), at, ttl, known_at)

    def winner(self, entity: Integers, at: Integers, ttl: int = 0, known_at: bool = True) -> Integers:
        """As find, by the entities' numbers (-1: unknown)."""
        if not len(self.winners):
            return np.full(len(entity), -1, dtype=np.int64)
        first = np.where(entity < 0, 0, self.starts[entity])
        after = np.where(entity < 0, 0, self.starts[entity + 1])
        place = _after_last(self.available if known_at else self.event, first, after, at) - 1
        found = place >= first
        best = self.winners[place] if known_at else place
        if ttl:
            found &= self.event[best] >= at - ttl
        return np.where(found, best, -1)

    def take(self, positions: Integers, names: Sequence[str]) -> list[pa.Array]:
        """The columns' values at positions; null at -1."""
        missing = [name for name in names if name not in self.rows.schema.names]
        if missing:
            raise DataError(f"columns {missing}: not in the view's rows, which have {self.rows.schema.names}")
        places = pa.array(positions, mask=positions < 0)
        return [self.rows[name].take(places) for name in names]


def _after_last(times: Integers, first: Integers, after: Integers, at: Integers) -> Integers:
    """In each sorted range times[first:after] the place after the last time <= at: one search for all rows at once."""
    low, high = first.copy(), after.copy()
    while (open_rows := low < high).any():
        middle = (low + high) >> 1
        passed = times[np.minimum(middle, len(times) - 1)] <= at
        low = np.where(open_rows & passed, middle + 1, low)
        high = np.where(open_rows & ~passed, middle, high)
    return low


def build(frame: pl.DataFrame, keys: Sequence[str], event: str, created: str | None) -> Index:
    """Index a frame of feature rows; every column that is neither key nor time is carried.

    Rows without a key, an event or (where the view has one) a created time can never be eligible and are left out.
    """
    ordered, entities = _ordered(frame, keys, event, created or event)
    entity, events, createds = (ordered[name].to_numpy().astype(np.int64) for name in (ENTITY, EVENT, CREATED))
    available = np.maximum(events, createds)
    by_availability = np.lexsort((available, entity))  # stable, and quick where rows are known as they happen
    return Index(
        entities=Entities(batch(entities)),
        starts=np.searchsorted(entity, np.arange(len(entities) + 1)).astype(np.int64),
        available=available[by_availability],
        # Positions of a later entity are all larger, so the running maximum needs no restart.
        winners=np.maximum.accumulate(by_availability),
        event=events,
        created=createds,
        rows=batch(frame.drop([*keys, event, *([created] if created else [])])[ordered[PLACE]]),
    )


def _ordered(frame: pl.DataFrame, keys: Sequence[str], event: str, created: str) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The usable rows' entity number, times and place in the order of an index; and the entities by number."""
    times = {EVENT: _microseconds(event), CREATED: _microseconds(created)}
    usable = frame.select(*keys, **times).with_row_index(PLACE).drop_nulls()
    entities = usable.select(keys).unique()
    entities = entities[key_text(entities.get_columns()).arg_sort()]
    numbered = entities.with_row_index(ENTITY)
    ordered = usable.join(numbered, on=list(keys), how="left", maintain_order="left").drop(keys)
    return ordered.sort(ENTITY, EVENT, CREATED, PLACE), entities


def _microseconds(name: str) -> pl.Expr:
    return pl.col(name).dt.cast_time_unit("us").to_physical()


def batch(frame: pl.DataFrame) -> pa.RecordBatch:
    """A frame as one Arrow record batch with 64-bit offsets, which pyarrow can take from by position."""
    table = frame.rechunk().to_arrow(compat_level=pl.CompatLevel.oldest())
    batches = table.combine_chunks().to_batches()
    return batches[0] if batches else pa.RecordBatch.from_pylist([], schema=table.schema)
