"""What admins did through the service, and what they were refused."""

from sqlalchemy import CheckConstraint, Column, Index, String, Table

from feature_repo.platform.tables.types import Instant, Words, metadata, serial

audit_log = Table(
    "audit_log",
    metadata,
    serial(),
    Column("at", Instant, nullable=False, doc="when it was asked for"),
    Column("subject", String(128), nullable=False, doc="who asked, as the token says; empty where nobody knows"),
    Column("role", String(16), nullable=False),
    Column("action", String(32), nullable=False, doc="retrain or rollback; several, of refusals that are only counted"),
    Column("target", Words, nullable=False, doc="the products; empty where the request named none"),
    Column("outcome", String(16), nullable=False, doc="asked until it is known: done, refused or failed"),
    Column("detail", Words, nullable=False, doc="the reason given, then what came of it"),
    Column("request_id", String(128)),
    CheckConstraint("outcome in ('asked', 'done', 'refused', 'failed')", name="outcome"),
    Index(None, "at"),
    Index(None, "subject", "at"),
)
