"""Declared views to Feast: entities, feature views, feature services and the store's configuration.

Feast is imported inside the functions only: that takes two seconds.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import polars as pl

from feature_repo.column import Column, Field, View
from feature_repo.errors import DataError
from feature_repo.feast_import import imported_feast
from feature_repo.plan import plan

if TYPE_CHECKING:
    import feast

PROJECT = "talentml"
EVENT, CREATED = "event_timestamp", "created_timestamp"
TIME = pl.Datetime("us", "UTC")
ONLINE_BATCH_ROWS = 10_000

POLARS: dict[Any, pl.DataType] = {
    float: pl.Float64(),
    int: pl.Int64(),
    str: pl.String(),
    bool: pl.Boolean(),
    datetime: TIME,
    list[str]: pl.List(pl.String()),
    list[float]: pl.List(pl.Float64()),
}


class Bundle(Protocol):
    """What becomes a feature service: a product, or anything else with a name and columns."""

    @property
    def name(self) -> str: ...

    @property
    def columns(self) -> Sequence[Column]: ...


def polars_type(field: Field) -> pl.DataType:
    """The type of a field's values in our frames. Raises DataError for a dtype that no field may have."""
    if field.dtype not in POLARS:
        raise DataError(f"{field.name}: dtype {field.dtype}, allowed: {', '.join(map(str, POLARS))}")
    return POLARS[field.dtype]


def stored(views: Iterable[View]) -> list[View]:
    """The views that are stored: all but pair views, whose columns are computed on retrieval."""
    return [view for view in views if view.rows is not None]


def view_file(folder: Path, view: View) -> Path:
    """The parquet file of a view's rows, in an offline version or in staged."""
    return folder / "views" / f"{view.name}.parquet"


def feast_entities(views: Iterable[View]) -> dict[str, feast.Entity]:
    """A Feast entity for each entity of the stored views, by name."""
    feast = imported_feast()

    declared = {entity.name: entity for view in stored(views) for entity in view.entities}
    return {
        name: feast.Entity(
            name=name,
            join_keys=[entity.key],
            value_type=feast.ValueType.STRING,
            tags={"through": entity.through} if entity.through else {},
        )
        for name, entity in declared.items()
    }


def feast_views(views: Iterable[View], folder: Path) -> list[feast.FeatureView]:
    """A Feast view for each stored view. folder: the offline version that holds its rows."""
    known = stored(views)
    entities = feast_entities(known)
    return [_feast_view(view, folder, entities) for view in known]


def _feast_view(view: View, folder: Path, entities: dict[str, feast.Entity]) -> feast.FeatureView:
    feast = imported_feast()

    source = feast.FileSource(
        name=f"{view.name}_rows",
        path=str(view_file(folder, view)),
        timestamp_field=EVENT,
        created_timestamp_column=CREATED,
    )
    return feast.FeatureView(
        name=view.name,
        entities=[entities[entity.name] for entity in view.entities],
        ttl=timedelta(days=view.ttl_days),
        schema=[*map(_key_field, view.keys), *map(_feast_field, view.columns)],
        source=source,
    )


def _key_field(key: str) -> feast.Field:
    feast = imported_feast()
    return feast.Field(name=key, dtype=feast.types.String)


def _feast_field(column: Column) -> feast.Field:
    feast = imported_feast()
    types = feast.types
    names = {
        float: types.Float64,
        int: types.Int64,
        str: types.String,
        bool: types.Bool,
        datetime: types.UnixTimestamp,
        list[str]: types.Array(types.String),
        list[float]: types.Array(types.Float64),
    }
    return feast.Field(name=column.name, dtype=names[column.dtype], description=column.description, tags=_tags(column))


def _tags(column: Column) -> dict[str, str]:
    facts = {
        "unit": column.unit,
        "minimum": column.minimum,
        "maximum": column.maximum,
        "nulls": column.nulls,
        "allowed": ",".join(column.allowed),
        "source": column.source,
    }
    return {name: str(value) for name, value in facts.items() if value not in ("", None)}


def feast_services(
    bundles: Iterable[Bundle], views: Sequence[View], known: Sequence[feast.FeatureView]
) -> list[feast.FeatureService]:
    """A feature service for each product: the entity columns that its columns are, or are computed from."""
    return [_feast_service(bundle, views, {each.name: each for each in known}) for bundle in bundles]


def _feast_service(bundle: Bundle, views: Sequence[View], known: dict[str, feast.FeatureView]) -> feast.FeatureService:
    feast = imported_feast()

    keys = [key for view in views for key in view.keys]
    needed = [column for hop in plan(bundle.columns, views, keys).hops for column in chain(*hop.columns.values())]
    by_view = {column.view: [each.name for each in needed if each.view == column.view] for column in needed}
    return feast.FeatureService(name=bundle.name, features=[known[view][names] for view, names in by_view.items()])


def repo_config(registry: Path, online: Path | None) -> feast.RepoConfig:
    """The store's configuration. registry, online: files; online None where nothing is read or written online."""
    return imported_feast().RepoConfig(
        project=PROJECT,
        provider="local",
        registry=str(registry),
        offline_store={"type": "feature_repo.offline_store.AsofOfflineStore"},
        online_store=None if online is None else {"type": "sqlite", "path": str(online)},
        batch_engine={"type": "local", "backend": "polars"},
        # In batches: without a size Feast writes the first chunk of the frame only, whatever the others hold.
        materialization={"pull_latest_features": True, "online_write_batch_size": ONLINE_BATCH_ROWS},
        entity_key_serialization_version=3,
        coerce_tz_aware=False,
    )


def definitions(views: Sequence[View], folder: Path, bundles: Iterable[Bundle]) -> list[Any]:
    """Everything that `feast apply` registers: entities, feature views over an offline version, feature services."""
    known = feast_views(views, folder)
    return [*feast_entities(views).values(), *known, *feast_services(bundles, views, known)]
