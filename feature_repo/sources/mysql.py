"""Rows of MySQL 8.4 and MariaDB 10.11, by time window. The SQL is what both understand."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from feature_repo.column import Field
from feature_repo.errors import DataError, SourceError
from feature_repo.sources.address import Address
from feature_repo.sources.stream import RECORDED_AT, Stream
from feature_repo.window import Window

if TYPE_CHECKING:
    import pyarrow as pa
    import pymysql

BATCH_ROWS = 10_000
SECONDS_TO_CONNECT = 5
SECONDS_OF_SILENCE = 300
REFUSED = {1044, 1045, 1142, 1698}
LOST = {1053, 1077, 1205, 1213, 1927, 2002, 2003, 2006, 2013, 2014, 2055}
TEXTS = {"char", "varchar", "tinytext", "text", "mediumtext", "longtext", "enum"}
INTEGERS = {"tinyint", "smallint", "mediumint", "int", "bigint"}
TYPES: dict[Any, set[str]] = {
    str: TEXTS,
    int: INTEGERS,
    float: {"double", "float", "decimal", *INTEGERS},
    bool: {"tinyint"},
    datetime: {"datetime", "timestamp", "date"},
}


@contextmanager
def connected(url: str) -> Iterator["pymysql.Connection[Any]"]:
    """A connection whose session is in UTC and whose results arrive as the bytes of the wire, not value by value.

    Raises SourceError for what goes wrong within, ConnectionLostError where trying again may help; never the password.
    """
    import pymysql
    from pymysql.converters import conversions

    address = Address("mysql", url)
    encoders: dict[Any, Any] = {kind: code for kind, code in conversions.items() if not isinstance(kind, int)}
    try:
        connection = pymysql.connect(
            host=address.host,
            port=address.port,
            user=address.user,
            password=address.password,
            charset="utf8mb4",
            use_unicode=False,
            conv=encoders,
            connect_timeout=SECONDS_TO_CONNECT,
            read_timeout=SECONDS_OF_SILENCE,
            init_command="SET time_zone = '+00:00'",
        )
        with connection:
            yield connection
    except (pymysql.MySQLError, OSError) as error:
        raise _failure(address, error) from None


def _failure(address: Address, error: Exception) -> SourceError:
    import pymysql

    code = error.args[0] if error.args and isinstance(error.args[0], int) else 0
    if code in REFUSED:
        return address.refusal(error)
    if code in LOST or isinstance(error, OSError | pymysql.err.InterfaceError):
        return address.interruption(error)
    return address.failure(error)


def read(url: str, stream: Stream, window: Window, rows: int = BATCH_ROWS) -> Iterator["pa.RecordBatch"]:
    """The stream's rows recorded within the window, in batches, from one query that the server streams.

    Columns have the stream's types, or text where a value does not fit (see arrays). Rows are in no order.
    Raises SourceError when the table or the server is missing, DataError that names a dropped or retyped column.
    """
    from pymysql.cursors import SSCursor

    with connected(url) as connection:
        _check_columns(connection, stream)
        cursor = connection.cursor(SSCursor)
        try:
            cursor.execute(query(stream), (_literal(window.since), _literal(window.until)))
            while chunk := cursor.fetchmany(rows):
                yield _batch(stream, chunk)
        finally:
            _abandon(cursor)


def _abandon(cursor: Any) -> None:
    """Forget what was not read: on closing, PyMySQL would read the rest, from a connection that may be gone."""
    if cursor._result is not None:
        cursor._result.unbuffered_active = False
    cursor.connection = None


def query(stream: Stream) -> str:
    """The SELECT of a stream; its two parameters bound the window."""
    columns = ", ".join(f"`{stream.path(name)}`" for name in stream.names)
    known = stream.path(RECORDED_AT.name)
    return f"SELECT {columns} FROM {stream.origin} WHERE `{known}` >= %s AND `{known}` < %s"


def _literal(instant: datetime) -> str:
    return instant.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S.%f")


def _batch(stream: Stream, rows: Any) -> "pa.RecordBatch":
    import pyarrow as pa

    from feature_repo.sources.arrays import from_text

    kinds = stream.schema().types
    columns = [from_text(values, kind) for values, kind in zip(zip(*rows, strict=True), kinds, strict=True)]
    return pa.RecordBatch.from_arrays(columns, names=list(stream.names))


def _check_columns(connection: "pymysql.Connection[Any]", stream: Stream) -> None:
    found = column_types(connection, *stream.origin.split("."))
    if not found:
        raise SourceError(
            f"{stream.place}: no such table, or no right to read it; allowed: the tables of `talentml seed`, "
            "or a user who may SELECT from it"
        )
    for each in stream.fields:
        _check_column(stream, each, found)


def _check_column(stream: Stream, field: Field, found: dict[str, str]) -> None:
    path, allowed = stream.path(field.name), TYPES[field.dtype]
    if path not in found:
        raise DataError(f"{stream.place}: column {path} is missing, found {', '.join(sorted(found))}")
    if found[path] not in allowed:
        raise DataError(f"{stream.place}: column {path} is {found[path]}, allowed {', '.join(sorted(allowed))}")


def column_types(connection: "pymysql.Connection[Any]", database: str, table: str) -> dict[str, str]:
    """The data type of each column of a table; empty when there is no such table."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT column_name, data_type FROM information_schema.columns WHERE table_schema = %s AND table_name = %s",
            (database, table),
        )
        return {name.decode(): kind.decode().lower() for name, kind in cursor.fetchall()}
