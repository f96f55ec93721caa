"""Experiments: a challenger beside the champion, on a share of the units or in the shadow."""

from sqlalchemy import CheckConstraint, Column, Float, Index, Integer, String, Table, text

from feature_repo.platform.tables.types import Instant, Words, metadata

experiments = Table(
    "experiments",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("product", String(64), nullable=False),
    Column("champion", Integer, nullable=False, doc="the champion's version; the experiment ends when it changes"),
    Column("challenger", Integer, nullable=False, doc="the challenger's version"),
    Column("share", Float, nullable=False, doc="of the units that the challenger gets, 0 to 1"),
    Column("mode", String(16), nullable=False, doc="split: it answers; shadow: it only scores along"),
    Column("salt", String(64), nullable=False, doc="makes the split independent of every other experiment's"),
    Column("alpha", Float, nullable=False, doc="chance at which equal models may be told apart, over all looks"),
    Column("who", String(128), nullable=False, doc="who started it"),
    Column("started_at", Instant, nullable=False),
    Column("stopped_at", Instant, doc="null while it runs"),
    Column("result", Words, doc="why it ended, and what had been found by then"),
    CheckConstraint("mode in ('split', 'shadow')", name="mode"),
    CheckConstraint("share > 0 and share <= 1", name="share"),
    Index(
        "uq_experiments__running",
        "product",
        unique=True,
        sqlite_where=text("stopped_at is null"),
        postgresql_where=text("stopped_at is null"),
    ),
    Index(None, "product", "started_at"),
)
