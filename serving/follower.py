"""Follows the registry's champion alias for all workers of a service.

It is a process of its own: MLflow brings pandas and a second of imports, and none of that shall be in a worker.
Of several followers one works, the others wait for its lock. A follower ends when its standard input closes.
"""

import fcntl
import os
import sys
import threading
import time
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from pathlib import Path

from feature_repo.errors import TalentError
from feature_repo.settings import Settings, load
from serving import champions
from serving.champions import Champions, Promoted
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
    """The champions' files, fetched where they are new. What cannot be asked, or has no champion, stays as it was."""
    versions: dict[str, Version] = {}
    error = None
    try:
        versions = {name: found for name in products if (found := champion(name))}
    except TalentError as failure:
        error = str(failure)
    return _fetched(registry, _known(home), versions, error)


def _fetched(registry: Registry, known: Champions, versions: dict[str, Version], error: str | None) -> Champions:
    wanted = dict(known.wanted)
    for product, version in versions.items():
        if _is_new(wanted.get(product), version):
            wanted[product] = _fetch(registry, version)
    return Champions(wanted=wanted, checked_at=datetime.now(UTC), error=error)


def _is_new(held: Promoted | None, version: Version) -> bool:
    """Whether the version is another one, or could not be fetched and is due again."""
    if held is None or (held.number, held.sha256) != (version.number, version.sha256):
        return True
    waited = (datetime.now(UTC) - held.tried_at).total_seconds()
    return held.error is not None and waited > LIMITS.fetch_retry_seconds


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
