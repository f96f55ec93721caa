"""A check that passed, as a row of the platform's collection history."""

from datetime import UTC, datetime

from sqlalchemy import insert

from expectations.report import CheckReport
from feature_repo.extract import manifests
from feature_repo.platform import database, tables
from feature_repo.settings import Settings


def record(settings: Settings, report: CheckReport, as_of: datetime | None, started: datetime) -> None:
    """Add the check's rows, rejected rows and features to the collection history."""
    views = [part.declared for part in report.parts if part.declared.kind == "view"]
    row = {
        "verb": "check",
        "run": report.run,
        "until": as_of,
        "sources": {part.declared.title: part.counts() for part in report.parts},
        "servers": {each.store: each.server for each in manifests(settings)},
        "row_count": report.extracted,
        "rejected_count": report.rejected,
        "feature_count": sum(len(view.fields) - len(view.key) for view in views),
        "started_at": started,
        "finished_at": datetime.now(UTC),
    }
    engine = database(settings)
    try:
        with engine.begin() as connection:
            connection.execute(insert(tables.collection_history), [row])
    finally:
        engine.dispose()
