"""Where a home stands: its products, its data, its servers. Asks the platform's tables, so MLflow may be down."""

from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Engine

from feature_repo.errors import DataError
from feature_repo.online import OnlineSnapshot
from feature_repo.settings import Settings
from feature_repo.window import Window
from monitoring.outcomes import summary
from monitoring.standing import standing
from training.product import Product

FEEDBACK_PERIOD = timedelta(days=7)
SHOWN = ("champion", "serves", "trained_until", "metric", "value", "baseline", "baseline_value")


def product_status(engine: Engine, product: Product) -> dict[str, Any]:
    """Where a product stands, in the words of `talentml status`; and what people said of its answers this week."""
    now, found = datetime.now(UTC), standing(engine, product)
    judged = found["verdict"]
    return {
        "product": product.name,
        **{name: found[name] for name in SHOWN},
        "verdict": None if judged is None else "promoted" if judged["promote"] else "not promoted",
        "reason": judged["reason"] if judged else None,
        "verdict_id": judged["id"] if judged else None,
        "drift": found["drift"],
        "feedback": asdict(summary(engine, product.name, Window(now - FEEDBACK_PERIOD, now))),
    }


def store_as_of(settings: Settings) -> datetime | None:
    """The date that the published feature store is as of; None before the first."""
    try:
        return OnlineSnapshot.open(settings.root).as_of
    except DataError:
        return None
