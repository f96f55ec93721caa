"""Where a product stands, from the platform's tables alone, so that MLflow may be down: champion, verdict, drift."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Engine, RowMapping, Select, select

from feature_repo.platform.tables import drift_reports, model_training_history, verdicts
from training import history
from training.product import Product
from training.split import cut

VERDICT = ("id", "version", "promote", "reason", "numbers", "decided_at")
DRIFT = ("version", "since", "until", "share", "drifted", "verdict", "reason", "html", "reported_at")
LOOKED_AT = 20


def standing(engine: Engine, product: Product) -> dict[str, Any]:
    """A product's champion beside the naive baseline, the window that it learned from, the last verdicts.

    champion: None where a rule answers; then value and baseline_value are those of the last verdict. Metrics are of the
    champion's own unseen rows. verdict, drift: None before the first.
    """
    champion, judged = history.active(engine, product.name), last_verdict(engine, product.name)
    metric, rule = product.gate.metric, product.gate.beats
    trained = _training(engine, product.name, champion.number) if champion else {}
    numbers: Mapping[str, Any] = judged["numbers"] if judged else {}
    metrics = dict(champion.metrics) if champion else {}
    return {
        "champion": champion.number if champion else None,
        "serves": "model" if champion else product.fallback,
        "trained_since": cut(product.split, champion.as_of).train.since if champion else None,
        "trained_until": champion.trained_until if champion else None,
        "trained_at": trained.get("trained_at"),
        "row_count": trained.get("row_count"),
        "metrics": metrics,
        "metric": metric,
        "value": metrics.get(metric) if champion else numbers.get("candidate"),
        "baseline": rule,
        "baseline_value": trained["baselines"].get(rule, {}).get(metric) if trained else numbers.get("baseline"),
        "verdict": judged,
        "drift": last_drift(engine, product.name),
    }


def last_verdict(engine: Engine, product: str) -> dict[str, Any] | None:
    """The newest verdict that rests on scores; one of a rerun, which judged nothing, only where there is no other.

    Without its evidence, which is large.
    """
    mine = select(*(verdicts.c[name] for name in VERDICT)).where(verdicts.c.product == product)
    with engine.connect() as connection:
        rows = connection.execute(mine.order_by(verdicts.c.decided_at.desc()).limit(LOOKED_AT)).mappings().all()
    found = next((row for row in rows if row["numbers"]), rows[0] if rows else None)
    return None if found is None else dict(found)


def last_drift(engine: Engine, product: str) -> dict[str, Any] | None:
    """The first of drifts; None before any."""
    with engine.connect() as connection:
        row = connection.execute(drifts(product).limit(1)).mappings().first()
    return None if row is None else {name: row[name] for name in DRIFT}


def drifts(product: str) -> Select[Any]:
    """A product's drift reports: first the one on the latest rows, of those on the same rows the one made last."""
    table = drift_reports.c
    return select(drift_reports).where(table.product == product).order_by(table.until.desc(), table.id.desc())


def trainings(engine: Engine, product: str | None, limit: int) -> list[RowMapping]:
    """The newest rows of model_training_history, newest first: of a product, or of all."""
    table = model_training_history
    chosen = select(table).order_by(table.c.trained_at.desc(), table.c.id.desc()).limit(limit)
    with engine.connect() as connection:
        found = chosen if product is None else chosen.where(table.c.product == product)
        return list(connection.execute(found).mappings())


def _training(engine: Engine, product: str, number: int) -> Mapping[str, Any]:
    table = model_training_history
    chosen = select(table).where(table.c.product == product, table.c.version == number)
    with engine.connect() as connection:
        return dict(connection.execute(chosen.order_by(table.c.id.desc()).limit(1)).mappings().first() or {})
