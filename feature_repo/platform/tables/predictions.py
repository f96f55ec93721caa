"""What was answered to whom, and what people did with it."""

from sqlalchemy import (
    JSON,
    Boolean,
    CheckConstraint,
    Column,
    Float,
    Index,
    Integer,
    LargeBinary,
    String,
    Table,
    UniqueConstraint,
)

from feature_repo.platform.tables.types import Instant, Words, metadata, serial

prediction_log = Table(
    "prediction_log",
    metadata,
    Column("prediction_id", String(64), primary_key=True),
    Column("request_id", String(64)),
    Column("product", String(64), nullable=False),
    Column("model_version", Integer, doc="null where a rule answered"),
    Column("source", String(16), nullable=False, doc="model or fallback"),
    Column("subject", String(128), doc="who asked"),
    Column("snapshot", String(128), doc="version of the online store that was read"),
    Column("as_of", Instant, doc="the snapshot's as-of date: where a replay reads"),
    Column("request", JSON, nullable=False),
    Column("features", LargeBinary, doc="the frame that was scored, as Arrow IPC, for bit-equal replays"),
    Column("answer", JSON, nullable=False),
    Column("row_count", Integer, nullable=False, server_default="1"),
    Column("milliseconds", Float, nullable=False),
    Column("predicted_at", Instant, nullable=False),
    CheckConstraint("source in ('model', 'fallback')", name="source"),
    Index(None, "product", "predicted_at"),
    Index(None, "predicted_at"),
)

user_interactions = Table(
    "user_interactions",
    metadata,
    serial(),
    Column("person_id", String(128), nullable=False),
    Column("item_id", String(128), nullable=False),
    Column("item_kind", String(32), nullable=False, doc="task, job, content, skill or career"),
    Column("kind", String(32), nullable=False, doc="shown, opened, accepted, rejected, finished ..."),
    Column("product", String(64)),
    Column("prediction_id", String(64), doc="the answer that showed the item"),
    Column("value", Float),
    Column("context", JSON, nullable=False),
    Column("happened_at", Instant, nullable=False),
    Index(None, "person_id", "happened_at"),
    Index(None, "item_id", "happened_at"),
    Index(None, "prediction_id"),
)

match_feedback = Table(
    "match_feedback",
    metadata,
    serial(),
    Column("person_id", String(128), nullable=False),
    Column("item_id", String(128), nullable=False),
    Column("kind", String(32), nullable=False, doc="what is judged, such as task_assignment"),
    Column("prediction_id", String(64)),
    Column("subject", String(128), doc="who gave it; labels are capped per subject"),
    Column("accepted", Boolean),
    Column("rating", Integer),
    Column("comment", Words),
    Column("given_at", Instant, nullable=False),
    CheckConstraint("rating between 1 and 5", name="rating"),
    UniqueConstraint("person_id", "item_id", "kind"),
    Index(None, "person_id", "given_at"),
    Index(None, "item_id", "given_at"),
    Index(None, "subject", "given_at"),
)
