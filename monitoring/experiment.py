"""Experiments as the platform's table has them: at most one per product runs, and it ends when the champion changes."""

import secrets
import uuid
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from enum import StrEnum

from sqlalchemy import Engine, RowMapping, insert, select, update
from sqlalchemy.exc import IntegrityError

from feature_repo.errors import DataError
from feature_repo.platform.tables import experiments


class Mode(StrEnum):
    """split: the challenger answers its share of the units; shadow: it scores along, and nobody sees it."""

    SPLIT = "split"
    SHADOW = "shadow"


SHARES = {Mode.SPLIT: (0.01, 0.99), Mode.SHADOW: (0.01, 1.0)}
"""Of a smaller arm each unit says little: the scores' bounds grow as 1 / share."""
DEFAULT_SHARES = {Mode.SPLIT: 0.5, Mode.SHADOW: 1.0}
ALPHAS = (0.001, 0.2)


@dataclass(frozen=True)
class Experiment:
    """A challenger beside the champion. champion, challenger: version numbers. share: of the units, the challenger's.

    salt: makes the split independent of other experiments'. alpha: the chance at which equal models may be told apart,
    over all looks. stopped_at: None while it runs. result: why it ended.
    """

    id: str
    product: str
    champion: int
    challenger: int
    share: float
    mode: Mode
    salt: str
    alpha: float
    who: str
    started_at: datetime
    stopped_at: datetime | None = None
    result: str | None = None


def planned(
    product: str, champion: int, challenger: int, mode: Mode, share: float, alpha: float, who: str
) -> Experiment:
    """A new experiment that begins now. Raises DataError for what cannot be tested."""
    if champion == challenger:
        raise DataError(f"{product}: version {challenger} is the champion, allowed: another version as its challenger")
    for name, found, (low, high) in (("share", share, SHARES[mode]), ("alpha", alpha, ALPHAS)):
        if not low <= found <= high:
            raise DataError(f"{product}: {name} {found:g}, allowed {low:g} to {high:g}")
    now = datetime.now(UTC)
    identity, salt = uuid.uuid4().hex, secrets.token_hex(16)
    return Experiment(identity, product, champion, challenger, share, mode, salt, alpha, who, now)


def start(engine: Engine, experiment: Experiment) -> None:
    """Let it run. Raises DataError where one of the product runs already."""
    try:
        with engine.begin() as connection:
            connection.execute(insert(experiments).values(**_row(experiment)))
    except IntegrityError:
        raise DataError(
            f"{experiment.product}: an experiment runs already, allowed: one at a time; "
            f"`talentml experiment stop {experiment.product}` ends it"
        ) from None


def _row(experiment: Experiment) -> dict[str, object]:
    return {field.name: getattr(experiment, field.name) for field in fields(experiment)}


def running(engine: Engine) -> dict[str, Experiment]:
    """What runs now, by product."""
    chosen = select(experiments).where(experiments.c.stopped_at.is_(None))
    with engine.connect() as connection:
        return {row["product"]: _experiment(row) for row in connection.execute(chosen).mappings()}


def latest(engine: Engine, product: str) -> Experiment | None:
    """The product's experiment that started last, also one that has ended."""
    chosen = select(experiments).where(experiments.c.product == product).order_by(experiments.c.started_at.desc())
    with engine.connect() as connection:
        row = connection.execute(chosen.limit(1)).mappings().first()
    return None if row is None else _experiment(row)


def _experiment(row: RowMapping) -> Experiment:
    return Experiment(**{**row, "mode": Mode(row["mode"])})


def stop(engine: Engine, experiment: Experiment, result: str) -> bool:
    """End it; whether it was still running."""
    mine = (experiments.c.id == experiment.id) & experiments.c.stopped_at.is_(None)
    with engine.begin() as connection:
        done = connection.execute(update(experiments).where(mine).values(stopped_at=datetime.now(UTC), result=result))
    return done.rowcount == 1


def end_overtaken(engine: Engine, experiment: Experiment, champion: int | None) -> bool:
    """End an experiment whose champion is no longer the champion; whether it is over."""
    if champion == experiment.champion:
        return False
    became = "there is no champion any more" if champion is None else f"version {champion} became champion"
    mine = ", the challenger itself" if champion == experiment.challenger else ""
    stop(engine, experiment, f"ended by itself: {became}{mine}")
    return True
