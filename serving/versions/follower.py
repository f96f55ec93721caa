"""Follows the registry's champion alias, and the running experiments, for all workers of a service.

It is a process of its own: MLflow brings pandas and a second of imports, and none of that shall be in a worker.
Of several followers one works, the others wait for its lock. A follower ends when its standard input closes.
"""

import fcntl
import logging
import os
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import TypeVar

from feature_repo.errors import SourceError, TalentError
from feature_repo.settings import Settings, load
from monitoring import experiment
from monitoring.experiment import Experiment
from serving.limits import LIMITS
from serving.telemetry import logs
from serving.telemetry.redaction import described, secrets, traceback_of
from serving.versions import champions
from serving.versions.champions import Challenger, Champions, Promoted
from serving.watch import begun
from training.registry import Registry
from training.tracking import address, check_reachable
from training.version import Version

LOG = logging.getLogger("talentml.serving")
Ask = Callable[[str], Version | None]
T = TypeVar("T")
HUNG = 3
"""The exit status of a follower whose round hung."""


def main() -> None:
    """Follow until the service that started this process is gone."""
    threading.Thread(target=_end_with_parent, daemon=True).start()
    settings = load()
    logs.configure(secrets(settings))
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
    error: str | None = None
    with within(LIMITS.follower_hangs_seconds):
        _note(home, asked(registry, registry.recorded, PRODUCTS, home))
    while True:
        with within(LIMITS.follower_hangs_seconds):
            found = asked(registry, alive(registry), PRODUCTS, home)
            if found.error != error:  # once, not every two seconds
                LOG.warning("the registry: %s", found.error or "all is well again")
            _note(home, found)
        error = found.error
        registry = Registry(settings) if found.error else registry  # MLflow may come back at another address
        time.sleep(LIMITS.registry_poll_seconds)


def _note(home: Path, found: Champions) -> None:
    """Write champions.json. Where that fails, as on a full disk, what it says stands until the next round."""
    try:
        champions.write(home, found)
    except OSError as error:
        LOG.warning("%s cannot be written: %s", champions.FILE, error.strerror)


def alive(registry: Registry) -> Ask:
    """Asks MLflow for a champion, for no longer than registry_seconds: its own client waits 90 s for a mute one."""

    @cache
    def reach() -> None:
        check_reachable(address(registry.settings))

    def champion(product: str) -> Version | None:
        reach()
        return registry.champion(product)

    return lambda product: in_time(lambda: champion(product), LIMITS.registry_seconds, "mlflow")


@contextmanager
def within(seconds: float) -> Iterator[None]:
    """End this process where what is inside takes longer: a thread that hangs in a socket cannot be ended otherwise."""
    watchdog = threading.Timer(seconds, os._exit, [HUNG])
    watchdog.daemon = True
    watchdog.start()
    try:
        yield
    finally:
        watchdog.cancel()


def _known(home: Path) -> Champions:
    try:
        return champions.read(home)
    except TalentError:
        return Champions()


def asked(registry: Registry, champion: Ask, products: Iterable[str], home: Path) -> Champions:
    """The champions' and challengers' files, fetched where they are new.

    What cannot be asked, or has no champion, stays as it was: of one product too, whatever becomes of the others.
    """
    known, since = _known(home), datetime.now(UTC)
    versions, error = _versions(champion, products)
    fetched = _fetched(registry, known.wanted, versions)
    numbers = {product: version.number for product, version in versions.items()}
    challengers, failed = _challengers(registry, known.challengers, numbers, since)
    # Read anew: to ask takes seconds, in which somebody may have written the file by hand.
    wanted = {**_known(home).wanted, **fetched}
    return Champions(wanted=wanted, challengers=challengers, checked_at=datetime.now(UTC), error=error or failed)


def _versions(champion: Ask, products: Iterable[str]) -> tuple[dict[str, Version], str | None]:
    """The products' champions, and what went wrong first. One that cannot be asked hides none of the others.

    Where MLflow is slow to fail, they are left for the next round: each could take a minute and a half.
    """
    versions: dict[str, Version] = {}
    error, begun = None, time.monotonic()
    for name in products:
        try:
            found = champion(name)
        except Exception as failure:  # noqa: BLE001  what answers there may be no MLflow, and say anything
            error = error or _said(failure)
            if time.monotonic() - begun > LIMITS.registry_round_seconds:
                break
            continue
        if found:
            versions[name] = found
    return versions, error


def _said(failure: Exception) -> str:
    """What went wrong; of a failure that nobody foresaw only its kind, and the log says where."""
    if isinstance(failure, TalentError):
        return str(failure)
    LOG.error("following: %s", traceback_of(failure))
    return described(failure)


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
    registry: Registry, held: Mapping[str, Challenger], numbers: Mapping[str, int], since: datetime
) -> tuple[Mapping[str, Challenger], str | None]:
    """Those of the running experiments, and what went wrong; as they were, where the database cannot be asked.

    numbers: the champions', of the products that could be asked for since an instant. An experiment whose champion is
    another one by now ends; not one that began since then, as its champion may be newer than what was said.
    """
    try:
        running = in_time(lambda: _running(registry, numbers, since), LIMITS.database_seconds, "platform database")
    except Exception as failure:  # noqa: BLE001  as above
        return held, _said(failure)
    found: dict[str, Challenger] = {}
    error = None
    for product, each in running.items():
        try:
            found[product] = _challenger(registry, each, held.get(product))
        except Exception as failure:  # noqa: BLE001  as above
            error = _said(failure)
    return found, error


def in_time(question: Callable[[], T], seconds: float, whom: str) -> T:
    """What a server answers. One that hangs keeps its thread, and what does not need it goes on being followed.

    Raises SourceError where it takes longer, and what the question raises.
    """
    try:
        return begun(question, whom).result(seconds)
    except TimeoutError:
        raise SourceError(f"{whom}: no answer within {seconds:g} s") from None


def _running(registry: Registry, numbers: Mapping[str, int], since: datetime) -> dict[str, Experiment]:
    return {
        product: each
        for product, each in experiment.running(registry.engine).items()
        if product not in numbers
        or each.started_at >= since
        or not experiment.end_overtaken(registry.engine, each, numbers[product])
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
        mode=running.mode,
        salt=running.salt,
    )


def _fetch(registry: Registry, version: Version) -> Promoted:
    error = None
    try:
        registry.fetch(version)
    except Exception as failure:  # noqa: BLE001  as above
        error = _said(failure)
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
