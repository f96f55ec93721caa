"""The gate's verdicts, each with the evidence that reaches it again."""

from sqlalchemy import JSON, Boolean, Column, Index, Integer, LargeBinary, String, Table

from feature_repo.platform.tables.types import Instant, Words, metadata

verdicts = Table(
    "verdicts",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("product", String(64), nullable=False),
    Column("version", Integer, nullable=False, doc="the version that was judged"),
    Column("champion", Integer, doc="the champion then; null where there was none"),
    Column("promote", Boolean, nullable=False),
    Column("reason", Words, nullable=False),
    Column("numbers", JSON, nullable=False),
    Column("evidence", LargeBinary, doc="npz of the values per unit and the gate; null: refused before any score"),
    Column("since", Instant, doc="the unseen rows judged upon: from here"),
    Column("until", Instant, doc="to here, exclusive"),
    Column("rows", Integer, nullable=False, server_default="0"),
    Column("decided_at", Instant, nullable=False),
    Column("applied_at", Instant, doc="when the alias had moved; null where nothing moved"),
    Index(None, "product", "decided_at"),
)
