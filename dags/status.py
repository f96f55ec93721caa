"""Where a home stands: its products, its data, its servers. Asks the platform's tables, so MLflow may be down."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Engine, select

from dags.drifting import newest_first
from feature_repo.errors import DataError
from feature_repo.online import OnlineSnapshot
from feature_repo.platform.tables import model_training_history
from feature_repo.settings import Settings
from training import history, verdicts
from training.gate import Verdict
from training.product import Product


def product_status(engine: Engine, product: Product) -> dict[str, Any]:
    """A product's champion beside the naive baseline, on the champion's own unseen rows; the last verdicts.

    Where nothing was promoted the numbers are those of the last verdict, and `champion` is null: the rule serves.
    """
    champion = history.active(engine, product.name)
    judged = last_judgement(engine, product.name)
    metric, rule = product.gate.metric, product.gate.beats
    value, baseline = (judged.numbers.get("candidate"), judged.numbers.get("baseline")) if judged else (None, None)
    if champion:
        value = champion.metrics.get(metric)
        baseline = _baselines(engine, product.name, champion.number).get(rule, {}).get(metric)
    return {
        "product": product.name,
        "champion": champion.number if champion else None,
        "serves": "model" if champion else product.fallback,
        "trained_until": champion.trained_until if champion else None,
        "metric": metric,
        "value": value,
        "baseline": rule,
        "baseline_value": baseline,
        "verdict": _word(judged),
        "reason": judged.reason if judged else None,
        "verdict_id": judged.id if judged else None,
        "drift": drift_status(engine, product.name),
    }


def last_judgement(engine: Engine, product: str) -> Verdict | None:
    """The newest verdict that rests on scores; one of a rerun, which judged nothing, only where there is no other."""
    found = verdicts.latest(engine, product, count=20)
    return next((each for each in found if each.numbers), found[0] if found else None)


def _word(judged: Verdict | None) -> str | None:
    return None if judged is None else "promoted" if judged.promote else "not promoted"


def _baselines(engine: Engine, product: str, number: int) -> Mapping[str, Mapping[str, float]]:
    table = model_training_history.c
    chosen = select(table.baselines).where(table.product == product, table.version == number)
    with engine.connect() as connection:
        return connection.scalar(chosen) or {}


def drift_status(engine: Engine, product: str) -> dict[str, Any] | None:
    """The drift report on a product's latest rows; None before the first."""
    names = ("verdict", "reason", "share", "html", "reported_at")
    with engine.connect() as connection:
        row = connection.execute(newest_first(product).limit(1)).mappings().first()
    return None if row is None else {name: row[name] for name in names}


def store_as_of(settings: Settings) -> datetime | None:
    """The date that the published feature store is as of; None before the first."""
    try:
        return OnlineSnapshot.open(settings.root).as_of
    except DataError:
        return None
