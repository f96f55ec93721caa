"""How long the features of some entities take: ours, Feast's online stores, and packed rows without any of it.

10,000 entities of a view of 20 numbers are published as the platform publishes: that one materialisation writes our
packed copy and Feast's embedded store (SQLite). The same rows are materialised into Feast on Redis, and left packed in
Redis (MGET) and in a matrix of this process, which is the least that a read can take. Feast's end in a frame (to_df);
ours in the table that the service's models read, and once more in a frame. All give the same values, which is checked
first. Ends with status 1 where an aim is missed.

    python bench/online.py [--entities 10000] [--columns 20] [--repeats 10]
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, redirect_stdout
from datetime import UTC, datetime, timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import redis
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from bench.aims import Aims
from feature_repo.column import Column, View
from feature_repo.entities import person
from feature_repo.online import OnlineSnapshot
from feature_repo.publish import publish
from feature_repo.retrieval import online_frame, online_table
from feature_repo.settings import Settings
from feature_repo.sources.processes import free_port
from feature_repo.table import Table
from feature_repo.versions import current
from feature_repo.views import CREATED, EVENT, definitions, repo_config, view_file
from feature_repo.window import last_before

AS_OF = datetime(2026, 1, 1, tzinfo=UTC)
OURS, FRAME = "ours, the table that models read", "ours, as a frame"
FEAST_REDIS, FEAST_EMBEDDED = "Feast, Redis", "Feast, embedded store"
MGET, MATRIX = "packed rows, Redis MGET", "packed rows, a matrix in this process"
ASKED, BURST = (100, 1_000), 5
AIMS = {FEAST_REDIS: 30.0, FEAST_EMBEDDED: 50.0}
UNKNOWN, MISSING = 0.01, 0.05
Floats = NDArray[np.float64]
Read = Callable[[list[str]], Any]
"""ids -> a frame (Feast: pandas; ours: polars), our table, or rows."""


def _nothing(_streams: Any) -> None:
    """The view's rows are generated here."""


def declared(columns: int) -> View:
    names = [f"f{place:02d}" for place in range(columns)]
    return View(
        "person", (person,), _nothing, 0, [Column(name=n, dtype=float, view="person", function=len) for n in names]
    )


def generated(view: View, entities: int) -> pl.DataFrame:
    """A row per entity, some values missing."""
    random = np.random.default_rng(42)
    values = random.normal(size=(entities, len(view.columns)))
    values[random.random(values.shape) < MISSING] = np.nan
    frame = pl.DataFrame(values, schema=[column.name for column in view.columns]).fill_nan(None)
    at = pl.lit(AS_OF - timedelta(days=1)).cast(pl.Datetime("us", "UTC"))
    keys = pl.DataFrame({person.key: [f"person-{place:06d}" for place in range(entities)]})
    return keys.hstack(frame).with_columns(at.alias(EVENT), at.alias(CREATED))


def published(home: Path, view: View, rows: pl.DataFrame) -> None:
    """Publish the rows: offline, our packed copy, and Feast's embedded online store."""
    path = view_file(home / "staged", view)
    path.parent.mkdir(parents=True)
    rows.write_parquet(path)
    publish(Settings(home=home, _env_file=None), AS_OF, views=[view])


@contextmanager
def redis_server(folder: Path) -> Iterator[int]:
    """A Redis of our own, which keeps nothing; its port."""
    port = free_port()
    command = ["redis-server", "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", str(folder)]
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    try:
        client = redis.Redis(port=port)
        for _ in range(100):
            try:
                client.ping()
                break
            except redis.ConnectionError:
                time.sleep(0.05)
        yield port
    finally:
        server.terminate()
        server.wait(10)


def by_ours(home: Path, view: View) -> Mapping[str, Read]:
    """The table that models read in the service, and the frame for anybody else."""
    snapshot = OnlineSnapshot.open(home)
    return {
        OURS: lambda ids: online_table(snapshot, {person.key: ids}, len(ids), view.columns, views=[view]),
        FRAME: lambda ids: online_frame(snapshot, pl.DataFrame({person.key: ids}), view.columns, views=[view]),
    }


def by_feast(store: Any, view: View) -> Read:
    """Feast's own way."""
    refs = [f"{view.name}:{column.name}" for column in view.columns]
    return lambda ids: store.get_online_features(refs, [{person.key: each} for each in ids]).to_df()


def embedded(home: Path) -> Any:
    """Feast over the store that publishing wrote."""
    import feast

    folder = home / "feast"
    return feast.FeatureStore(config=repo_config(folder / "registry.db", folder / "online_store.db"))


def on_redis(home: Path, view: View, port: int) -> Any:
    """Feast with the published rows materialised into Redis."""
    import feast

    config = repo_config(home / "redis-registry.db", None)
    config.online_config = {"type": "redis", "connection_string": f"127.0.0.1:{port}"}
    store = feast.FeatureStore(config=config)
    store.apply(definitions([view], current(home / "offline"), []))
    with redirect_stdout(StringIO()):
        store.materialize(AS_OF - timedelta(days=30), last_before(AS_OF), feature_views=[view.name])
    return store


def packed(rows: pl.DataFrame, view: View) -> tuple[Mapping[str, int], Floats]:
    """Each entity's place, and all rows and a last one of nothing, shape (entities + 1, columns)."""
    values = rows.select(column.name for column in view.columns).fill_null(np.nan).to_numpy()
    places = {name: place for place, name in enumerate(rows[person.key].to_list())}
    return places, np.ascontiguousarray(np.vstack([values, np.full(values.shape[1], np.nan)]))


def by_mget(places: Mapping[str, int], values: Floats, port: int) -> Read:
    """A value of bytes per entity."""
    client = redis.Redis(port=port)
    client.mset({f"packed:{name}": values[place].tobytes() for name, place in places.items()})
    nothing = values[-1].tobytes()

    def read(ids: list[str]) -> Floats:
        found: Any = client.mget([f"packed:{each}" for each in ids])
        return np.frombuffer(b"".join(nothing if each is None else each for each in found)).reshape(len(ids), -1)

    return read


def by_matrix(places: Mapping[str, int], values: Floats) -> Read:
    """A look into a dictionary per entity."""
    last = len(values) - 1
    return lambda ids: values[[places.get(each, last) for each in ids]]


def numbers(found: Any, view: View) -> Floats:
    """The values of a read, shape (entities, columns)."""
    if isinstance(found, np.ndarray):
        return found
    found = found.frame if isinstance(found, Table) else found
    if isinstance(found, pl.DataFrame):
        return found.select(column.qualified for column in view.columns).fill_null(np.nan).to_numpy()
    return np.asarray(found[[column.name for column in view.columns]].to_numpy(np.float64))


def asked(count: int, entities: int, seed: int) -> list[str]:
    """Different ids in random order, one in a hundred of nobody."""
    random = np.random.default_rng(seed)
    chosen = random.permutation(entities)[:count]
    unknown = random.random(count) < UNKNOWN
    return [f"nobody-{each}" if gone else f"person-{each:06d}" for each, gone in zip(chosen, unknown, strict=True)]


def timed(reads: Mapping[str, Read], count: int, entities: int, repeats: int) -> dict[str, float]:
    """The median ms of each, a burst at a time in turns, so that all meet the same neighbours on the machine.

    In a burst, because the first read after 15 ms of Feast meets caches full of Feast: it takes three times as long.
    """
    found: dict[str, list[float]] = {name: [] for name in reads}
    for turn in range(repeats):
        for name, read in reads.items():
            for ids in [asked(count, entities, turn * BURST + place) for place in range(BURST)]:
                begun = time.perf_counter()
                read(ids)
                found[name].append(1e3 * (time.perf_counter() - begun))
    return {name: statistics.median(each) for name, each in found.items()}


def check_equal(reads: Mapping[str, Read], view: View, entities: int) -> None:
    """Ends the bench where one gives other values."""
    for count in ASKED:
        ids = asked(count, entities, seed=-1 % 2**32)
        first = numbers(reads[MATRIX](ids), view)
        for name, read in reads.items():
            if not np.array_equal(numbers(read(ids), view), first, equal_nan=True):
                raise SystemExit(f"{name}: other values than were published")
    print(f"all {len(reads)} give equal values, bit for bit")


def report(ms: Mapping[int, Mapping[str, float]], aims: Aims) -> None:
    """A row per way, then the aims."""
    print(f"{'':<40}" + "".join(f"{f'{count:,} entities':>16}{'/ ours':>9}" for count in ms))
    for name in next(iter(ms.values())):
        print(f"{name:<40}" + "".join(f"{each[name]:>13.3f} ms{each[name] / each[OURS]:>9.1f}" for each in ms.values()))
    print()
    for count, each in ms.items():
        for name, least in AIMS.items():
            aims.at_least(f"{count:,} entities: times as fast as {name}", each[name] / each[OURS], least)


def main() -> int:
    """Print the table; 1 where an aim is missed."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    for flag, default in (("--entities", 10_000), ("--columns", 20), ("--repeats", 10)):
        parser.add_argument(flag, type=int, default=default)
    given = parser.parse_args()
    view, aims = declared(given.columns), Aims()
    rows = generated(view, given.entities)
    print(f"{given.entities:,} entities x {given.columns} columns, load average {os.getloadavg()[0]:.1f} before")
    with tempfile.TemporaryDirectory() as folder, redis_server(Path(folder)) as port, threadpool_limits(1):
        home = Path(folder) / "home"
        published(home, view, rows)
        matrix = packed(rows, view)
        reads = {
            **by_ours(home, view),
            FEAST_REDIS: by_feast(on_redis(home, view, port), view),
            FEAST_EMBEDDED: by_feast(embedded(home), view),
            MGET: by_mget(*matrix, port),
            MATRIX: by_matrix(*matrix),
        }
        check_equal(reads, view, given.entities)
        report({count: timed(reads, count, given.entities, given.repeats) for count in ASKED}, aims)
    print(f"\nload average {os.getloadavg()[0]:.1f} after")
    return aims.status()


if __name__ == "__main__":
    sys.exit(main())
