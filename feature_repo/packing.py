"""Writes the online copy: per view the row of each entity that counts as of an instant, packed for one kernel.

names/<name>.arrow  the texts of a key, or of a column; a text's code is its place
codes.npy           view after view, of each entity its keys' codes as one number, sorted
numbers.npy         view after view, the rows in that order and a last one of nothing: numbers, NaN where missing, and
                    the codes of texts
<view>.arrow        lists and times: rows in the same order, the last one null
snapshot.json       what is where
digests.json        what each of these is, so that a damaged one is not read

Rows are found by the functions of the historical read (asof.py), so both give the same bits. Columns that are read off
an entity's own, such as the words of a task's title, are computed here, once, by their pair functions.
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
from feature_repo.digests import write_digests
from feature_repo.errors import DataError
from feature_repo.index import write_batch
from feature_repo.names import Names
from feature_repo.pairs import compute, wired
from feature_repo.plan import plan
from feature_repo.table import KINDS, Table, as_numbers
from feature_repo.views import polars_type, stored
from feature_repo.window import last_before

SNAPSHOT, CODES, NUMBERS = "snapshot.json", "codes.npy", "numbers.npy"
Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Frames = Mapping[str, pl.DataFrame]
"""Per view the keys and columns of its entities, by plain names."""


def microseconds(instant: datetime) -> int:
    """us since 1970 of an aware instant."""
    seconds = round(instant.replace(microsecond=0).timestamp())
    return seconds * 1_000_000 + instant.microsecond


def write_snapshot(
    folder: Path, views: Sequence[View], indexes: Mapping[str, Index], as_of: datetime, offline: str
) -> None:
    """Write the packed rows of every view into a folder, and what they are. offline: the version they come from."""
    frames = {view.name: winners(indexes[view.name], view, as_of) for view in stored(views)}
    frames |= {view.name: _computed(view, source, frames[source.name]) for view, source in read_off(views)}
    packed = [view for view in views if view.name in frames]
    names = _names(packed, frames)
    for name, known in names.items():
        known.write(names_file(folder, name))
    ordered = {view.name: _ordered(view, frames[view.name], names) for view in packed}
    np.save(folder / CODES, np.concatenate([codes for codes, _ in ordered.values()]))
    numbers = [_numbers(view, ordered[view.name][1], names, held_keys(packed)) for view in packed]
    np.save(folder / NUMBERS, np.concatenate(numbers, axis=None))
    for view in packed:
        others = ordered[view.name][1].select(column.name for column in view.columns if column not in numeric(view))
        write_batch(folder / f"{view.name}.arrow", batch(pl.concat([others, others.clear(1)])))
    rows = {view.name: frames[view.name].height for view in packed}
    columns = {view.name: [column.name for column in numeric(view)] for view in packed}
    facts = {"as_of": as_of.isoformat(), "offline": offline, "rows": rows, "columns": columns, "names": list(names)}
    (folder / SNAPSHOT).write_text(json.dumps(facts, indent=1))
    write_digests(folder)


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
    """The keys and columns of every entity that has a row which counts just before as_of."""
    at = np.full(index.entities.keys.num_rows, microseconds(last_before(as_of)))
    places = index.winner(np.arange(len(at)), at, view.ttl_days * 86_400_000_000)
    found = np.flatnonzero(places >= 0)
    keys = [pl.Series(key, index.entities.keys[key]).gather(found).cast(pl.String) for key in view.keys]
    taken = zip(view.columns, index.take(places[found], [column.name for column in view.columns]), strict=True)
    return pl.DataFrame([*keys, *(pl.Series(each.name, values).cast(polars_type(each)) for each, values in taken)])


def read_off(views: Iterable[View]) -> list[tuple[View, View]]:
    """Pair views whose columns are computed from those of one stored view of the same keys, each with that view."""
    known = list(views)
    found = []
    for view in known:
        sources = {name.split("__")[0] for column in view.columns for name in column.reads} if view.rows is None else {}
        found += [(view, each) for each in stored(known) if sources == {each.name} and each.keys == view.keys]
    return found


def _computed(view: View, source: View, rows: pl.DataFrame) -> pl.DataFrame:
    """The columns of a view that is read off another one, for the rows of that."""
    given = {column.qualified: column for column in source.columns}
    steps = plan(view.columns, [view, source], view.keys, tuple(given))
    table = Table.of(steps.all, {}, np.full(rows.height, np.nan))
    for name in given.keys() & steps.all.keys():
        table.put(given[name], rows[given[name].name])
    for hop in steps.hops:
        compute(wired(hop, table), table)
    return rows.select(view.keys).with_columns(table[column.qualified].alias(column.name) for column in view.columns)


def held_keys(views: Iterable[View]) -> dict[str, str]:
    """The qualified columns that hold a key of one of the views, and that key."""
    return {each.through: each.key for view in views for each in view.entities if each.through}


def numeric(view: View) -> list[Column]:
    """The columns that are numbers, or texts by their codes."""
    return [column for column in view.columns if column.dtype in (*KINDS, str)]


def _names(views: Sequence[View], frames: Frames) -> dict[str, Names]:
    """The texts of each key, in views and in columns that hold it; and those of the other columns of texts."""
    held = held_keys(views)
    keys: dict[str, list[pl.Series]] = {key: [] for view in views for key in view.keys}
    names = {}
    for view in views:
        for key in view.keys:
            keys[key].append(frames[view.name][key])
        for column in view.columns:
            if column.qualified in held:
                keys[held[column.qualified]].append(frames[view.name][column.name].alias(column.qualified))
            elif column.dtype is str:
                names[column.qualified] = Names.of(frames[view.name][column.name])
    return names | {key: Names.keys(pl.concat(texts).alias(key)) for key, texts in keys.items()}


def strides(sizes: Sequence[int], view: str) -> list[int]:
    """By what the codes of a view's keys are multiplied to make one: the first key counts singly.

    sizes: how many names each key has. Raises DataError where an int64 is too small for the product.
    """
    products = list(accumulate(sizes, operator.mul, initial=1))
    if products[-1] >= 2**63:
        raise DataError(f"view {view}: {' x '.join(map(str, sizes))} possible keys, allowed: fewer than 2^63")
    return products[:-1]


def _ordered(view: View, rows: pl.DataFrame, names: Mapping[str, Names]) -> tuple[Ints, pl.DataFrame]:
    """The codes of a view's entities, sorted, and its rows in that order."""
    steps = strides([len(names[key]) for key in view.keys], view.name)
    digits = [names[key].codes(rows[key]).astype(np.int64) for key in view.keys]
    codes: Ints = np.sum([digit * step for digit, step in zip(digits, steps, strict=True)], axis=0, dtype=np.int64)
    order = np.argsort(codes)
    return codes[order], rows[order]


def _numbers(view: View, rows: pl.DataFrame, names: Mapping[str, Names], held: Mapping[str, str]) -> Floats:
    """The numeric columns, shape (rows + 1, columns)."""
    found = np.full((rows.height + 1, len(numeric(view))), np.nan)
    for place, column in enumerate(numeric(view)):
        values = rows[column.name]
        known = names.get(held.get(column.qualified, column.qualified))
        found[:-1, place] = known.codes(values) if known and column.dtype is str else as_numbers(values)
    return found
