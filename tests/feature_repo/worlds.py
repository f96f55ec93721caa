"""Source servers of a test's own, which it may empty."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from feature_repo.settings import Settings, load
from feature_repo.sources import mongodb, mysql, neo4j, servers
from feature_repo.sources.schema import TABLES
from feature_repo.sources.streams import STREAMS


@contextmanager
def own_servers(name: str) -> Iterator[Settings]:
    """A home whose servers nobody else uses.

    Not in pytest's own folder, which only its owner may enter: MariaDB runs as another user.
    """
    with TemporaryDirectory(prefix=f"{name}-") as folder:
        Path(folder).chmod(0o755)
        settings = load(home=Path(folder) / "home")
        try:
            servers.start(settings)
            yield settings
        finally:
            servers.stop(settings)


def emptied(settings: Settings) -> None:
    """Drop all that the seeds have written."""
    with mysql.connected(servers.address(settings, "mysql")) as connection, connection.cursor() as cursor:
        for database in {table.split(".")[0] for table in TABLES}:
            cursor.execute(f"DROP DATABASE IF EXISTS {database}")
    with neo4j.connected(servers.address(settings, "neo4j")) as driver, driver.session() as session:
        session.execute_write(lambda transaction: transaction.run("MATCH (n) DETACH DELETE n").consume())
    with mongodb.connected(servers.address(settings, "mongodb")) as client:
        for each in STREAMS:
            if each.store == "mongodb":
                client.drop_database(each.origin.split(".")[0])
