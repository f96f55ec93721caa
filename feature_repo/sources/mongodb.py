"""Documents of MongoDB, and of what speaks its protocol in its place, by time window.

Pages by _id (keyset), with projections of top-level fields only, as nested ones are silently wrong in the stand-in.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from feature_repo.errors import DataError, SourceError
from feature_repo.sources.address import Address
from feature_repo.sources.stream import RECORDED_AT, Stream
from feature_repo.window import Window

if TYPE_CHECKING:
    import pyarrow as pa
    import pymongo
    from pymongo.collection import Collection

Document = dict[str, Any]

# nx-27017 takes .4 s for a page out of 100,000 documents, whether it holds 1,000 or 20,000 of them.
PAGE_DOCUMENTS = 20_000
WIRE_DOCUMENTS = 1_000
MILLISECONDS_TO_CONNECT = 2_000
MILLISECONDS_OF_SILENCE = 300_000
REFUSED = {13, 18, 8000}
EARLIEST = datetime(1, 1, 1, tzinfo=UTC)


@contextmanager
def connected(url: str) -> Iterator["pymongo.MongoClient[Document]"]:
    """A client.

    Raises SourceError for what goes wrong within, ConnectionLostError where trying again may help; never the password.
    """
    import pymongo
    from pymongo.errors import PyMongoError

    address = Address("mongodb", url)
    try:
        with pymongo.MongoClient[Document](
            url,
            tz_aware=True,
            datetime_conversion="DATETIME_AUTO",
            unicode_decode_error_handler="replace",
            serverSelectionTimeoutMS=MILLISECONDS_TO_CONNECT,
            connectTimeoutMS=MILLISECONDS_TO_CONNECT,
            socketTimeoutMS=MILLISECONDS_OF_SILENCE,
        ) as client:
            yield client
    except (PyMongoError, OSError) as error:
        raise _failure(address, error) from None


def _failure(address: Address, error: Exception) -> SourceError:
    from pymongo.errors import ConnectionFailure, OperationFailure

    if isinstance(error, OperationFailure) and error.code in REFUSED:
        return address.refusal(error)
    if isinstance(error, ConnectionFailure | OSError):
        return address.interruption(error)
    return address.failure(error)


def read(url: str, stream: Stream, window: Window, documents: int = PAGE_DOCUMENTS) -> Iterator["pa.RecordBatch"]:
    """The stream's rows recorded within the window, in batches, in the order of _id.

    Columns have the stream's types, or text where a value does not fit (see arrays).
    Raises SourceError when the collection or the server is missing, DataError that names a field which no document
    has, and ConnectionLostError when the collection changed while it was read.
    """
    within = {stream.path(RECORDED_AT.name): {"$gte": window.since, "$lt": window.until}}
    with connected(url) as client:
        collection = _collection(client, stream)
        _check_times(collection, stream)
        counted, found, missing = collection.count_documents(within), 0, set(stream.names)
        for page in _pages(collection, stream, within, documents):
            found += len(page)
            missing = {name for name in missing if not any(stream.path(name) in document for document in page)}
            yield _batch(stream, page)
    if found != counted:
        raise Address("mongodb", url).interruption(f"{stream.name}: {counted} documents counted, {found} read")
    if found and missing:
        paths = ", ".join(sorted(stream.path(name) for name in missing))
        raise DataError(f"{stream.place}: no document has {paths}; found {found} documents without")


def _collection(client: "pymongo.MongoClient[Document]", stream: Stream) -> "Collection[Document]":
    database, _, name = stream.origin.partition(".")
    if name not in client[database].list_collection_names():
        raise SourceError(f"{stream.place}: no such collection, allowed: those of `talentml seed`")
    return client[database][name]


def _check_times(collection: "Collection[Document]", stream: Stream) -> None:
    """No window would ever hold a document whose time of record is no time: raise, rather than lose it in silence."""
    known = stream.path(RECORDED_AT.name)
    every, given = collection.count_documents({}), collection.count_documents({known: {"$ne": None}})
    times = collection.count_documents({known: {"$gte": EARLIEST}})
    if every and not given:
        raise DataError(f"{stream.place}: no document has {known}; found {every} documents without")
    if times != given:
        raise DataError(f"{stream.place}: {given - times} of {known} are not times, allowed: dates")


def _pages(
    collection: "Collection[Document]", stream: Stream, within: Document, documents: int
) -> Iterator[Sequence[Document]]:
    projection = {"_id": 1, **{stream.path(name): 1 for name in stream.names}}
    last: Document = {}
    while True:
        found = collection.find({**within, **last}, projection).sort("_id", 1).limit(documents)
        page = list(found.batch_size(WIRE_DOCUMENTS))
        if not page:
            return
        yield page
        last = {"_id": {"$gt": page[-1]["_id"]}}


def _batch(stream: Stream, page: Sequence[Document]) -> "pa.RecordBatch":
    import pyarrow as pa

    from feature_repo.sources.arrays import from_objects

    columns = [
        from_objects([document.get(stream.path(name)) for document in page], kind)
        for name, kind in zip(stream.names, stream.schema().types, strict=True)
    ]
    return pa.RecordBatch.from_arrays(columns, names=list(stream.names))
