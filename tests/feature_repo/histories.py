"""Late and corrected histories, and the rule of the point-in-time join written as plainly as can be."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import polars as pl
from hypothesis import strategies as st

START = datetime(2012, 3, 24, 22, tzinfo=UTC)  # the clocks of Europe change in the next hours
TIME = pl.Datetime("us", "UTC")
PEOPLE, PROJECTS = ("ada", "bob", "ada1", "1ada", "ünï"), ("p", "1p", "")


def instant(step: int) -> datetime:
    """A coarse clock, so that equal instants are common: four steps a day."""
    return START + timedelta(hours=6 * step)


@dataclass(frozen=True)
class Row:
    """A feature row. value: its place in the file, which tells who won."""

    keys: tuple[str, ...]
    event: int
    created: int
    value: int


@dataclass(frozen=True)
class Question:
    keys: tuple[str | None, ...]
    at: int


def expected(rows: Sequence[Row], question: Question, ttl: int | None = None, known_at: bool = True) -> int | None:
    """The value of the winner by the rule, or None."""
    eligible = [
        row
        for row in rows
        if row.keys == question.keys
        and row.event <= question.at
        and (not known_at or row.created <= question.at)
        and (ttl is None or row.event >= question.at - ttl)
    ]
    best = max(eligible, key=lambda row: (row.event, row.created, row.value), default=None)
    return best.value if best else None


def frame(rows: Sequence[Row], keys: Sequence[str]) -> pl.DataFrame:
    """The rows as a view's file has them; the values also as text, lists and with nulls."""
    values = [row.value for row in rows]
    columns = {name: pl.Series([row.keys[place] for row in rows], dtype=pl.String) for place, name in enumerate(keys)}
    return pl.DataFrame(
        columns
        | {
            "event_timestamp": pl.Series([instant(row.event) for row in rows], dtype=TIME),
            "created_timestamp": pl.Series([instant(row.created) for row in rows], dtype=TIME),
            "value": pl.Series(values, dtype=pl.Int64),
            "odd": pl.Series([value / 3 if value % 2 else None for value in values], dtype=pl.Float64),
            "name": pl.Series([f"é{value}" if value % 3 else None for value in values], dtype=pl.String),
            "flag": pl.Series([None, True, False][value % 3] for value in values).cast(pl.Boolean),
            "names": pl.Series([[None, [], ["a", f"b{v}"]][v % 3] for v in values], dtype=pl.List(pl.String)),
            "levels": pl.Series([[[v / 7], None, []][v % 3] for v in values], dtype=pl.List(pl.Float64)),
            "day": pl.Series([instant(value) if value % 2 else None for value in values], dtype=TIME),
        }
    )


def spine(questions: Sequence[Question], keys: Sequence[str]) -> pl.DataFrame:
    columns = {name: pl.Series([q.keys[place] for q in questions], dtype=pl.String) for place, name in enumerate(keys)}
    return pl.DataFrame(columns | {"event_timestamp": pl.Series([instant(q.at) for q in questions], dtype=TIME)})


def _keys(count: int) -> st.SearchStrategy[tuple[str, ...]]:
    return st.tuples(st.sampled_from(PEOPLE), *([st.sampled_from(PROJECTS)] * (count - 1)))


def histories(keys: int = 1, size: int = 40) -> st.SearchStrategy[list[Row]]:
    """Rows known before, when and after they happened, corrections and exact duplicates among them."""
    parts = st.tuples(_keys(keys), st.integers(0, 12), st.integers(-3, 6))
    return st.lists(parts, max_size=size).map(
        lambda found: [Row(key, event, event + delay, place) for place, (key, event, delay) in enumerate(found)]
    )


def questions(keys: int = 1, size: int = 25) -> st.SearchStrategy[list[Question]]:
    known = st.tuples(_keys(keys), st.integers(-4, 20))
    return st.lists(known, min_size=1, max_size=size).map(lambda found: [Question(*each) for each in found])
