"""Staged rows become a version: offline (rows, indexes, Feast's registry) and online (packed rows, Feast's store).

Both are made aside and appear by a rename; only then do two links move. A process killed anywhere leaves the published
version as it was, and the next run gives the state that the first would have given.
"""

import contextlib
import io
import shutil
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, fields
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow.parquet as pq

from feature_repo import versions
from feature_repo.column import Column, View
from feature_repo.derived import functions
from feature_repo.errors import DataError
from feature_repo.feast_import import imported_feast
from feature_repo.index import LAYOUT, open_index, write_index
from feature_repo.packing import packed_rows, write_snapshot
from feature_repo.plan import declared_views
from feature_repo.settings import Settings
from feature_repo.views import CREATED, EVENT, Bundle, definitions, repo_config, stored, view_file
from feature_repo.window import last_before

if TYPE_CHECKING:
    import feast

KEEP = 2  # versions: the current one, and the one before for readers that are still at it
STAGED_AS_OF = "as_of.txt"
EARLIEST = datetime(1900, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Published:
    """What is current now. rows: per view the number of entities in the online copy."""

    offline: str
    online: str
    as_of: datetime
    rows: dict[str, int]


def silent(_message: str) -> None:
    """Progress that nobody reads."""


@dataclass(frozen=True)
class _Release:
    """What is to be published."""

    home: Path
    staged: Path
    views: Sequence[View]
    bundles: Sequence[Bundle]
    as_of: datetime
    progress: Callable[[str], None]

    @property
    def stored(self) -> list[View]:
        return stored(self.views)


def publish(
    settings: Settings,
    as_of: datetime,
    progress: Callable[[str], None] = silent,
    *,
    views: Sequence[View] | None = None,
    products: Iterable[Bundle] = (),
) -> Published:
    """Publish home/staged, with an online copy of what was known at as_of.

    views: None for the platform's own. products: one feature service each. The same rows and declarations give the same
    version; waits for another publish of the same home to end.
    Raises DataError when as_of is naive, or a view's staged file is missing or lacks a column.
    """
    release = _release(settings, as_of, progress, views, products)
    with versions.lock(_lock(release)):
        offline = _offline(release)
        online = _online(release, offline)
        versions.swap(offline.parent, offline.name)
        versions.swap(online.parent, online.name)
        versions.link(release.home / "feast", "online/current/feast")
        versions.prune(offline.parent, KEEP)
        versions.prune(online.parent, KEEP)
    return Published(offline.name, online.name, release.as_of, packed_rows(online))


def publish_offline(
    settings: Settings,
    as_of: datetime,
    progress: Callable[[str], None] = silent,
    *,
    views: Sequence[View] | None = None,
    products: Iterable[Bundle] = (),
) -> str:
    """As publish, the offline version only: what training reads. Nothing can be served from such a home. Its name."""
    release = _release(settings, as_of, progress, views, products)
    with versions.lock(_lock(release)):
        offline = _offline(release)
        versions.swap(offline.parent, offline.name)
        versions.prune(offline.parent, KEEP)
    return offline.name


def _release(
    settings: Settings,
    as_of: datetime,
    progress: Callable[[str], None],
    views: Sequence[View] | None,
    products: Iterable[Bundle],
) -> _Release:
    if as_of.tzinfo is None:
        raise DataError(f"as of {as_of}: has no time zone, allowed: aware instants")
    staged = (settings.root / "staged").resolve()
    return _Release(settings.root, staged, views or declared_views(), tuple(products), as_of.astimezone(UTC), progress)


def _lock(release: _Release) -> Path:
    return release.home / "offline" / ".lock"


def _offline(release: _Release) -> Path:
    """The offline version's folder, made unless it is there."""
    _check_staged(release)
    folder = release.home / "offline" / _content(release)
    if not folder.is_dir():
        release.progress(f"offline {folder.name}: copying and indexing {len(release.stored)} views")
        with versions.making(folder.parent, folder.name) as aside:
            for path in _staged_files(release):
                copy = aside / path.relative_to(release.staged)
                copy.parent.mkdir(exist_ok=True)
                shutil.copyfile(path, copy)
            for view in release.stored:
                write_index(view_file(aside, view), view.keys, EVENT, CREATED)
            _applied(release, aside / "registry.db", None, folder)
    return folder


def _online(release: _Release, offline: Path) -> Path:
    """The online version's folder, made unless it is there."""
    folder = release.home / "online" / f"{offline.name}-{release.as_of:%Y%m%dT%H%M%S.%fZ}-{functions()}"
    if not folder.is_dir():
        release.progress(f"online {folder.name}: packing {len(release.stored)} views")
        indexes = {
            view.name: open_index(view_file(offline, view), view.keys, EVENT, CREATED) for view in release.stored
        }
        with versions.making(folder.parent, folder.name) as aside:
            write_snapshot(aside, release.views, indexes, release.as_of, offline.name)
            _write_feast_online(release, aside / "feast", offline)
    return folder


def _staged_files(release: _Release) -> list[Path]:
    views = [view_file(release.staged, view) for view in release.stored]
    return sorted([*views, *(release.staged / "streams").glob("*.parquet")])


def mark_staged(folder: Path, as_of: datetime) -> None:
    """Note in a folder that is to be staged that it holds what was recorded before as_of."""
    (folder / STAGED_AS_OF).write_text(as_of.isoformat())


def staged_as_of(home: Path) -> datetime | None:
    """The date that home/staged is as of; None where nothing says so."""
    path = home / "staged" / STAGED_AS_OF
    return datetime.fromisoformat(path.read_text()) if path.is_file() else None


def _check_staged(release: _Release) -> None:
    checked = staged_as_of(release.home)
    if checked is not None and checked < release.as_of:
        raise DataError(
            f"publish as of {release.as_of:%F %T}: what is staged is as of {checked:%F %T}; `talentml ingest` and "
            f"`talentml check --as-of {release.as_of:%FT%T}` come first"
        )
    for view in release.stored:
        path = view_file(release.staged, view)
        if not path.is_file():
            raise DataError(f"view {view.name}: there is no {path}, run `talentml check` first")
        wanted = (*view.keys, EVENT, CREATED, *(column.name for column in view.columns))
        missing = [name for name in wanted if name not in pq.read_schema(path).names]
        if missing:
            raise DataError(f"view {view.name}: {path} lacks {', '.join(missing)}, run `talentml check` again")


def _content(release: _Release) -> str:
    """The version's name: a hash of the staged files and of what is declared about them."""
    digest = sha256(LAYOUT.encode())
    for path in _staged_files(release):
        digest.update(f"{path.relative_to(release.staged)} {path.stat().st_size}\n".encode())
        with path.open("rb") as file:
            while block := file.read(1 << 20):
                digest.update(block)
    for view in release.stored:
        digest.update(repr((view.name, view.entities, view.ttl_days, [*map(_facts, view.columns)])).encode())
    for bundle in release.bundles:
        digest.update(repr((bundle.name, [column.qualified for column in bundle.columns])).encode())
    return digest.hexdigest()[:16]


def _facts(column: Column) -> dict[str, object]:
    """What is declared; vars also holds what was derived from it and kept, once it was asked for."""
    return {each.name: getattr(column, each.name) for each in fields(column) if each.name != "function"}


# Feast


def _applied(release: _Release, registry: Path, online: Path | None, offline: Path) -> "feast.FeatureStore":
    """`feast apply` in this process: a registry file over the offline version."""
    feast = imported_feast()

    release.progress("feast apply")
    store = feast.FeatureStore(config=repo_config(registry, online))
    store.apply(definitions(release.views, offline, release.bundles))
    return store


def _write_feast_online(release: _Release, folder: Path, offline: Path) -> None:
    """Feast's own online store, written through Feast and so through our offline store."""
    folder.mkdir()
    store = _applied(release, folder / "registry.db", folder / "online_store.db", offline)
    for days, views in groupby(sorted(release.stored, key=_ttl), key=_ttl):
        names = [view.name for view in views]
        release.progress(f"feast materialize {', '.join(names)}")
        start = release.as_of - timedelta(days=days) if days else EARLIEST
        with contextlib.redirect_stdout(io.StringIO()):  # Feast prints; stdout is for answers
            store.materialize(start, last_before(release.as_of), feature_views=names)


def _ttl(view: View) -> int:
    return view.ttl_days
