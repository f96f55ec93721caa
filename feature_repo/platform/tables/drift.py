"""Verdicts on drift, one per report."""

from sqlalchemy import JSON, Column, Float, Index, Integer, String, Table, Text

from feature_repo.platform.tables.types import Instant, Words, metadata, serial

drift_reports = Table(
    "drift_reports",
    metadata,
    serial(),
    Column("product", String(64), nullable=False),
    Column("version", Integer, doc="the champion whose training reference was compared"),
    Column("since", Instant),
    Column("until", Instant),
    Column("share", Float, doc="share of the columns that drifted, 0 to 1"),
    Column("drifted", JSON, nullable=False, doc="names of the columns that drifted"),
    Column("verdict", String(16), nullable=False, doc="none, drift or insufficient"),
    Column("reason", Words, nullable=False),
    Column("html", Text, doc="path of the report, relative to the home"),
    Column("run_id", String(64), doc="the registry's run that holds the report"),
    Column("reported_at", Instant, nullable=False),
    Index(None, "product", "reported_at"),
)
