"""How long the pair columns of one request take, over ready values of what they are computed from.

Values are random: those of what the request asks about (a task, or a person) the same for all candidates, a third of
the others missing; lists and texts lie as in an online version, known by places and codes. "One by one" calls each
column's function on the columns themselves, and shares and writes down nothing; its values are compared, and the run
fails where one differs: bit for bit, but any NaN is like another. Columns that need one stored row are ready values
too, as an online version holds them (derived.py); "all" computes these as well.

The best of many runs, by the clock and by processor time: on a busy machine the two differ.

    python bench/pairs.py [--candidates 1000] [--repeats 100]
"""

import argparse
import os
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import polars as pl
from numpy.typing import NDArray

from bench.aims import Aims
from feature_repo.calls import Call
from feature_repo.column import Column, View
from feature_repo.derived import derived
from feature_repo.entities import Entity, content, job, occupation, person, skill, target, task
from feature_repo.features import VIEWS
from feature_repo.lists import Opened
from feature_repo.names import Names
from feature_repo.pairs import compute, wired
from feature_repo.plan import Hop, Plan, plan
from feature_repo.program import Beside
from feature_repo.table import LISTS, Stored, Table, typed
from feature_repo.views import polars_type
from training.products import PRODUCTS

MOST_MS = 2.0
AT, MISSING, LISTED, NAMES, WIDTH = 15_000.3, 1 / 3, 8, 200, 384
CANDIDATES = {
    "task_assignment": person,
    "task_performance": person,
    "talent_job_match": job,
    "skill_gap": skill,
    "career": occupation,
    "learning": content,
}
"""The entity of which there are many; the others are the same in all rows."""
SPINE = (person, task, job, target, skill, occupation, content)


def values(column: Column, rows: int, random: np.random.Generator) -> pl.Series:
    """Random values of a column's type; lists hold names, or as many numbers."""
    kind = polars_type(column)
    missing = random.random(rows) < MISSING
    if column.name == "vector":
        return pl.Series(random.normal(size=(rows, WIDTH))).arr.to_list()
    if isinstance(kind, pl.List):
        drawn = np.argsort(random.random((rows, NAMES)), axis=1)[:, :LISTED]
        listed = pl.Series(drawn).arr.to_list()
        return listed.cast(kind) if kind.inner == pl.String else (listed.list.eval(pl.element() % 5 + 1)).cast(kind)
    if kind == pl.String:
        names = random.integers(NAMES, size=rows) if column.name.endswith("_id") else np.arange(rows)
        words = "{}" if column.name.endswith("_id") else "Fix the login of project {}"
        return pl.select(pl.format(words, pl.Series(names))).to_series()
    numbers = AT - 100 * random.random(rows) if column.name in {"day", "last_started"} else 9 * random.random(rows)
    return pl.Series(np.where(missing, np.nan, numbers), nan_to_null=True).cast(kind, strict=False)


def is_per_row(view: View, candidate: Entity) -> bool:
    """Whether candidates differ in a view's columns: it is about them, or about what one of their columns names."""
    through = {entity.through.split("__")[0] for entity in view.entities if entity.through}
    return candidate in view.entities or any(is_per_row(each, candidate) for each in VIEWS if each.name in through)


@dataclass(frozen=True)
class Asked:
    """What a request has read before its pair columns, and the keys of its spine; and what programs read beside it.

    places: of lists in their columns, shape (views, rows).
    """

    table: Table
    beside: Beside
    places: NDArray[np.int64]

    @staticmethod
    def of(steps: Plan, candidate: Entity, rows: int) -> "Asked":
        views = [(view, columns) for hop in steps.hops for view, columns in hop.columns.items()]
        per_row, shared = np.arange(rows), np.zeros(rows, np.int64)
        places = np.array([per_row if is_per_row(view, candidate) else shared for view, _ in views])
        random = np.random.default_rng(1)
        drawn = [
            (view, column, values(column, own.max() + 1, random), own)
            for (view, columns), own in zip(views, places, strict=True)
            for column in columns
        ]
        texts = {column.qualified: series.gather(own) for _, column, series, own in drawn if column.dtype is str}
        table = blank(steps, {each.key: per_row if each == candidate else shared for each in SPINE}, texts)
        for view, column, series, own in drawn:
            if column.dtype in LISTS:
                table.others[column.qualified] = Stored(view.name, column.name, Opened(series.to_arrow()), own)
            elif column.dtype is not str:
                table.put(column, series.gather(own))
        row = {view.name: place for place, (view, _) in enumerate(views)}
        lists = {name: (row[each.view], each.opened) for name, each in table.others.items() if isinstance(each, Stored)}
        return Asked(table, Beside(lists, table.names), places)

    def compute(self, calls: Sequence[Sequence[Call]]) -> None:
        for each in calls:
            compute(each, self.table, self.places)


def blank(steps: Plan, spine: Mapping[str, NDArray[np.int64]], texts: Mapping[str, pl.Series]) -> Table:
    """Room for numbers, beside keys and texts by their codes."""
    keys = {key: pl.Series(ids).cast(pl.String) for key, ids in spine.items()}
    table = Table.of(steps.all, keys, np.full(len(next(iter(spine.values()))), AT))
    names = {name: Names.of(series) for name, series in texts.items()}
    slots = {name: place for place, name in enumerate([*table.slots, *texts])}
    codes = [names[name].codes(series) for name, series in texts.items()]
    return replace(table, slots=slots, numbers=np.vstack([table.numbers, *codes]), names=names)


def called(hops: Sequence[Hop], table: Table) -> None:
    """Each column by a call of its function, as who wrote it has it in mind."""
    for pair in (pair for hop in hops for pair in hop.pairs):
        found = pair.column.function(*(table.argument(name) for name in pair.inputs))
        table.put(pair.column, typed(pair.column, found))


def milliseconds(ways: Sequence[Callable[[], object]], repeats: int) -> list[tuple[float, float]]:
    """By the clock and of the processor, of the best run of each, in turn."""
    best = np.full((len(ways), 2), np.inf)
    for _ in range(repeats):
        for place, way in enumerate(ways):
            clock, processor = time.perf_counter(), time.process_time()
            way()
            spent = time.perf_counter() - clock, time.process_time() - processor
            best[place] = np.minimum(best[place], 1000 * np.array(spent))
    return [tuple(each) for each in best.tolist()]


def ready(product: str, rows: int, kept: Mapping[str, View]) -> tuple[Asked, list[Hop]]:
    """What a product's pair columns are computed from, and these. kept: those that are read, and of which view."""
    steps = plan(PRODUCTS[product].columns, None, [entity.key for entity in SPINE], kept=kept)
    asked = Asked.of(steps, CANDIDATES[product], rows)
    return asked, [Hop({}, {}, hop.pairs) for hop in steps.hops if hop.pairs]


def report(product: str, rows: int, repeats: int) -> tuple[bool, float]:
    """Print a line; whether both ways give the same, and how many ms it takes."""
    asked, hops = ready(product, rows, {name: each.source for name, each in derived(VIEWS).items()})
    calls = [wired(hop, asked.table, asked.beside) for hop in hops]
    apart = replace(asked.table, numbers=asked.table.numbers.copy(), others=dict(asked.table.others))
    asked.compute(calls)
    called(hops, apart)
    whole, further = ready(product, rows, {})
    everything = [wired(hop, whole.table, whole.beside) for hop in further]
    ways = [lambda: asked.compute(calls), lambda: called(hops, apart), lambda: whole.compute(everything)]
    (ours, spent), (one_by_one, _), (with_all, _) = milliseconds(ways, repeats)
    columns = sum(len(hop.pairs) for hop in hops)
    line = f"{columns:>8}{ours:>8.2f}{spent:>11.2f}{one_by_one:>12.2f}{one_by_one / ours:>7.1f}x{with_all:>8.2f}"
    print(f"{product:<18}{line}", flush=True)
    return same(hops, asked.table, apart), ours


def same(hops: Sequence[Hop], left: Table, right: Table) -> bool:
    columns = [pair.column.qualified for hop in hops for pair in hop.pairs]
    others = [name for name in columns if not left.is_number(name)]
    slots = [left.slots[name] for name in columns if left.is_number(name)]
    ours, theirs = left.numbers[slots], right.numbers[slots]
    either = np.isnan(ours) & np.isnan(theirs)
    return bool((either | (ours.view(np.uint64) == theirs.view(np.uint64))).all()) and all(
        left[name].equals(right[name], check_dtypes=True, null_equal=True) for name in others
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--candidates", type=int, default=1000)
    parser.add_argument("--repeats", type=int, default=100)
    given = parser.parse_args()
    busy = f"{os.getloadavg()[0]:.1f} runnable on {os.cpu_count()} processors"
    print(f"{given.candidates:,} candidates, ms, best of {given.repeats}; {busy}")
    print(f"{'':<18}{'columns':>8}{'ms':>8}{'processor':>11}{'one by one':>12}{'ratio':>8}{'all':>8}")
    equal, found = zip(*(report(each, given.candidates, given.repeats) for each in CANDIDATES), strict=True)
    print("all values equal" if all(equal) else "values DIFFER")
    aims = Aims()
    aims.at_most("the slowest product's: ms", max(found), MOST_MS)
    sys.exit(0 if all(equal) and not aims.missed else 1)


if __name__ == "__main__":
    main()
