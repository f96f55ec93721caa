"""Follows the registry's champion alias, and the running experiments, for all workers of a service.

It is a process of its own: MLflow brings pandas and a second of imports, and none of that shall be in a worker.
Of several followers one works, the others wait for its lock. A follower ends when its standard input closes.
"""

import fcntl
import os
import sys
import threading
import time
from collections.abc import Callable, Collection, Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy.exc import SQLAlchemyError

from feature_repo.errors import TalentError
from feature_repo.settings import Settings, load
from monitoring import experiment
from monitoring.experiment import Experiment
from serving import champions
from serving.champions import Challenger, Champions, Promoted
from serving.limits import LIMITS
from training.registry import Registry
from training.version import Version

Ask = Callable[[str], Version | None]


def main() -> None:
    """Follow until the service that started this process is gone."""
    threading.Thread(target=_end_with_parent, daemon=True).start()
    settings = load()
    (settings.root / "run").mkdir(parents=True, exist_ok=True)
    with (settings.root / "run" / "follower.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        follow(settings)


def _end_with_parent() -> None:
    sys.stdin.buffer.read()
    os._exit(0)


def follow(settings: Settings) -> None:
    """Write champions.json every two seconds, for ever. Begins with what was recorded, which needs no MLflow."""
    from training.products import PRODUCTS

    home, registry = settings.root, Registry(settings)
    champions.write(home, asked(registry, registry.recorded, PRODUCTS, home))
    while True:
        found = asked(registry, registry.champion, PRODUCTS, home)
        champions.write(home, found)
        registry = Registry(settings) if found.error else registry  # MLflow may come back at another address
        time.sleep(LIMITS.registry_poll_seconds)


def _known(home: Path) -> Champions:
    try:
        return champions.read(home)
    except TalentError:
        return Champions()


def asked(registry: Registry, champion: Ask, products: Iterable[str], home: Path) -> Champions:
    """The champions' and challengers' files, fetched where they are new.

    What cannot be asked, or has no champion, stays as it was.
    """
    known, versions = _known(home), dict[str, Version]()
    error = None
    try:
        versions = {name: found for name in products if (found := champion(name))}
    except (TalentError, SQLAlchemyError) as failure:
        error = str(failure)
    wanted = {**known.wanted, **_fetched(registry, known.wanted, versions)}
    challengers, failed = _challengers(registry, known.challengers, wanted, versions)
    error = error or failed
    return Champions(wanted=wanted, challengers=challengers, checked_at=datetime.now(UTC), error=error)


def _fetched(registry: Registry, held: Mapping[str, Promoted], versions: Mapping[str, Version]) -> dict[str, Promoted]:
    return {
        product: _fetch(registry, version)
        for product, version in versions.items()
        if _is_new(held.get(product), version)
    }


def _is_new(held: Promoted | None, version: Version) -> bool:
    """Whether the version is another one, or could not be fetched and is due again."""
    if held is None or (held.number, held.sha256) != (version.number, version.sha256):
        return True
    return _is_due(held)


def _is_due(held: Promoted) -> bool:
    waited = (datetime.now(UTC) - held.tried_at).total_seconds()
    return held.error is not None and waited > LIMITS.fetch_retry_seconds


def _challengers(
    registry: Registry, held: Mapping[str, Challenger], wanted: Mapping[str, Promoted], asked: Collection[str]
) -> tuple[Mapping[str, Challenger], str | None]:
    """Those of the running experiments, and what went wrong; as they were, where the database cannot be asked.

    asked: the products whose champion was asked for just now. An experiment whose champion is another one by now ends.
    """
    try:
        running = _running(registry, {product: wanted[product].number for product in asked})
    except (TalentError, SQLAlchemyError) as failure:
        return held, str(failure)
    found: dict[str, Challenger] = {}
    error = None
    for product, each in running.items():
        try:
            found[product] = _challenger(registry, each, held.get(product))
        except TalentError as failure:
            error = str(failure)
    return found, error


def _running(registry: Registry, numbers: Mapping[str, int]) -> dict[str, Experiment]:
    return {
        product: each
        for product, each in experiment.running(registry.engine).items()
        if product not in numbers or not experiment.end_overtaken(registry.engine, each, numbers[product])
    }


def _challenger(registry: Registry, running: Experiment, held: Challenger | None) -> Challenger:
    """As it is held, where its files are there; MLflow is asked once for each experiment."""
    if held and held.experiment == running.id and not _is_due(held.version):
        return held
    return Challenger(
        version=_fetch(registry, registry.version(running.product, running.challenger)),
        champion=running.champion,
        experiment=running.id,
        share=running.share,
        mode=running.mode.value,
        salt=running.salt,
    )


def _fetch(registry: Registry, version: Version) -> Promoted:
    error = None
    try:
        registry.fetch(version)
    except TalentError as failure:
        error = str(failure)
    return Promoted(
        number=version.number,
        sha256=version.sha256,
        as_of=version.as_of,
        trained_until=version.trained_until,
        data_hash=version.data_hash,
        code_revision=version.code_revision,
        metrics=dict(version.metrics),
        error=error,
        tried_at=datetime.now(UTC),
    )


if __name__ == "__main__":
    main()
