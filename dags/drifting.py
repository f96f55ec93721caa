"""Drift of a product: what its champion learned from, beside what it answers about now."""

from datetime import UTC, datetime
from math import isfinite
from typing import TYPE_CHECKING, Any

import polars as pl
from sqlalchemy import insert, select

from feature_repo.platform import database
from feature_repo.platform.tables import drift_reports
from feature_repo.settings import Settings
from feature_repo.window import Window
from training.evaluation import Predict, labelled_frame, predicted
from training.product import Product

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from monitoring.shift import DriftReport


def windows(product: Product, trained: datetime, as_of: datetime) -> tuple[Window, Window]:
    """The reference's and the current rows' period, each as long as the product's unseen one.

    The reference is the last that the model learned from: it was trained as of `trained` and has not seen the unseen
    period before that. The current rows are the last before as_of.
    """
    length = product.split.test
    return Window(trained - 2 * length, trained - length), Window(as_of - length, as_of)


def frame(product: Product, settings: Settings, predict: Predict, window: Window) -> pl.DataFrame:
    """The labelled rows of a period with their columns and predictions, as known at its end."""
    return predicted(labelled_frame(product, settings.root, window, window.until), predict)


def remember(
    settings: Settings, report: "DriftReport", version: int | None, window: Window, run_id: str | None
) -> None:
    """Add the report's verdict to the platform's tables."""
    row = {
        "product": report.product,
        "version": version,
        "since": window.since,
        "until": window.until,
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
    """Whether the columns drifted since the newest training, and not already then: retraining cannot mend that."""
    table = drift_reports.c
    verdicts = select(table.until, table.verdict).where(table.product == product).order_by(table.id.desc())
    with engine.connect() as connection:
        rows: list[Any] = list(connection.execute(verdicts))
    latest = rows[0] if rows else None
    known = any(row.until == trained and row.verdict == "drift" for row in rows)
    return latest is not None and latest.verdict == "drift" and latest.until != trained and not known
