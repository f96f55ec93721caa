"""Pair columns that need no pair: the row of one stored view, and the instant, are enough to compute them.

In an online version the instant is the same for all questions. So these columns are computed when it is written, once
for each row instead of once for each question, and read like stored ones (packing.py, reader.py).
"""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import polars as pl

from feature_repo.column import Column, View
from feature_repo.pairs import compute, wired
from feature_repo.plan import AT, Catalogue, plan
from feature_repo.table import KINDS, Table

COMPUTING = (
    "calls", "compiled", "derived", "interpreter", "lists", "names", "once", "pairs", "program", "recording", "table",
)  # fmt: skip
"""The modules that say how columns are computed, beside those that declare them."""


@dataclass(frozen=True)
class Derived:
    """A pair column and the stored view whose row it needs; of an entity that is one, the only row besides.

    reads: the qualified names of all that it is computed from, through other pair columns too; and AT.
    """

    column: Column
    source: View
    reads: frozenset[str]


def derived(views: Sequence[View]) -> dict[str, Derived]:
    """By qualified name the pair columns, of numbers and of texts, that need one stored view's row only."""
    catalogue = Catalogue.of(views)
    pairs = [column for column in catalogue.columns.values() if catalogue.is_pair(column)]
    found = (_derived(column, catalogue) for column in pairs if column.dtype in (*KINDS, str))
    return {each.column.qualified: each for each in found if each}


def _derived(column: Column, catalogue: Catalogue) -> Derived | None:
    reads = _reads(column, catalogue)
    declared = {name: catalogue.columns.get(name) for name in reads if name != AT}
    if not all(declared.values()):
        return None  # the others are columns of a question's own, such as the skill that it is about
    sources = {catalogue.views[each.view] for each in declared.values() if each and not catalogue.is_pair(each)}
    keyed = {view for view in sources if not is_one(view)} or sources
    return Derived(column, keyed.pop(), reads) if len(keyed) == 1 else None


def is_one(view: View) -> bool:
    """Whether a view has one row, whatever a question is about."""
    return all(entity.is_one for entity in view.entities)


def _reads(column: Column, catalogue: Catalogue) -> frozenset[str]:
    found: set[str] = set()
    left = [column]
    while left:
        new = set(left.pop().reads) - found
        found |= new
        known = (catalogue.columns[name] for name in new if name in catalogue.columns)
        left += [each for each in known if catalogue.is_pair(each)]
    return frozenset(found)


def with_derived(
    rows: pl.DataFrame, wanted: Iterable[Derived], views: Sequence[View], at: float, only: pl.DataFrame
) -> pl.DataFrame:
    """The rows of one view, by qualified names, and further columns for them.

    at: days since 1970. only: the columns of views of one row, that row.
    """
    columns = [each.column for each in wanted]
    known = rows.with_columns(only[name].new_from_index(0, rows.height) for name in set(only.columns) - {*rows.columns})
    stored = {each.qualified: each for view in views for each in view.columns if each.qualified in known.columns}
    steps = plan(columns, views, (), tuple(stored))
    table = Table.of(steps.all, {}, np.full(rows.height, at))
    for name in stored.keys() & steps.all.keys():
        table.put(stored[name], known[name])
    for hop in steps.hops:
        compute(wired(hop, table), table)
    return rows.with_columns(table[column.qualified] for column in columns)


@cache
def functions(package: Path = Path(__file__).parent) -> str:
    """What the platform's columns are computed by: a hash of all files that declare them, or say how that is done.

    A version that others computed is still read, but not its derived columns: they are what that release took them for.
    """
    digest = hashlib.sha256()
    for path in [*sorted((package / "features").glob("*.py")), *(package / f"{name}.py" for name in COMPUTING)]:
        digest.update(path.read_bytes())
    return digest.hexdigest()[:8]
