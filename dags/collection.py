"""The collection history: a row for each run of ingest, check and materialize."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

    from feature_repo.extract import Manifest
    from feature_repo.settings import Settings


@dataclass(frozen=True)
class Collection:
    """What one run of a verb gathered; the fields are the table's columns (feature_repo/platform/tables)."""

    verb: str
    run: str
    until: datetime | None
    row_count: int
    started_at: datetime
    since: datetime | None = None
    sources: Mapping[str, Any] = field(default_factory=dict)
    servers: Mapping[str, str] = field(default_factory=dict)
    rejected_count: int = 0
    feature_count: int = 0
    sha256: str | None = None


def remember(settings: "Settings", collection: Collection) -> None:
    """Add the run to the history, finished now."""
    from sqlalchemy import insert

    from feature_repo.platform import database
    from feature_repo.platform.tables import collection_history

    row = {**vars(collection), "sources": dict(collection.sources), "servers": dict(collection.servers)}
    with database(settings).begin() as connection:
        connection.execute(insert(collection_history).values(**row, finished_at=datetime.now(UTC)))


def of_manifests(manifests: "Sequence[Manifest]", started_at: datetime) -> Collection:
    """The run of ingest that published these manifests, all of one window."""
    import hashlib

    digest = hashlib.sha256("".join(manifest.sha256 for manifest in manifests).encode()).hexdigest()
    return Collection(
        verb="ingest",
        run=f"{manifests[0].since:%Y%m%dT%H%M%SZ}_{manifests[0].until:%Y%m%dT%H%M%SZ}",
        since=manifests[0].since,
        until=manifests[0].until,
        row_count=sum(manifest.rows for manifest in manifests),
        sources={
            manifest.stream: {"rows": manifest.rows, "sha256": manifest.sha256, "origin": manifest.origin}
            for manifest in manifests
        },
        servers={manifest.store: manifest.server for manifest in manifests},
        sha256=digest,
        started_at=started_at,
    )


def latest(settings: "Settings", verb: str) -> Mapping[str, Any] | None:
    """The newest run of a verb; None before the first."""
    from sqlalchemy import select

    from feature_repo.platform import database
    from feature_repo.platform.tables import collection_history as history

    newest = select(history).where(history.c.verb == verb).order_by(history.c.id.desc()).limit(1)
    with database(settings).connect() as connection:
        row = connection.execute(newest).mappings().first()
    return None if row is None else dict(row)
