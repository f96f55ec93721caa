"""How long a point-in-time join takes: ours through Feast, Feast's duckdb store, a DuckDB ASOF JOIN, polars join_asof.

All read the same parquet file; ours reads the index that publishing builds beside it, whose building is timed apart.
The data are such that all rules agree: an entity's events are at different instants. A tenth of the rows is recorded
days late; `known at` leaves those out until then, which an ASOF JOIN cannot say. Results are compared value by value.

    python bench/asof.py [--rows 10000000] [--spine 200000] [--columns 20] [--repeats 3]
"""

import argparse
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import polars as pl

from bench.aims import Aims
from feature_repo.column import Column, View
from feature_repo.entities import person
from feature_repo.index import write_index
from feature_repo.views import CREATED, EVENT, definitions, repo_config, view_file

DAY = 86_400_000_000  # us
START, SPAN = int(datetime(2010, 1, 1, tzinfo=UTC).timestamp()) * 1_000_000, 3 * 365 * DAY
OURS, STOCK, ASOF = "ours, through Feast", "Feast's duckdb store", "hand-written DuckDB ASOF JOIN"
ROWS_PER_ENTITY = 100
Read = Callable[[], pl.DataFrame]


def _nothing(_streams: Any) -> None:
    """The view's rows are generated here."""


def declared(columns: int) -> View:
    names = [f"f{place:02d}" for place in range(columns)]
    return View(
        "person", (person,), _nothing, 0, [Column(name=n, dtype=float, view="person", function=len) for n in names]
    )


def instants(values: np.ndarray[Any, Any]) -> pl.Series:
    return pl.Series(values=values.astype(np.int64)).cast(pl.Datetime("us", "UTC"))


def write_features(path: Path, rows: int, view: View) -> None:
    """Rows in random order: entity, event (its place makes it unique), created, random floats."""
    random = np.random.default_rng(42)
    entities = max(1, rows // ROWS_PER_ENTITY)
    event = START + (random.integers(0, SPAN, rows) // rows) * rows + np.arange(rows)
    late = random.integers(0, 30 * DAY, rows) * (random.random(rows) < 0.1)
    frame = pl.DataFrame(
        {person.key: random.integers(0, entities, rows), EVENT: instants(event), CREATED: instants(event + late)}
    )
    frame = frame.with_columns(pl.format("person-{}", person.key).alias(person.key))
    frame = frame.with_columns([pl.Series(column.name, random.random(rows)) for column in view.columns])
    path.parent.mkdir(parents=True)
    frame.write_parquet(path)


def spine(rows: int, features: int) -> pl.DataFrame:
    """Random entities, one in a hundred unknown, at random instants."""
    random = np.random.default_rng(7)
    numbers = random.integers(0, features // ROWS_PER_ENTITY * 101 // 100 + 1, rows)
    at = START + random.integers(0, SPAN, rows)
    frame = pl.DataFrame({person.key: numbers, EVENT: instants(at)}).with_row_index("row")
    return frame.with_columns(pl.format("person-{}", person.key).alias(person.key))


def by_feast(folder: Path, asked: pl.DataFrame, view: View, kind: str | None, known_at: bool) -> Read:
    """Feast's get_historical_features. kind: a store of Feast's own, None for ours."""
    import feast

    warnings.filterwarnings("ignore", category=DeprecationWarning)  # after Feast, which shows them again: ibis's own
    config = repo_config(folder / "registry.db", None)
    if kind:
        config.offline_config = kind
    store = feast.FeatureStore(config=config)
    store.apply(definitions([view], folder, []))
    entities, refs = asked.to_pandas(), [f"{view.name}:{column.name}" for column in view.columns]

    def read() -> pl.DataFrame:
        return pl.DataFrame(
            store.get_historical_features(entities, refs, filter_by_created_timestamp=known_at).to_arrow()
        )

    return read


def by_duckdb(path: Path, asked: pl.DataFrame, view: View) -> Read:
    names = ", ".join(f"feature.{column.name}" for column in view.columns)
    query = (
        f"select asked.*, {names} from asked asof left join read_parquet('{path}') feature "
        f"on asked.{person.key} = feature.{person.key} and asked.{EVENT} >= feature.{EVENT}"
    )

    def read() -> pl.DataFrame:
        with duckdb.connect() as connection:
            connection.register("asked", asked)
            return connection.sql(query).pl()

    return read


def by_polars(path: Path, asked: pl.DataFrame, view: View) -> Read:
    wanted = [person.key, EVENT, *(column.name for column in view.columns)]

    def read() -> pl.DataFrame:
        features = pl.read_parquet(path, columns=wanted).sort(EVENT)
        return asked.sort(EVENT).join_asof(features, on=EVENT, by=person.key, check_sortedness=False)

    return read


def timed(read: Read, repeats: int) -> tuple[float, pl.DataFrame]:
    """The best of some runs, and the result in the order of the spine."""
    seconds = []
    for _ in range(repeats):
        begun = time.perf_counter()
        found = read()
        seconds.append(time.perf_counter() - begun)
    return min(seconds), found.sort("row")


def compared(reads: dict[str, Read], view: View, repeats: int) -> dict[str, float]:
    """Seconds of each; raises AssertionError where one's values differ from the first one's."""
    seconds: dict[str, float] = {}
    names = ["row", *(column.name for column in view.columns)]
    first: pl.DataFrame | None = None
    for name, read in reads.items():
        seconds[name], found = timed(read, repeats)
        first = found.select(names) if first is None else first
        assert found.select(names).cast(first.schema).equals(first), f"{name} differs from {next(iter(reads))}"
    assert first is not None
    print(
        f"all {len(reads)} equal: {first.height:,} rows, {first[names[1]].null_count():,} of them without a feature row"
    )
    return seconds


def table(title: str, seconds: dict[str, float], bases: dict[str, str]) -> None:
    """Seconds, and for each base (heading: name of a row) how many times as long."""
    print(f"\n{title:<36}{'seconds':>9}" + "".join(f"{heading:>16}" for heading in bases))
    for name, each in seconds.items():
        ratios = "".join(f"{each / seconds[base]:>16.2f}" for base in bases.values())
        print(f"{name:<36}{each:>9.3f}{ratios}", flush=True)


def run(folder: Path, rows: int, asked_rows: int, columns: int, repeats: int, aims: Aims) -> None:
    view, asked = declared(columns), spine(asked_rows, rows)
    path = view_file(folder, view)
    write_features(path, rows, view)
    print(f"{asked_rows:,} spine rows over {rows:,} feature rows x {columns} columns, best of {repeats}")
    begun = time.perf_counter()
    write_index(path, view.keys, EVENT, CREATED)
    print(f"our index, built once on publishing: {time.perf_counter() - begun:.1f} s")
    reads: dict[str, Read] = {
        OURS: by_feast(folder, asked, view, None, known_at=False),
        STOCK: by_feast(folder, asked, view, "duckdb", known_at=False),
        ASOF: by_duckdb(path, asked, view),
        "polars join_asof": by_polars(path, asked, view),
    }
    seconds = compared(reads, view, repeats)
    table("true by then", seconds, {"/ ASOF JOIN": ASOF, "/ Feast's": STOCK})
    print()
    aims.at_most("times the ASOF JOIN", seconds[OURS] / seconds[ASOF], 1.5)
    aims.at_least("times as fast as Feast's duckdb store", seconds[STOCK] / seconds[OURS], 3)
    print()
    known = {
        f"{OURS}, known at": by_feast(folder, asked, view, None, known_at=True),
        f"{STOCK}, known at": by_feast(folder, asked, view, "duckdb", known_at=True),
    }
    table("true and known by then", compared(known, view, repeats), {"/ Feast's": f"{STOCK}, known at"})


def main() -> int:
    """Print the tables; 1 where an aim is missed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=10_000_000)
    parser.add_argument("--spine", type=int, default=200_000)
    parser.add_argument("--columns", type=int, default=20)
    parser.add_argument("--repeats", type=int, default=3)
    given = parser.parse_args()
    aims = Aims()
    with tempfile.TemporaryDirectory() as folder:
        run(Path(folder), given.rows, given.spine, given.columns, given.repeats, aims)
    return aims.status()


if __name__ == "__main__":
    sys.exit(main())
