"""Things as nodes of the graph by themselves: the streams that no relationship carries."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from uuid import uuid4

from feature_repo.settings import Settings
from feature_repo.sources import neo4j, servers
from feature_repo.sources.stream import Stream
from tests.contract.things import FIELDS, NAMES, Row, Things

PATHS = {name: f"t.{name}" for name in NAMES}


@contextmanager
def nodes(settings: Settings) -> Iterator[Things]:
    """An empty place for nodes, with a label that nobody else has."""
    label = f"nodes_{uuid4().hex[:8]}"

    def write(rows: Sequence[Row]) -> None:
        query = (
            f"UNWIND $rows AS row CREATE (t:{label} {{thing_id: row.thing_id}}) SET t.note = row.note, "
            "t.amount = row.amount, t.pieces = row.pieces, t.is_open = row.is_open, "
            "t.seen_at = datetime(row.seen_at), t.recorded_at = datetime(row.recorded_at)"
        )
        with neo4j.connected(servers.address(settings, "neo4j")) as driver, driver.session() as session:
            session.execute_write(lambda transaction: transaction.run(query, rows=list(rows)).consume())

    plain = Stream(name=label, store="neo4j", key=("thing_id",), fields=FIELDS, origin=f"(t:{label})")
    yield Things(settings, replace(plain, paths=PATHS), write)
