"""What was collected from the sources, and which rows were refused."""

from sqlalchemy import JSON, BigInteger, Column, Index, Integer, String, Table

from feature_repo.platform.tables.types import Instant, Words, metadata, serial

collection_history = Table(
    "collection_history",
    metadata,
    serial(),
    Column("verb", String(32), nullable=False, doc="ingest, check or materialize"),
    Column("run", String(128), nullable=False, doc="names one run of the verb, such as a window or a version"),
    Column("since", Instant, doc="start of the window, null: from the beginning"),
    Column("until", Instant, doc="end of the window or as-of date, exclusive"),
    Column("sources", JSON, nullable=False, doc="stream to its manifest: source, rows, sha256, finished_at"),
    Column("servers", JSON, nullable=False, doc="store to the name of the server that answered"),
    Column("row_count", BigInteger, nullable=False),
    Column("rejected_count", BigInteger, nullable=False, server_default="0"),
    Column("feature_count", Integer, nullable=False, server_default="0"),
    Column("sha256", String(64)),
    Column("started_at", Instant, nullable=False),
    Column("finished_at", Instant, nullable=False),
    Index(None, "verb", "finished_at"),
)

quarantine = Table(
    "quarantine",
    metadata,
    serial(),
    Column("run", String(128), nullable=False, doc="the run of check that refused the row"),
    Column("kind", String(16), nullable=False, server_default="stream", doc="stream or view"),
    Column("name", String(128), nullable=False, doc="the stream's or view's name"),
    Column("row_key", Words, nullable=False),
    Column("rule", Words, nullable=False, doc="such as `hours: above maximum`"),
    Column("reason", Words, nullable=False, doc="such as `hours: 20000.0 h, allowed 0 to 10000 h`"),
    Column("content", JSON, nullable=False, doc="the refused row as it was found"),
    Column("recorded_at", Instant, nullable=False),
    Index(None, "run", "name"),
    Index(None, "name", "recorded_at"),
)
