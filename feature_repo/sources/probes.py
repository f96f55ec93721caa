"""Smoke checks: does a server answer over its wire protocol, and what does it call itself."""

import socket
from collections.abc import Callable
from urllib.parse import unquote, urlsplit

from pydantic import SecretStr

from feature_repo.errors import SourceError

SECONDS = 5


def answer(name: str, url: SecretStr) -> str:
    """The version that a source server reports after a round trip of one trivial query.

    Raises SourceError with the server's name, its host and port, and the client's complaint; never the password.
    """
    try:
        return PROBES[name](url.get_secret_value())
    except Exception as error:  # noqa: BLE001  border: three client libraries, each with a tree of errors of its own.
        secret = unquote(urlsplit(url.get_secret_value()).password or "")
        complaint = f"{type(error).__name__}: {error}".splitlines()[0][:200]
        shown = complaint.replace(secret, "***") if secret else complaint
        raise SourceError(f"{name} at {place(url)} does not answer: {shown}") from None


def place(url: SecretStr) -> str:
    """host:port of a URL, which is all of it that may be shown."""
    parts = urlsplit(url.get_secret_value())
    return parts.netloc.rpartition("@")[2]


def accepts(url: SecretStr) -> bool:
    """Whether something accepts connections at a URL's host and port; cheaper than answer, and says less."""
    parts = urlsplit(url.get_secret_value())
    try:
        with socket.create_connection((parts.hostname or "127.0.0.1", parts.port or 0), timeout=SECONDS):
            return True
    except (OSError, OverflowError):
        return False


def _mysql(url: str) -> str:
    import pymysql

    parts = urlsplit(url)
    client = pymysql.connect(
        host=parts.hostname or "127.0.0.1",
        port=parts.port or 3306,
        user=unquote(parts.username or ""),
        password=unquote(parts.password or ""),
        connect_timeout=SECONDS,
    )
    with client, client.cursor() as cursor:
        cursor.execute("SELECT VERSION()")
        return f"MySQL {(cursor.fetchone() or ('of unknown version',))[0]}"


def _neo4j(url: str) -> str:
    import neo4j

    parts = urlsplit(url)
    login = (unquote(parts.username or ""), unquote(parts.password or "")) if parts.username else None
    bare = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"
    # Not execute_query, which tries for 30 seconds.
    with (
        neo4j.GraphDatabase.driver(bare, auth=login, connection_timeout=SECONDS) as driver,
        driver.session() as session,
    ):
        return str(session.run("RETURN 1").consume().server.agent)


def _mongodb(url: str) -> str:
    import pymongo

    client: pymongo.MongoClient[dict[str, object]] = pymongo.MongoClient(url, serverSelectionTimeoutMS=SECONDS * 1000)
    with client:
        client.admin.command("ping")
        # nx-27017 answers buildInfo without a version.
        return f"MongoDB {client.server_info().get('version', 'of unknown version')}"


PROBES: dict[str, Callable[[str], str]] = {"mysql": _mysql, "neo4j": _neo4j, "mongodb": _mongodb}
