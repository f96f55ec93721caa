"""All servers of a home: the sources, and the platform's own MLflow, Airflow and prediction service."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from dags.plans import PLANS, is_well
from feature_repo.errors import SettingsError
from feature_repo.settings import Settings
from feature_repo.sources import servers as sources
from feature_repo.sources.launches import Say, end, launched, silently
from feature_repo.sources.ledger import Ledger, Server, locked

PLATFORM = tuple(PLANS)
ALL = (*sources.SOURCES, *PLATFORM)


def start(settings: Settings, names: Sequence[str] = ALL, say: Say = silently) -> list[Server]:
    """Start those of these servers that do not answer yet, side by side; returns all, in the order of names.

    Idempotent. Raises the first server's error (SourceError, RegistryError or ServingError) once all others are up.
    """
    _check(names)
    with locked(settings.root / "run" / "platform.lock"), ThreadPoolExecutor(len(ALL)) as pool:
        wanted = [name for name in names if name in sources.SOURCES]
        found = pool.submit(sources.start, settings, wanted, say) if wanted else None
        others = {name: pool.submit(_one, settings, name, say) for name in names if name in PLATFORM}
        started = {server.name: server for server in found.result()} if found else {}
        started |= {name: future.result() for name, future in others.items()}
    return [started[name] for name in names]


def stop(settings: Settings, names: Sequence[str] = ALL) -> list[Server]:
    """End the servers that this home started; returns those. Airflow before the rest, whose tasks use them."""
    _check(names)
    with locked(settings.root / "run" / "platform.lock"), ThreadPoolExecutor(len(PLATFORM)) as pool:
        recorded = Ledger(settings).read()
        ended = {name: end(settings, name) for name in names if name == "airflow"}
        rest = [name for name in names if name in ("mlflow", "service")]
        ended |= dict(zip(rest, pool.map(lambda name: end(settings, name), rest), strict=True))
    found = [recorded[name] for name, count in ended.items() if count and name in recorded]
    return [*sources.stop(settings, [name for name in names if name in sources.SOURCES]), *found]


def status(settings: Settings) -> list[tuple[Server, bool]]:
    """Each server and whether it is up, sources first; those that were never started are left out."""
    recorded = Ledger(settings).read()
    platform = [sources.given(settings, name) or recorded.get(name) for name in PLATFORM]
    return [*sources.status(settings), *((server, server.is_up) for server in platform if server is not None)]


def page(server: Server) -> str:
    """The address to open in a browser, without a login; the service has its documentation there."""
    return f"http://{server.place}{'/docs' if server.name == 'service' else ''}"


def _check(names: Sequence[str]) -> None:
    unknown = [name for name in names if name not in ALL]
    if unknown:
        raise SettingsError(f"servers: {', '.join(unknown)} unknown, allowed: {', '.join(ALL)}")


def _one(settings: Settings, name: str, say: Say) -> Server:
    given, recorded = sources.given(settings, name), Ledger(settings).read().get(name)
    if given is not None:
        server = given
    elif recorded is not None and recorded.is_up and is_well(recorded):
        server = recorded
    else:
        server = launched(settings, PLANS[name](settings), say)
    say(f"{server}, at {page(server)}")
    return server
