"""A stream of things in each store, written by plain clients: what the contract of the readers is tested with."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import uuid4

from feature_repo.column import Field
from feature_repo.settings import Settings
from feature_repo.sources import mongodb, mysql, neo4j, servers
from feature_repo.sources.stream import RECORDED_AT, Store, Stream

Row = dict[str, Any]

FIELDS = (
    Field(name="thing_id", dtype=str),
    Field(name="note", dtype=str, nulls=1.0),
    Field(name="amount", dtype=float, nulls=0.5),
    Field(name="pieces", dtype=int, nulls=0.5),
    Field(name="is_open", dtype=bool, nulls=0.5),
    Field(name="seen_at", dtype=datetime, nulls=0.5),
    RECORDED_AT,
)
NAMES = [field.name for field in FIELDS]
GRAPH_PATHS = {**{name: f"r.{name}" for name in NAMES}, "thing_id": "t.thing_id"}


@dataclass(frozen=True)
class Things:
    """A stream in one store, and how to put rows there. Times are ISO text with an offset, or None."""

    settings: Settings
    stream: Stream
    write: Callable[[Sequence[Row]], None]

    @property
    def url(self) -> str:
        return servers.address(self.settings, self.stream.store)

    def thing(self, number: int, recorded_at: str | None, **values: Any) -> Row:
        plain = {"note": "plain", "amount": 1.5, "pieces": 3, "is_open": True, "seen_at": "2024-01-01T00:00:00+00:00"}
        return {"thing_id": f"x{number:06d}", **plain, "recorded_at": recorded_at, **values}

    def execute(self, command: str) -> None:
        """A command in the store's own language (MySQL, Cypher), as an operator would give it."""
        if self.stream.store == "mysql":
            with mysql.connected(self.url) as connection, connection.cursor() as cursor:
                cursor.execute(command)
                connection.commit()
        else:
            with neo4j.connected(self.url) as driver, driver.session() as session:
                session.execute_write(lambda transaction: transaction.run(command).consume())


@contextmanager
def things(settings: Settings, store: Store) -> Iterator[Things]:
    """An empty place for things in that store, with a name that nobody else has."""
    name = f"things_{uuid4().hex[:8]}"
    make = {"mysql": _table, "neo4j": _pattern, "mongodb": _collection}[store]
    found = make(settings, name)
    yield found


def _stream(store: Store, name: str, origin: str) -> Stream:
    return Stream(name=name, store=store, key=("thing_id",), fields=FIELDS, origin=origin)


def _table(settings: Settings, name: str) -> Things:
    columns = """thing_id VARCHAR(64), note TEXT, amount DOUBLE, pieces INT, is_open TINYINT(1),
        seen_at DATETIME(6), recorded_at DATETIME(6)"""

    def write(rows: Sequence[Row]) -> None:
        query = f"INSERT INTO contract.{name} VALUES ({', '.join(['%s'] * len(NAMES))})"
        with mysql.connected(servers.address(settings, "mysql")) as connection, connection.cursor() as cursor:
            cursor.executemany(query, [[_sql(row[column]) for column in NAMES] for row in rows])
            connection.commit()

    place = Things(settings, _stream("mysql", name, f"contract.{name}"), write)
    place.execute("CREATE DATABASE IF NOT EXISTS contract CHARACTER SET utf8mb4")
    place.execute(f"CREATE TABLE contract.{name} ({columns})")
    return place


def _sql(value: Any) -> Any:
    return value.removesuffix("+00:00").replace("T", " ") if isinstance(value, str) and "+00:00" in value else value


def _pattern(settings: Settings, name: str) -> Things:
    def write(rows: Sequence[Row]) -> None:
        query = (
            f"UNWIND $rows AS row CREATE (t:{name} {{thing_id: row.thing_id}})-[r:SEEN]->(p:{name}_place) SET "
            "r.note = row.note, r.amount = row.amount, r.pieces = row.pieces, r.is_open = row.is_open, "
            "r.seen_at = datetime(row.seen_at), r.recorded_at = datetime(row.recorded_at)"
        )
        with neo4j.connected(servers.address(settings, "neo4j")) as driver, driver.session() as session:
            session.execute_write(lambda transaction: transaction.run(query, rows=list(rows)).consume())

    stream = _stream("neo4j", name, f"(t:{name})-[r:SEEN]->(p:{name}_place)")
    return Things(settings, replace(stream, paths=GRAPH_PATHS), write)


def _collection(settings: Settings, name: str) -> Things:
    def write(rows: Sequence[Row]) -> None:
        with mongodb.connected(servers.address(settings, "mongodb")) as client:
            for start in range(0, len(rows), 1_000):
                client["contract"][name].insert_many([_document(row) for row in rows[start : start + 1_000]])

    return Things(settings, _stream("mongodb", name, f"contract.{name}"), write)


def _document(row: Row) -> Row:
    times = {
        name: row[name] and datetime.fromisoformat(row[name]) for name in ("seen_at", "recorded_at") if name in row
    }
    return {**row, **times}
