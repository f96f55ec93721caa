"""The platform database: SQLite under the home, or PostgreSQL by URL; migrated on first use."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event, inspect, make_url, text
from sqlalchemy.exc import ArgumentError, SQLAlchemyError

from feature_repo.errors import SettingsError, SourceError
from feature_repo.platform.tables.types import strict_json
from feature_repo.settings import Settings

REVISION = "0008"
"""The newest migration; a test compares it with alembic's head. Equal to the database's, alembic is not imported."""

LOCK = 7_461_001
"""Key of the PostgreSQL advisory lock under which migrations run."""

PAGE_BYTES = 2**14
"""Of SQLite's files: a logged answer of 50 kB is on 4 pages, not on 13. To write it takes 140 instead of 225 us."""


def database(settings: Settings) -> Engine:
    """An engine over the platform tables at their newest revision. Keep it: each has a pool of its own.

    Processes that come at the same time wait for the one that migrates.
    Raises SettingsError for a URL of another kind, SourceError when the database does not answer or is newer.
    """
    address = _address(settings)
    engine = _engine(address)
    try:
        with engine.connect() as connection:
            found = _revision(connection)
        if found != REVISION:
            _migrate(engine)
    except SQLAlchemyError as error:
        engine.dispose()
        said = str(getattr(error, "orig", None) or error).strip()
        raise SourceError(f"platform database {address.render_as_string()}: {said}") from None
    return engine


def _address(settings: Settings) -> URL:
    if settings.database_url is None:
        settings.root.mkdir(parents=True, exist_ok=True)
        return URL.create("sqlite", database=str(settings.root / "platform.db"))
    try:
        url = make_url(settings.database_url.get_secret_value())
    except ArgumentError:
        raise SettingsError("database_url: not a URL, allowed postgresql://user:password@host:port/name") from None
    if url.get_backend_name() not in ("postgresql", "sqlite"):
        raise SettingsError(f"database_url: {url.get_backend_name()}, allowed postgresql and sqlite")
    return url.set(drivername="postgresql+psycopg2") if url.get_backend_name() == "postgresql" else url


PATIENCE = {
    "connect_timeout": 10, "keepalives_idle": 10, "keepalives_interval": 5, "keepalives_count": 3,
    "tcp_user_timeout": 15_000,
}  # fmt: skip
"""With PostgreSQL: a line that is cut without a word is noticed within half a minute."""


def _engine(url: URL) -> Engine:
    quiet = partial(create_engine, url, json_serializer=strict_json, hide_parameters=True)  # they are people's
    if url.get_backend_name() == "postgresql":
        return quiet(pool_pre_ping=True, connect_args=PATIENCE)
    engine = quiet()
    event.listen(engine, "connect", _prepare)
    return engine


def _prepare(connection: Any, _record: object) -> None:
    """SQLite's settings of a connection: wait for writers, hold foreign keys, sync at checkpoints only."""
    for pragma in ("busy_timeout=30000", "foreign_keys=ON", "synchronous=NORMAL"):
        connection.execute(f"PRAGMA {pragma}")


def _revision(connection: Connection) -> str | None:
    """The database's revision; None for an empty one."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    found: str | None = connection.scalar(text("select version_num from alembic_version"))
    return found


def _migrate(engine: Engine) -> None:
    """Upgrade in one transaction, one process at a time: a kill leaves either the old tables or the new ones."""
    from alembic import command
    from alembic.script import ScriptDirectory

    config = alembic_config()
    with _alone(engine) as connection:
        found = _revision(connection)
        if found == REVISION:
            return
        known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
        if found is not None and found not in known:
            raise SourceError(f"platform database: at revision {found}, this release knows {', '.join(sorted(known))}")
        config.attributes["connection"] = connection
        command.upgrade(config, "head")


def alembic_config() -> Any:
    """Alembic's configuration for the migrations inside this package, so that an installed wheel can migrate."""
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations").replace("%", "%%"))
    return config


@contextmanager
def _alone(engine: Engine) -> Iterator[Connection]:
    """A connection in a transaction that no other process of the platform migrates beside."""
    if engine.dialect.name == "postgresql":
        with engine.begin() as connection:
            connection.execute(text("select pg_advisory_xact_lock(:key)"), {"key": LOCK})
            yield connection
        return
    with _file_lock(Path(f"{engine.url.database}.lock")), engine.connect() as connection:
        # sqlite3 would commit before each CREATE TABLE; with isolation_level None, BEGIN and COMMIT are ours.
        raw: Any = connection.connection.dbapi_connection
        raw.isolation_level = None
        raw.execute(f"PRAGMA page_size={PAGE_BYTES}")  # of a new file; another one keeps its own
        raw.execute("PRAGMA journal_mode=WAL")
        yield from _immediately(connection, raw)


def _immediately(connection: Connection, raw: Any) -> Iterator[Connection]:
    connection.exec_driver_sql("BEGIN IMMEDIATE")
    try:
        yield connection
        connection.commit()
    finally:
        if raw.in_transaction:
            connection.rollback()
        raw.isolation_level = ""


@contextmanager
def _file_lock(path: Path) -> Iterator[None]:
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
