"""Whether what requests read online is what training would read offline: logged requests, replayed bit for bit."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
import polars as pl
from numpy.typing import NDArray

from feature_repo.column import Column
from feature_repo.platform import database
from feature_repo.retrieval import historical_frame
from feature_repo.settings import Settings
from monitoring.prediction_log import EVENT, GIVEN, keys, logged_frames

Mask = NDArray[np.bool_]
MOST_NAMED = 20
NONE = ""
"""The id that stands for a subject that was left out: no request can name it, and a historical read wants one."""


@dataclass(frozen=True)
class Parity:
    """requests, rows, values: how many were compared; a request about both stored and given tasks counts twice.

    mismatches: how many values differ; examples: some of them.
    """

    requests: int
    rows: int
    values: int
    mismatches: int
    examples: tuple[str, ...]


def parity(settings: Settings, since: datetime) -> Parity:
    """Read the features of every request logged since then through historical_frame, as of their own as-of dates.

    Requests about what is not stored are replayed with the columns that were given. Requests that no snapshot
    was read for are left out. Raises DataError when nothing is published, or a logged column is no longer declared.
    """
    engine = database(settings)
    groups: dict[tuple[str, ...], list[pl.DataFrame]] = {}
    for frame in logged_frames(engine, since):
        groups.setdefault(tuple(frame.columns), []).append(frame)
    found = [_compared(settings, pl.concat(frames)) for frames in groups.values()]
    return Parity(
        sum(len(frames) for frames in groups.values()),
        sum(each.rows for each in found),
        sum(each.values for each in found),
        sum(each.mismatches for each in found),
        tuple(example for each in found for example in each.examples)[:MOST_NAMED],
    )


def _compared(settings: Settings, logged: pl.DataFrame) -> Parity:
    columns = _declared(name for name in logged.columns if "__" in name and not name.startswith(GIVEN))
    given = logged.select(name for name in logged.columns if name.startswith(GIVEN))
    given = given.rename({name: name.removeprefix(GIVEN) for name in given.columns})
    spine = logged.select(*keys(logged), EVENT).with_columns(pl.col(pl.String).fill_null(NONE))
    replayed = historical_frame(settings.root, spine, columns, given if given.width else None)
    examples: list[str] = []
    mismatches = 0
    for column in columns:
        differs = different(logged[column.qualified], replayed[column.qualified])
        mismatches += int(differs.sum())
        examples += [_named(logged, replayed, column, int(row)) for row in np.flatnonzero(differs)[:MOST_NAMED]]
    return Parity(0, logged.height, logged.height * len(columns), mismatches, tuple(examples))


def _declared(names: Iterable[str]) -> Sequence[Column]:
    from feature_repo.features import VIEWS
    from feature_repo.plan import Catalogue

    catalogue = Catalogue.of(VIEWS)
    return [catalogue.column(name, by="the prediction log") for name in names]


def different(left: pl.Series, right: pl.Series) -> Mask:
    """Where two series differ in any bit; null equals null, NaN equals NaN of the same bits, 0.0 is not -0.0."""
    if left.dtype != right.dtype:
        return np.ones(len(left), dtype=np.bool_)
    if left.dtype != pl.Float64:
        return left.ne_missing(right).to_numpy()
    bits = [series.fill_null(0.0).to_numpy().view(np.int64) for series in (left, right)]
    differs: Mask = (left.is_null() != right.is_null()).to_numpy() | (bits[0] != bits[1])
    return differs


def _named(logged: pl.DataFrame, replayed: pl.DataFrame, column: Column, row: int) -> str:
    who = " and ".join(str(logged[name][row]) for name in keys(logged))
    online, offline = logged[column.qualified][row], replayed[column.qualified][row]
    return f"{column.qualified} of {who} as of {logged[EVENT][row]}: online {online!r}, offline {offline!r}"
