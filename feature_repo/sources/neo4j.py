"""Relationships and nodes of Neo4j, and of what speaks Bolt in its place, by time window.

Pages by the key of the first node, each page a managed read transaction: one transaction over a whole graph would hold
its memory on the server. Times come as ISO text, as building the driver's own time objects takes twice as long.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from feature_repo.errors import DataError, SourceError
from feature_repo.sources.address import Address
from feature_repo.sources.stream import RECORDED_AT, Stream
from feature_repo.window import Window

if TYPE_CHECKING:
    import neo4j
    import pyarrow as pa

PAGE_NODES = 5_000
SECONDS_TO_CONNECT = 5
SECONDS_TO_RETRY = 2.0  # Of a write. A read is not retried by itself: extract reads the whole window again.
REFUSED = ("Security", "Forbidden")


@contextmanager
def connected(url: str, seconds_to_retry: float = SECONDS_TO_RETRY) -> Iterator["neo4j.Driver"]:
    """A driver.

    Raises SourceError for what goes wrong within, ConnectionLostError where trying again may help; never the password.
    """
    import neo4j
    from neo4j.exceptions import DriverError, Neo4jError

    address = Address("neo4j", url)
    login = (address.user, address.password) if address.user else None
    try:
        with neo4j.GraphDatabase.driver(
            address.bare,
            auth=login,
            connection_timeout=SECONDS_TO_CONNECT,
            max_transaction_retry_time=seconds_to_retry,
        ) as driver:
            driver.verify_connectivity()
            yield driver
    except (Neo4jError, DriverError, OSError) as error:
        raise _failure(address, error) from None


def _failure(address: Address, error: Exception) -> SourceError:
    from neo4j.exceptions import DriverError, Neo4jError

    code = error.code or "" if isinstance(error, Neo4jError) else ""
    if any(word in code for word in REFUSED):
        return address.refusal(error)
    is_broken = isinstance(error, OSError | DriverError) or (isinstance(error, Neo4jError) and error.is_retryable())
    return address.interruption(error) if is_broken else address.failure(error)


def read(url: str, stream: Stream, window: Window, nodes: int = PAGE_NODES) -> Iterator["pa.RecordBatch"]:
    """The stream's rows recorded within the window, a batch for each page of nodes.

    Columns have the stream's types, or text where a value does not fit (see arrays). Rows are in the order of pages.
    A type of relationship that is not there has no rows, and a node that has nothing but its key is no row: it was made
    as the end of a relationship.
    Raises SourceError when the server cannot be read, DataError that names a property which no row has, and
    ConnectionLostError when the graph changed while it was read.
    """
    bounds = {"since": _iso(window.since), "until": _iso(window.until)}
    with connected(url, seconds_to_retry=0) as driver, driver.session() as session:
        counted = _census(session, stream, bounds)
        found = 0
        for page in _pages(session, stream, bounds, nodes) if counted else ():
            found += page.num_rows
            yield page
    if found != counted:
        raise Address("neo4j", url).interruption(f"{stream.name}: {counted} rows counted, {found} read")


def _iso(instant: datetime) -> str:
    return instant.astimezone(UTC).isoformat()


def _within(stream: Stream) -> str:
    known = stream.path(RECORDED_AT.name)
    return f"{known} >= datetime($since) AND {known} < datetime($until)"


def _rows(stream: Stream) -> str:
    """The clause that matches the stream's rows, of all times."""
    if _node(stream) != stream.origin:
        return f"MATCH {stream.origin}"
    described = " OR ".join(f"{stream.path(name)} IS NOT NULL" for name in stream.names if name not in stream.key)
    return f"MATCH {stream.origin} WHERE ({described})"


def _census(session: "neo4j.Session", stream: Stream, bounds: dict[str, str]) -> int:
    """How many rows the window holds. Raises DataError for a property that is gone or a time that is none."""
    known = stream.path(RECORDED_AT.name)
    counts = ", ".join(f"count({stream.path(name)}) AS `{name}`" for name in stream.names)
    query = (
        f"{_rows(stream)} RETURN count(*) AS every, {counts}, "
        f"sum(CASE WHEN {_within(stream)} THEN 1 ELSE 0 END) AS inside, "
        f"sum(CASE WHEN {known} IS NOT NULL AND ({known} < datetime($until)) IS NULL THEN 1 ELSE 0 END) AS unfit"
    )
    row = session.execute_read(lambda transaction: transaction.run(query, bounds).single(strict=True))
    gone = [stream.path(each.name) for each in stream.fields if each.nulls < 1 and not row[each.name]]
    if row["every"] and gone:
        raise DataError(f"{stream.place}: no row has {', '.join(gone)}; found {row['every']} rows without")
    if row["unfit"]:
        raise DataError(f"{stream.place}: {row['unfit']} of {known} are not times, allowed: datetime with a zone")
    return int(row["inside"])


def _pages(session: "neo4j.Session", stream: Stream, bounds: dict[str, str], nodes: int) -> Iterator["pa.RecordBatch"]:
    """Pages after the last key seen; the first takes what has no key at all, so that the check can refuse it."""
    key = stream.path(stream.key[0])
    last = _last_key(session, stream, "", None, nodes)
    yield from _page(session, stream, f"({key} IS NULL OR {key} <= $last)", {**bounds, "last": last})
    while last is not None:
        after, last = last, _last_key(session, stream, f"WHERE {key} > $after", last, nodes)
        limit = f"{key} > $after AND {key} <= $last"
        yield from _page(session, stream, limit, {**bounds, "after": after, "last": last}) if last is not None else ()


def _last_key(session: "neo4j.Session", stream: Stream, where: str, after: Any, nodes: int) -> Any:
    """The key of the last of the next nodes, None when there are no more."""
    key = stream.path(stream.key[0])
    query = f"MATCH {_node(stream)} {where} WITH {key} AS key ORDER BY key LIMIT $nodes RETURN max(key) AS last"
    parameters = {"after": after, "nodes": nodes}
    return session.execute_read(lambda transaction: transaction.run(query, parameters).single(strict=True)["last"])


def _node(stream: Stream) -> str:
    """The pattern of the node that holds the first key field, such as (t:Task)."""
    key = stream.path(stream.key[0])
    node = re.search(rf"\({key.split('.')[0]}:\w+\)", stream.origin)
    assert node is not None, f"{stream.name}: {key} is of no node in {stream.origin}"
    return node.group()


def _page(
    session: "neo4j.Session", stream: Stream, keys: str, parameters: dict[str, Any]
) -> Iterator["pa.RecordBatch"]:
    returned = ", ".join(
        f"toString({stream.path(each.name)})" if each.dtype is datetime else stream.path(each.name)
        for each in stream.fields
    )
    rest = "" if _node(stream) == stream.origin else f"MATCH {stream.origin} WHERE {_within(stream)} "
    nodes = f"{keys} AND {_within(stream)}" if not rest else keys
    query = f"MATCH {_node(stream)} WHERE {nodes} {rest}RETURN {returned}"
    rows = session.execute_read(lambda transaction: [row.values() for row in transaction.run(query, parameters)])
    if rows:
        yield _batch(stream, rows)


def _batch(stream: Stream, rows: list[list[Any]]) -> "pa.RecordBatch":
    import pyarrow as pa

    from feature_repo.sources.arrays import from_objects, from_text

    columns = []
    for each, kind, values in zip(stream.fields, stream.schema().types, zip(*rows, strict=True), strict=True):
        columns.append(from_text(values, kind) if each.dtype is datetime else from_objects(values, kind))
    return pa.RecordBatch.from_arrays(columns, names=list(stream.names))
