"""Feast's OfflineStore over parquet files, with the point-in-time join of asof.py.

Feast imports this module by name (feature_store.yaml); nobody else does, since it needs Feast at import. Differences
from Feast's duckdb store, which has the same data source: rows keep their order and number, exact ties have one answer,
materialising as of a date leaves out what was recorded later, and an index beside the file (index.py) makes it quick.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
from feast.data_source import DataSource
from feast.feature_view import FeatureView
from feast.infra.offline_stores.file_source import FileSource
from feast.infra.offline_stores.offline_store import OfflineStore, RetrievalJob, RetrievalMetadata
from feast.infra.offline_stores.offline_utils import infer_event_timestamp_from_entity_df
from feast.infra.registry.base_registry import BaseRegistry
from feast.on_demand_feature_view import OnDemandFeatureView
from feast.repo_config import FeastConfigBaseModel, RepoConfig
from feast.saved_dataset import SavedDatasetStorage

from feature_repo.asof import Index, Integers
from feature_repo.errors import DataError
from feature_repo.index import open_index

MICROSECOND = timedelta(microseconds=1)
BEFORE_ALL_TIME = np.iinfo(np.int64).min // 2


class AsofOfflineStoreConfig(FeastConfigBaseModel):  # type: ignore[misc]
    """The store has no settings: data sources say where the files are."""

    type: Literal["feature_repo.offline_store.AsofOfflineStore"] = "feature_repo.offline_store.AsofOfflineStore"


@dataclass(frozen=True)
class _Join:
    """One feature view of a request. keys: spine columns by key of the file. outputs: columns of the file by name."""

    source: DataSource
    path: Path
    keys: Mapping[str, str]
    outputs: Mapping[str, str]
    ttl: int

    def columns(self, spine: Mapping[str, pl.Series], at: Integers, known_at: bool) -> dict[str, pa.Array]:
        """The winners' values, one array per output, as long as the spine."""
        created = self.source.created_timestamp_column or None
        index = open_index(self.path, tuple(self.keys), self.source.timestamp_field, created)
        positions = index.find([spine[name] for name in self.keys.values()], at, self.ttl, known_at)
        return dict(zip(self.outputs, index.take(positions, list(self.outputs.values())), strict=True))


def _path(config: RepoConfig, source: DataSource) -> Path:
    if not isinstance(source, FileSource):
        raise DataError(f"data source {source.name}: {type(source).__name__}, allowed: FileSource of a parquet file")
    path = Path(FileSource.get_uri_for_file_path(config.repo_path, source.path))
    if not path.is_file():
        raise DataError(f"data source {source.name}: there is no file {path}; run `talentml materialize`")
    return path


def _join(config: RepoConfig, view: FeatureView, refs: Sequence[str], full_names: bool) -> _Join:
    source, projection = view.batch_source, view.projection
    stored = {new: old for old, new in source.field_mapping.items()}
    wanted = [ref.split(":", 1)[1] for ref in refs if ref.split(":", 1)[0] == projection.name_to_use()]
    prefix = f"{projection.name_alias or view.name}__" if full_names else ""
    keys = projection.join_key_map or {entity.name: entity.name for entity in view.entity_columns}
    return _Join(
        source=source,
        path=_path(config, source),
        keys={stored.get(key, key): column for key, column in keys.items()},
        outputs={prefix + name: stored.get(name, name) for name in wanted},
        ttl=(view.ttl or timedelta()) // MICROSECOND,
    )


def microseconds(times: pd.Series) -> Integers:
    """A column of instants as us since 1970. Text is parsed, a naive time is UTC; a null comes before all time."""
    values = pd.DatetimeIndex(pd.to_datetime(times, utc=True))
    counts = values.as_unit("ns").asi8 // 1000 if values.unit == "ns" else values.as_unit("us").asi8
    return np.where(values.isna(), BEFORE_ALL_TIME, counts)


def joined(spine: pd.DataFrame, event: str, joins: Sequence[_Join], known_at: bool) -> pa.Table:
    """The spine and, for each join, its columns. Rows and their order are kept."""
    table = pa.Table.from_pandas(spine, preserve_index=False)
    at = microseconds(spine[event])
    keys = {name: pl.Series(values=table[name]) for join in joins for name in join.keys.values()}
    for join in joins:
        for name, values in join.columns(keys, at, known_at).items():
            table = table.append_column(name, values)
    return table


class AsofRetrievalJob(RetrievalJob):  # type: ignore[misc]
    """A read that happens when its result is asked for."""

    def __init__(
        self,
        read: Callable[[], pa.Table],
        metadata: RetrievalMetadata | None = None,
        full_feature_names: bool = False,
        on_demand_feature_views: Sequence[OnDemandFeatureView] = (),
    ) -> None:
        self._read = read
        self._metadata = metadata
        self._full_feature_names = full_feature_names
        self._on_demand_feature_views = list(on_demand_feature_views)

    def _to_arrow_internal(self, timeout: int | None = None) -> pa.Table:  # noqa: ARG002
        return self._read()

    def _to_df_internal(self, timeout: int | None = None) -> pd.DataFrame:  # noqa: ARG002
        frame: pd.DataFrame = self._read().to_pandas()
        return frame

    @property
    def full_feature_names(self) -> bool:
        return self._full_feature_names

    @property
    def on_demand_feature_views(self) -> list[OnDemandFeatureView]:
        return self._on_demand_feature_views

    @property
    def metadata(self) -> RetrievalMetadata | None:
        return self._metadata

    def persist(self, storage: SavedDatasetStorage, allow_overwrite: bool = False, timeout: int | None = None) -> None:
        """Write the result as a parquet file. Raises DataError when the file exists and may not be replaced."""
        path = Path(storage.to_data_source().path)
        if path.exists() and not allow_overwrite:
            raise DataError(f"saved dataset {path}: exists, allowed: another name or allow_overwrite")
        pl.DataFrame(self.to_arrow(timeout=timeout)).write_parquet(path)


class AsofOfflineStore(OfflineStore):  # type: ignore[misc]
    """Parquet files read by an exact point-in-time join. Published files never change: see offline_write_batch."""

    supports_filter_by_created_timestamp = True

    @staticmethod
    def get_historical_features(
        config: RepoConfig,
        feature_views: list[FeatureView],
        feature_refs: list[str],
        entity_df: pd.DataFrame | str | None,
        registry: BaseRegistry,
        project: str,
        full_feature_names: bool = False,
        filter_by_created_timestamp: bool = False,
    ) -> RetrievalJob:
        """Each row of entity_df with the features that were true, and with the filter also known, at its instant."""
        if not isinstance(entity_df, pd.DataFrame):
            raise DataError(f"entity_df: {type(entity_df).__name__}, allowed: a pandas DataFrame")
        event = infer_event_timestamp_from_entity_df(dict(entity_df.dtypes))
        joins = [_join(config, view, feature_refs, full_feature_names) for view in feature_views]
        return AsofRetrievalJob(
            lambda: joined(entity_df, event, joins, filter_by_created_timestamp),
            RetrievalMetadata(feature_refs, [name for name in entity_df.columns if name != event]),
            full_feature_names,
            OnDemandFeatureView.get_requested_odfvs(feature_refs, project, registry),
        )

    @staticmethod
    def pull_latest_from_table_or_query(
        config: RepoConfig,
        data_source: DataSource,
        join_key_columns: list[str],
        feature_name_columns: list[str],
        timestamp_field: str,
        created_timestamp_column: str | None,
        start_date: datetime,
        end_date: datetime,
    ) -> RetrievalJob:
        """The row of each entity that wins at end_date, unless it is older than start_date."""

        def read() -> pa.Table:
            path = _path(config, data_source)
            index = open_index(path, join_key_columns, timestamp_field, created_timestamp_column)
            return _latest(index, feature_name_columns, timestamp_field, created_timestamp_column, start_date, end_date)

        return AsofRetrievalJob(read)

    @staticmethod
    def pull_all_from_table_or_query(
        config: RepoConfig,
        data_source: DataSource,
        join_key_columns: list[str],
        feature_name_columns: list[str],
        timestamp_field: str,
        created_timestamp_column: str | None = None,
        start_date: datetime | None = None,
        end_date: datetime | None = None,
    ) -> RetrievalJob:
        """Every row with start_date <= event <= end_date."""
        names = [*join_key_columns, *feature_name_columns, timestamp_field]
        names += [created_timestamp_column] if created_timestamp_column else []

        def read() -> pa.Table:
            rows = pl.scan_parquet(_path(config, data_source)).select(names)
            if start_date:
                rows = rows.filter(pl.col(timestamp_field) >= start_date)
            if end_date:
                rows = rows.filter(pl.col(timestamp_field) <= end_date)
            return rows.collect().to_arrow(compat_level=pl.CompatLevel.oldest())

        return AsofRetrievalJob(read)

    @staticmethod
    def offline_write_batch(
        config: RepoConfig,  # noqa: ARG004
        feature_view: FeatureView,
        table: pa.Table,
        progress: Callable[[int], Any] | None,  # noqa: ARG004
    ) -> None:
        """Refused: a published version is named by its content. New rows come by ingest, check and materialize."""
        raise DataError(
            f"view {feature_view.name}: {table.num_rows} rows to be written into a published version, which never "
            "changes; allowed: `talentml ingest`, `check`, `materialize`"
        )


def _latest(
    index: Index, columns: Sequence[str], event: str, created: str | None, start: datetime, end: datetime
) -> pa.Table:
    entities = np.arange(index.entities.keys.num_rows)
    since, until = microseconds(pd.Series([start, end]))
    winners = index.winner(entities, np.full(len(entities), until))
    kept = winners >= 0
    kept[kept] = index.event[winners[kept]] >= since
    keys = index.entities.keys.take(pa.array(entities[kept]))
    arrays = dict(zip(keys.schema.names, keys.columns, strict=True))
    arrays |= dict(zip(columns, index.take(winners[kept], columns), strict=True))
    times = {event: index.event} | ({created: index.created} if created else {})
    return pa.table(arrays | {name: _instants(values[winners[kept]]) for name, values in times.items()})


def _instants(microseconds_since_1970: Integers) -> pa.Array:
    return pa.array(microseconds_since_1970).cast(pa.timestamp("us", tz="UTC"))
