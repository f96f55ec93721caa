"""Writes the online copy: per view the row of each entity that counts as of an instant, packed for one kernel.

names/<name>.arrow  the texts of a key, or of a column; a text's code is its place
codes.npy           view after view, of each entity its keys' codes as one number, sorted
columns.npy         view after view, column after column, the rows in that order and a last one of nothing: numbers, NaN
                    where missing, and the codes of texts; first the view's own, then those that are derived from them
<view>.arrow        lists and times: rows in the same order, the last one null
snapshot.json       what is where
digests.json        what each of these is, so that a damaged one is not read

Rows are found by the functions of the historical read (asof.py), so both give the same bits. Derived columns, such as
the words of a task's title, are computed by their pair functions (derived.py); in the last row they are what these give
for what is missing, so that nothing is 0 tasks where somebody is not known.
"""

import json
import operator
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from itertools import accumulate
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from feature_repo.asof import Index, batch
from feature_repo.column import Column, View
from feature_repo.derived import Derived, derived, functions, is_one, with_derived
from feature_repo.digests import write_digests
from feature_repo.errors import DataError
from feature_repo.index import write_batch
from feature_repo.names import Names
from feature_repo.table import DAY, KINDS, as_numbers
from feature_repo.views import polars_type, stored
from feature_repo.window import last_before

SNAPSHOT, CODES, NUMBERS = "snapshot.json", "codes.npy", "columns.npy"
Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Frames = Mapping[str, pl.DataFrame]
"""Per view the keys of its entities and, by qualified names, the columns; the last row is of nothing."""


def microseconds(instant: datetime) -> int:
    """us since 1970 of an aware instant."""
    seconds = round(instant.replace(microsecond=0).timestamp())
    return seconds * 1_000_000 + instant.microsecond


def write_snapshot(
    folder: Path, views: Sequence[View], indexes: Mapping[str, Index], as_of: datetime, offline: str
) -> None:
    """Write the packed rows of every view into a folder, and what they are. offline: the version they come from."""
    packed, beside = stored(views), _beside(views)
    at = microseconds(last_before(as_of)) / DAY
    found = {view.name: winners(indexes[view.name], view, as_of) for view in packed}
    ones = [found[view.name][:1].drop(view.keys) for view in packed if is_one(view)]  # two may have the same key
    only = pl.concat(ones or [pl.DataFrame()], how="horizontal")
    frames = {name: with_derived(rows, beside[name], views, at, only) for name, rows in found.items()}
    columns = {view.name: [*numeric(view), *(each.column for each in beside[view.name])] for view in packed}
    held = held_keys(views)
    names = _names(packed, columns, frames, held)
    for name, known in names.items():
        known.write(names_file(folder, name))
    ordered = {view.name: _ordered(view, frames[view.name], names) for view in packed}
    np.save(folder / CODES, np.concatenate([codes for codes, _ in ordered.values()]))
    numbers = [_numbers(columns[name], rows, names, held) for name, (_, rows) in ordered.items()]
    np.save(folder / NUMBERS, np.concatenate(numbers, axis=None))
    for view in packed:
        write_batch(folder / f"{view.name}.arrow", batch(_others(view, ordered[view.name][1])))
    facts = {
        "as_of": as_of.isoformat(),
        "offline": offline,
        "functions": functions(),
        "rows": {name: len(codes) for name, (codes, _) in ordered.items()},
        "columns": {name: [column.qualified for column in each] for name, each in columns.items()},
        "names": list(names),
    }
    (folder / SNAPSHOT).write_text(json.dumps(facts, indent=1))
    write_digests(folder)


def _beside(views: Sequence[View]) -> dict[str, list[Derived]]:
    """By stored view what is derived from its rows."""
    found: dict[str, list[Derived]] = {view.name: [] for view in stored(views)}
    for each in derived(views).values():
        found[each.source.name].append(each)
    return found


def packed_rows(folder: Path) -> dict[str, int]:
    """Per view the number of entities in a version's folder."""
    rows: dict[str, int] = json.loads((folder / SNAPSHOT).read_text())["rows"]
    return rows


def names_file(folder: Path, name: str) -> Path:
    """Where the texts of a key or a column are."""
    path = folder / "names" / f"{name}.arrow"
    path.parent.mkdir(exist_ok=True)
    return path


def winners(index: Index, view: View, as_of: datetime) -> pl.DataFrame:
    """The keys and columns of every entity that has a row which counts just before as_of; and a row of nulls."""
    at = np.full(index.entities.keys.num_rows, microseconds(last_before(as_of)))
    places = index.winner(np.arange(len(at)), at, view.ttl_days * 86_400_000_000)
    found = np.flatnonzero(places >= 0)
    keys = [pl.Series(key, index.entities.keys[key]).gather(found).cast(pl.String) for key in view.keys]
    taken = zip(view.columns, index.take(places[found], [column.name for column in view.columns]), strict=True)
    columns = (pl.Series(each.qualified, values).cast(polars_type(each)) for each, values in taken)
    rows = pl.DataFrame([*keys, *columns])
    return pl.concat([rows, rows.clear(1)])


def held_keys(views: Iterable[View]) -> dict[str, str]:
    """The qualified columns that hold a key of one of the views, and that key."""
    return {each.through: each.key for view in views for each in view.entities if each.through}


def numeric(view: View) -> list[Column]:
    """The columns that are numbers, or texts by their codes."""
    return [column for column in view.columns if column.dtype in (*KINDS, str)]


def _names(
    views: Sequence[View], columns: Mapping[str, Sequence[Column]], frames: Frames, held: Mapping[str, str]
) -> dict[str, Names]:
    """The texts of each key, in views and in columns that hold it; and those of the other columns of texts."""
    keys: dict[str, list[pl.Series]] = {key: [] for view in views for key in view.keys}
    names = {}
    for view in views:
        rows = frames[view.name]
        for key in view.keys:
            keys[key].append(rows[key])
        for column in columns[view.name]:
            if column.qualified in held:
                keys[held[column.qualified]].append(rows[column.qualified])
            elif column.dtype is str:
                names[column.qualified] = Names.of(rows[column.qualified])
    return names | {key: Names.keys(pl.concat([each.alias(key) for each in texts])) for key, texts in keys.items()}


def strides(sizes: Sequence[int], view: str) -> list[int]:
    """By what the codes of a view's keys are multiplied to make one: the first key counts singly.

    sizes: how many names each key has. Raises DataError where an int64 is too small for the product.
    """
    products = list(accumulate(sizes, operator.mul, initial=1))
    if products[-1] >= 2**63:
        raise DataError(f"view {view}: {' x '.join(map(str, sizes))} possible keys, allowed: fewer than 2^63")
    return products[:-1]


def _ordered(view: View, rows: pl.DataFrame, names: Mapping[str, Names]) -> tuple[Ints, pl.DataFrame]:
    """The codes of a view's entities, sorted, and its rows in that order, the one of nothing last."""
    steps = strides([len(names[key]) for key in view.keys], view.name)
    digits = [names[key].codes(rows[key][:-1]).astype(np.int64) for key in view.keys]
    codes: Ints = np.sum([digit * step for digit, step in zip(digits, steps, strict=True)], axis=0, dtype=np.int64)
    order = np.argsort(codes)
    return codes[order], rows[np.append(order, len(order))]


def _numbers(
    columns: Sequence[Column], rows: pl.DataFrame, names: Mapping[str, Names], held: Mapping[str, str]
) -> Floats:
    """Columns as numbers, shape (columns, rows).

    Column after column: a question reads few of them, and rows that stand together. 100 people's 118 take 5 us less.
    """
    found = np.empty((len(columns), rows.height))
    for place, column in enumerate(columns):
        values = rows[column.qualified]
        known = names.get(held.get(column.qualified, column.qualified))
        found[place] = known.codes(values) if known and column.dtype is str else as_numbers(values)
    return found


def _others(view: View, rows: pl.DataFrame) -> pl.DataFrame:
    """The columns that are no numbers, by plain names."""
    others = [column for column in view.columns if column not in numeric(view)]
    return rows.select(pl.col(column.qualified).alias(column.name) for column in others)
