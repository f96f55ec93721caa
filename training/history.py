"""What the platform's tables know of versions: what was trained, which is active, and every move of the champion."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal

from sqlalchemy import Connection, Engine, RowMapping, Table, insert, select, update
from sqlalchemy.exc import IntegrityError

from feature_repo.errors import RegistryError
from feature_repo.platform.tables import champion_moves, model_training_history, model_versions, verdicts
from training.candidate import Candidate
from training.version import Version


def remember(engine: Engine, version: Version, candidate: Candidate, importance: Mapping[str, float]) -> None:
    """Record a registered version and its training, once; a rerun changes nothing.

    Raises RegistryError when the tables know another version of that number.
    """
    now = datetime.now(UTC)
    try:
        _remember(engine, version, candidate, dict(importance), now)
    except IntegrityError:
        raise RegistryError(
            f"{version.product} version {version.number}: the platform database has another one of that number. "
            "The MLflow server and the database belong to different homes"
        ) from None


def _remember(
    engine: Engine, version: Version, candidate: Candidate, importance: dict[str, float], now: datetime
) -> None:
    with engine.begin() as connection:
        _add(connection, model_versions, {**_facts(version), "number": version.number, "registered_at": now})
        training = {**_training(version, candidate), "importance": importance, "trained_at": now}
        _add(connection, model_training_history, training)


def _facts(version: Version) -> dict[str, Any]:
    names = ("product", "key", "run_id", "as_of", "trained_until", "data_hash", "code_revision")
    facts = {name: getattr(version, name) for name in (*names, "feature_service", "sha256")}
    return {**facts, "metrics": dict(version.metrics)}


def _training(version: Version, candidate: Candidate) -> dict[str, Any]:
    names = ("product", "key", "run_id", "as_of", "data_hash", "code_revision")
    return {
        **{name: getattr(version, name) for name in names},
        "version": version.number,
        "seconds": candidate.seconds,
        "row_count": candidate.rows,
        "metrics": dict(candidate.metrics),
        "baselines": {name: dict(numbers) for name, numbers in candidate.baselines.items()},
        "hyperparameters": dict(candidate.parameters),
        "confusion": dict(candidate.confusion),
        "cross_validation": dict(candidate.cross_validation),
    }


def _add(connection: Connection, table: Table, row: Mapping[str, Any]) -> None:
    same = (table.c.product == row["product"]) & (table.c.key == row["key"])
    found = connection.execute(select(table).where(same)).mappings().first()
    if found is None:
        connection.execute(insert(table).values(**row))
    elif found["run_id"] != row["run_id"]:  # the version was deleted in MLflow and trained again
        connection.execute(update(table).where(same).values(**row))


def active(engine: Engine, product: str) -> Version | None:
    """The champion as the platform's tables have it; asks no registry."""
    chosen = select(model_versions).where(model_versions.c.product == product, model_versions.c.active)
    with engine.connect() as connection:
        row = connection.execute(chosen).mappings().one_or_none()
    return None if row is None else _version(row)


def _version(row: RowMapping) -> Version:
    names = ("product", "number", "run_id", "data_hash", "code_revision", "as_of", "trained_until", "sha256")
    return Version(**{name: row[name] for name in (*names, "feature_service", "metrics")})


@dataclass(frozen=True)
class Move:
    """A move of a product's champion: to which version, from which, why; verdict: the id that a promotion rests on."""

    product: str
    kind: Literal["promote", "rollback", "manual"]
    version: int
    previous: int | None
    reason: str
    verdict: str | None = None


def record(engine: Engine, move: Move) -> None:
    """Record that the champion moved: the active row, the move, and when its verdict was applied, all or nothing."""
    now = datetime.now(UTC)
    row = {name: getattr(move, name) for name in ("product", "kind", "version", "previous", "reason")}
    with engine.begin() as connection:
        _activate(connection, move.product, move.version)
        connection.execute(insert(champion_moves).values(**row, verdict_id=move.verdict, moved_at=now))
        if move.verdict is not None:
            connection.execute(update(verdicts).where(verdicts.c.id == move.verdict).values(applied_at=now))


def _activate(connection: Connection, product: str, number: int | None) -> None:
    of_product = model_versions.c.product == product
    connection.execute(update(model_versions).where(of_product, model_versions.c.active).values(active=False))
    if number is not None:
        chosen = model_versions.c.number == number
        connection.execute(update(model_versions).where(of_product, chosen).values(active=True))


def deactivate(engine: Engine, product: str) -> None:
    """Record that the product has no champion any more."""
    with engine.begin() as connection:
        _activate(connection, product, None)


def pending(engine: Engine, product: str, number: int) -> str | None:
    """The newest verdict that promotes this version and was not recorded as applied."""
    chosen = (
        select(verdicts.c.id)
        .where(verdicts.c.product == product, verdicts.c.version == number)
        .where(verdicts.c.promote, verdicts.c.applied_at.is_(None))
        .order_by(verdicts.c.decided_at.desc())
    )
    with engine.connect() as connection:
        return connection.scalar(chosen.limit(1))


def previous(engine: Engine, product: str, number: int) -> int | None:
    """The champion before this one was promoted; None for the first."""
    moves = _moves(product).where(champion_moves.c.version == number, champion_moves.c.kind != "rollback")
    with engine.connect() as connection:
        row = connection.execute(moves.limit(1)).mappings().first()
    return None if row is None else row["previous"]


def is_rolled_back(engine: Engine, product: str, number: int) -> bool:
    """Whether the last move that concerns this version was a rollback away from it."""
    concerns = (champion_moves.c.version == number) | (champion_moves.c.previous == number)
    with engine.connect() as connection:
        row = connection.execute(_moves(product).where(concerns).limit(1)).mappings().first()
    return row is not None and row["kind"] == "rollback" and row["previous"] == number


def moves(engine: Engine, product: str) -> list[RowMapping]:
    """Every move of a product's champion, newest first."""
    with engine.connect() as connection:
        return list(connection.execute(_moves(product)).mappings())


def _moves(product: str) -> Any:
    return select(champion_moves).where(champion_moves.c.product == product).order_by(champion_moves.c.id.desc())
