"""Frames into the source databases, by key: a row that is there is replaced, so a second run changes nothing."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import polars as pl

from feature_repo.settings import Settings
from feature_repo.sources import mongodb, mysql, neo4j, servers
from feature_repo.sources.schema import NODE_KEYS

if TYPE_CHECKING:
    from neo4j import ManagedTransaction, Session

MYSQL_ROWS = 2_000
NEO4J_ROWS = 5_000
MONGODB_DOCUMENTS = 1_000  # nx-27017 refuses larger batches.


@dataclass(frozen=True)
class Relation:
    """A type of relationship: (start label)-[name]->(end label). Its frame holds `start`, `end` and its properties.

    hub: the side whose nodes have many of them, "start" or "end".
    """

    start: str
    name: str
    end: str
    hub: Literal["start", "end"] = "end"

    def __str__(self) -> str:
        return f"({self.start})-[{self.name}]->({self.end})"


def write_table(settings: Settings, table: str, frame: pl.DataFrame, earliest: Sequence[str] = ()) -> int:
    """Upsert rows into a MySQL table, whose columns are the frame's, in one transaction; returns their number.

    earliest: columns of which the earlier of the old and the new value stays.
    """
    names = ", ".join(f"`{name}`" for name in frame.columns)
    changes = ", ".join(
        f"`{name}` = LEAST(`{name}`, VALUES(`{name}`))" if name in earliest else f"`{name}` = VALUES(`{name}`)"
        for name in frame.columns
    )
    values = ", ".join(["%s"] * len(frame.columns))
    query = f"INSERT INTO {table} ({names}) VALUES ({values}) ON DUPLICATE KEY UPDATE {changes}"
    with mysql.connected(servers.address(settings, "mysql")) as connection, connection.cursor() as cursor:
        for part in _parts(_with_text_times(frame, "%Y-%m-%d %H:%M:%S%.6f"), MYSQL_ROWS):
            cursor.executemany(query, part.rows())
        connection.commit()
    return frame.height


def write_nodes(settings: Settings, label: str, frame: pl.DataFrame) -> int:
    """Merge nodes by their label's key, which the frame holds, and set the rest as properties; returns their number."""
    key = NODE_KEYS[label]
    query = f"UNWIND $rows AS row MERGE (n:{label} {{{key}: row.{key}}}) {_setting('n', frame, without=(key,))}"
    return _write_graph(settings, query, frame)


def write_relations(settings: Settings, relation: Relation, frame: pl.DataFrame) -> int:
    """Merge relationships between nodes that are there, and set their properties; returns their number."""
    # ArcadeDB walks the first node's relationships: 11,000 of SiP's take 8.4 s from its 56 users, .2 s from the tasks.
    arrow = f"(b)<-[r:{relation.name}]-(a)" if relation.hub == "start" else f"(a)-[r:{relation.name}]->(b)"
    query = (
        f"UNWIND $rows AS row MATCH (a:{relation.start} {{{NODE_KEYS[relation.start]}: row.start}}) "
        f"MATCH (b:{relation.end} {{{NODE_KEYS[relation.end]}: row.end}}) "
        f"MERGE {arrow} {_setting('r', frame, without=('start', 'end'))}"
    )
    return _write_graph(settings, query, frame)


def _setting(variable: str, frame: pl.DataFrame, without: Sequence[str]) -> str:
    values = [
        f"{variable}.{name} = " + (f"datetime(row.{name})" if frame.schema[name].is_temporal() else f"row.{name}")
        for name in frame.columns
        if name not in without
    ]
    return f"SET {', '.join(values)}" if values else ""


def _write_graph(settings: Settings, query: str, frame: pl.DataFrame) -> int:
    with neo4j.connected(servers.address(settings, "neo4j")) as driver, driver.session() as session:
        for part in _parts(_with_text_times(frame, "%Y-%m-%dT%H:%M:%S%.6fZ"), NEO4J_ROWS):
            _commit(session, query, part.to_dicts())
    return frame.height


def _commit(session: "Session", query: str, rows: list[dict[str, Any]]) -> None:
    def work(transaction: "ManagedTransaction") -> None:
        transaction.run(query, rows=rows).consume()

    session.execute_write(work)


def write_documents(settings: Settings, place: str, frame: pl.DataFrame, key: Sequence[str]) -> int:
    """Upsert documents into `database.collection`, their _id the key's values joined; returns their number."""
    from pymongo import ReplaceOne

    database, _, name = place.partition(".")
    with mongodb.connected(servers.address(settings, "mongodb")) as client:
        for part in _parts(_with_ids(frame, key), MONGODB_DOCUMENTS):
            requests = [ReplaceOne({"_id": row["_id"]}, row, upsert=True) for row in part.iter_rows(named=True)]
            client[database][name].bulk_write(requests, ordered=False)
    return frame.height


def remove_documents(settings: Settings, place: str, ids: Sequence[str]) -> int:
    """Remove the documents with these ids; returns their number."""
    database, _, name = place.partition(".")
    with mongodb.connected(servers.address(settings, "mongodb")) as client:
        for start in range(0, len(ids), MONGODB_DOCUMENTS):
            client[database][name].delete_many({"_id": {"$in": list(ids[start : start + MONGODB_DOCUMENTS])}})
    return len(ids)


def document_ids(frame: pl.DataFrame, key: Sequence[str]) -> pl.Series:
    """The _id of each document: the key's values, times as dates, joined by a bar."""
    parts = [pl.col(name).dt.strftime("%Y-%m-%d") if frame.schema[name].is_temporal() else pl.col(name) for name in key]
    return frame.select(pl.concat_str(parts, separator="|")).to_series()


def _with_ids(frame: pl.DataFrame, key: Sequence[str]) -> pl.DataFrame:
    return frame.select(document_ids(frame, key).alias("_id"), pl.all())


def _with_text_times(frame: pl.DataFrame, template: str) -> pl.DataFrame:
    """Times as text, formatted by the column: both protocols take them as text, and value by value is slow."""
    times = [name for name, kind in frame.schema.items() if kind == pl.Datetime]
    return frame.with_columns(pl.col(name).dt.strftime(template) for name in times)


def _parts(frame: pl.DataFrame, rows: int) -> Iterator[pl.DataFrame]:
    for start in range(0, frame.height, rows):
        yield frame.slice(start, rows)
