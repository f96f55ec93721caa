"""What the platform's tables know of a product's drift: every report, and whether it calls for retraining."""

from datetime import UTC, datetime
from math import isfinite
from typing import TYPE_CHECKING

from sqlalchemy import insert

from feature_repo.platform import database
from feature_repo.platform.tables import drift_reports
from feature_repo.settings import Settings
from monitoring.standing import drifts

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from monitoring.watch import Watched


def remember(settings: Settings, watched: "Watched", run_id: str | None) -> None:
    """Add the report's verdict to the platform's tables."""
    report = watched.report
    row = {
        "product": report.product,
        "version": watched.number,
        "since": watched.window.since,
        "until": watched.window.until,
        "share": report.share if isfinite(report.share) else None,
        "drifted": list(report.drifted),
        "verdict": report.verdict,
        "reason": report.reason,
        "html": str(report.html.relative_to(settings.root)) if report.html else None,
        "run_id": run_id,
        "reported_at": datetime.now(UTC),
    }
    with database(settings).begin() as connection:
        connection.execute(insert(drift_reports).values(**row))


def is_new(engine: "Engine", product: str, trained: datetime | None) -> bool:
    """Whether the columns drifted since the newest training, and not already then: retraining cannot mend that.

    trained: the newest version's as-of date, None where there is none.
    """
    with engine.connect() as connection:
        rows = [(row.until, row.verdict == "drift") for row in connection.execute(drifts(product))]
    since = [drifted for until, drifted in rows if trained is None or until > trained]
    then = [drifted for until, drifted in rows if until == trained]
    return since[:1] == [True] and then[:1] != [True]
