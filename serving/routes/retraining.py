"""Retraining at an admin's request: a run of the product's DAG in Airflow, one at a time."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import Engine

from feature_repo.errors import RegistryError, ServingError, SettingsError, SourceError
from feature_repo.settings import Settings
from serving.airflow import Airflow, TakenError, dag_of
from serving.limits import LIMITS
from serving.schemas.problems import ProblemError, unavailable
from training.locks import alone

LOG = logging.getLogger("talentml.serving")


@dataclass(frozen=True)
class Retraining:
    """A run of a product's DAG. is_new: this call began it; else it was under way, or asked for a minute ago."""

    product: str
    dag: str
    run: str
    is_new: bool


def retrain(
    settings: Settings, engine: Engine, products: Sequence[str], as_of: datetime | None, note: str
) -> list[Retraining]:
    """Ask for a run per product, or find the one under way. as_of: of the published features; None: of the last cut.

    Raises ProblemError 503 without Airflow, 409 for a DAG that is paused; asked again, the runs begun are found.
    """
    begun: list[Retraining] = []
    try:
        # Airflow on SQLite hangs for its 60 s of waiting for a lock where two ask for runs of a DAG at once.
        with alone(engine, settings.root, "retrain", LIMITS.admin_seconds):
            airflow = Airflow.of(settings, LIMITS.airflow_seconds, attempts=2)
            conf = {"until": as_of.isoformat()} if as_of else {}
            # What was begun before an error stays in the list, so the caller is told.
            begun.extend(_asked(airflow, product, conf, note) for product in products)
    except (ServingError, SourceError, SettingsError, RegistryError) as error:
        if isinstance(error, ProblemError):
            raise
        LOG.warning("retraining: %s", error)
        raise _without_airflow(products, begun) from error
    return begun


def _asked(airflow: Airflow, product: str, conf: Mapping[str, str], note: str) -> Retraining:
    dag, now = dag_of(product), datetime.now(UTC)
    if airflow.is_paused(dag):
        raise ProblemError(409, f"{dag} is paused in Airflow, so a run would wait for ever; unpause it there first.")
    found = airflow.under_way(dag, now - timedelta(seconds=LIMITS.retrain_again_seconds))
    if found is not None:
        return Retraining(product, dag, found, is_new=False)
    # One id per minute: of two calls at the same time, on whatever machine, Airflow takes one.
    name = f"admin__{now:%Y-%m-%dT%H:%M}"
    try:
        return Retraining(product, dag, airflow.trigger(dag, conf, name, note), is_new=True)
    except TakenError:
        return Retraining(product, dag, name, is_new=False)


def _without_airflow(products: Sequence[str], begun: Sequence[Retraining]) -> ProblemError:
    """A 503 that says what can be done. The error's own text, which may name addresses, goes to the log."""
    done = f" Begun: {', '.join(each.product for each in begun)}." if begun else ""
    name = products[len(begun)]
    detail = (
        f"Airflow does not answer.{done} Start it (`talentml servers start airflow`) or set TALENTML_AIRFLOW_URL, and "
        f"ask again; or by hand: `talentml train {name}`, then `talentml promote {name}`."
    )
    return unavailable(detail, 30)
