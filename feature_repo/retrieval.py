"""The one reader of features: historical_frame for training, online_frame for serving, and facts for labels."""

from collections.abc import Sequence
from datetime import datetime
from functools import lru_cache
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import polars as pl

from feature_repo.asof import Integers
from feature_repo.column import Column, View
from feature_repo.errors import DataError
from feature_repo.feast_import import imported_feast
from feature_repo.online import OnlineSnapshot
from feature_repo.pairs import compute, wired
from feature_repo.plan import Hop, plan
from feature_repo.reader import Given, Spine, given_names, put_given, reader
from feature_repo.sources.stream import RECORDED_AT, Stream
from feature_repo.sources.streams import stream as stream_named
from feature_repo.table import DAY, Table
from feature_repo.versions import current
from feature_repo.views import EVENT, polars_type, repo_config

if TYPE_CHECKING:
    import feast

ROW = "__row"  # the spine's row number, which goes through Feast and back
MOST_ROWS = 50_000  # read at once: what Feast hands over and what pair columns read is a multiple of what is wanted


def historical_frame(
    home: Path,
    spine: pl.DataFrame,
    columns: Sequence[Column],
    given: Given = None,
    *,
    views: Sequence[View] | None = None,
) -> pl.DataFrame:
    """The spine and each column's value as it was known at the row's event_timestamp; rows and their order are kept.

    spine: keys and event_timestamp, aware; one Feast call reads all entity columns of a hop (Plan). views: None for the
    platform's own. given: as in online_frame. Missing values are null.
    Raises DataError for an unknown column, a key that is missing (or null, in an entity that is not known through
    another), a naive or null event_timestamp, or when Feast gives other rows than it was asked for.
    """
    if given is None and spine.height > MOST_ROWS:
        parts = [historical_frame(home, part, columns, views=views) for part in spine.iter_slices(MOST_ROWS)]
        return pl.concat(parts, rechunk=True)
    at = _instants(spine)
    steps = plan(columns, views, spine.columns, given_names(given))
    steps.check_new(spine.columns)
    store = _store(current(home / "offline"))
    keys = {name: spine[name] for name in spine.columns}
    table = Table.of(steps.all, keys, at / DAY, [*keys, *steps.names])
    put_given(table, given)
    for hop in steps.hops:
        _check_keys(spine, hop)
        if hop.columns:
            _read(store, hop, table, at)
        compute(wired(hop, table), table)
    return table.frame


def online_frame(
    snapshot: OnlineSnapshot,
    spine: pl.DataFrame,
    columns: Sequence[Column],
    given: Given = None,
    *,
    views: Sequence[View] | None = None,
) -> pl.DataFrame:
    """As historical_frame with every event_timestamp at snapshot.at: the same schema and bits, without Feast.

    given: by qualified name, values (one for all rows, or one a row) that stand in for the store's, such as those of a
    task that is not stored yet; keys among them lead to further entities. Entities that nobody knows have nulls.
    """
    keys = {name: spine.get_column(name) for name in spine.columns}
    return online_table(snapshot, keys, spine.height, columns, given, views=views).frame


def online_table(
    snapshot: OnlineSnapshot,
    spine: Spine,
    rows: int,
    columns: Sequence[Column],
    given: Given = None,
    *,
    views: Sequence[View] | None = None,
) -> Table:
    """As online_frame, before anybody needs a frame."""
    return reader(snapshot, columns, views, tuple(spine), given_names(given)).read(spine, rows, given)


def facts(
    home: Path, stream: Stream | str, known_before: datetime, *, first: bool = False, version: str | None = None
) -> pl.LazyFrame:
    """A published stream's rows with recorded_at < known_before: of each key the version recorded last, or first.

    Of two recorded at the same instant the later row counts. version: of the offline store, the current one if None.
    Raises DataError for a naive instant, or when the stream is not published.
    """
    declared = stream_named(stream) if isinstance(stream, str) else stream
    if known_before.tzinfo is None:
        raise DataError(f"known_before: {known_before} has no time zone, allowed: aware instants")
    offline = home / "offline"
    path = (offline / version if version else current(offline)) / "streams" / f"{declared.name}.parquet"
    if not path.is_file():
        raise DataError(f"stream {declared.name}: not in the published version {path.parent.parent.name}")
    known = pl.scan_parquet(path).filter(pl.col(RECORDED_AT.name) < known_before)
    keep: Literal["first", "last"] = "first" if first else "last"
    return known.sort(RECORDED_AT.name, maintain_order=True).unique(declared.key, keep=keep, maintain_order=True)


# The historical side


def _instants(spine: pl.DataFrame) -> Integers:
    """The spine's event_timestamp, us since 1970."""
    if EVENT not in spine.columns:
        raise DataError(f"spine: has no {EVENT}, it has {spine.columns}")
    times = spine[EVENT]
    if not isinstance(times.dtype, pl.Datetime) or times.dtype.time_zone is None:
        raise DataError(f"spine: {EVENT} is {times.dtype}, allowed: aware instants, such as {pl.Datetime('us', 'UTC')}")
    if times.null_count():
        raise DataError(f"spine: {times.null_count()} of {len(times)} rows have no {EVENT}")
    nanoseconds = times.dtype.time_unit == "ns"
    exact: Integers = (times if nanoseconds else times.dt.cast_time_unit("us")).to_physical().to_numpy()
    return exact // 1000 if nanoseconds else exact


def _check_keys(spine: pl.DataFrame, hop: Hop) -> None:
    own = {entity.key for view in hop.columns for entity in view.entities if not entity.through}
    for key in sorted(own):
        if spine[key].null_count():
            raise DataError(f"spine: {spine[key].null_count()} of {spine.height} rows have no {key}")


@lru_cache(maxsize=4)
def _store(version: Path) -> "feast.FeatureStore":
    """Feast over one offline version; versions never change, so neither does this."""
    return imported_feast().FeatureStore(config=repo_config(version / "registry.db", online=None))


def _read(store: "feast.FeatureStore", hop: Hop, table: Table, at: Integers) -> None:
    """Add the hop's stored columns to the table."""
    columns = list(chain(*hop.columns.values()))
    _check_published(store, columns)
    entities = pl.DataFrame({key: table[holder].cast(pl.String) for key, holder in hop.keys.items()})
    entities = entities.with_columns(pl.Series(EVENT, at).cast(pl.Datetime("us", "UTC"))).with_row_index(ROW)
    job = store.get_historical_features(
        entity_df=entities.to_pandas(use_pyarrow_extension_array=True),
        features=[f"{column.view}:{column.name}" for column in columns],
        full_feature_names=True,
        filter_by_created_timestamp=True,
    )
    found = _in_order(pl.DataFrame(job.to_arrow()), len(at))
    for column in columns:
        table.put(column, found[column.qualified].cast(polars_type(column)))


def _check_published(store: "feast.FeatureStore", columns: Sequence[Column]) -> None:
    unknown = [column.qualified for column in columns if column.qualified not in _published(store)]
    if unknown:
        raise DataError(f"columns {', '.join(unknown)}: not in the published version, run `talentml materialize`")


@lru_cache(maxsize=4)
def _published(store: "feast.FeatureStore") -> frozenset[str]:
    return frozenset(f"{view.name}__{field.name}" for view in store.list_feature_views() for field in view.features)


def _in_order(found: pl.DataFrame, rows: int) -> pl.DataFrame:
    """The rows as they were asked for; a store may lose, double or shuffle them."""
    numbers = found[ROW].cast(pl.Int64)
    if found.height != rows or numbers.n_unique() != rows:
        raise DataError(f"historical read: {found.height} rows, {numbers.n_unique()} different, for {rows} asked for")
    return found if numbers.is_sorted() else found.sort(ROW)
