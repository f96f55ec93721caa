"""A home of the synthetic world with fitted champions, as publishing and promoting leave it, without servers."""

import os
import time
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

from bench.products import staged_world
from feature_repo.publish import publish
from feature_repo.seed import synthetic
from feature_repo.settings import Settings
from serving.access.keys import make_secret
from serving.versions import champions
from serving.versions.champions import Champions, Promoted
from training.candidate import Candidate
from training.fit import fit_candidate
from training.model import save_model
from training.products import PRODUCTS

NO_LIMIT = "1000000000/minute"
"""Of requests per caller: the load comes from one."""


def published(root: Path, people: int) -> Settings:
    """The settings of a home in which the world of that many people is published, with a secret to sign tokens."""
    settings = Settings(home=root, rate_limit=NO_LIMIT, _env_file=None)
    root.mkdir(parents=True, exist_ok=True)
    make_secret(root)
    staged_world(root, people)
    publish(settings, synthetic.UNTIL, products=PRODUCTS.values())
    return settings


def fitted(settings: Settings, names: Iterable[str]) -> dict[str, Candidate]:
    """Products trained on what is published, as `talentml train` trains them."""
    return {name: fit_candidate(PRODUCTS[name], settings.root, synthetic.UNTIL) for name in names}


def saved(settings: Settings, candidate: Candidate, number: int) -> Promoted:
    """The candidate as version `number`, its files where a service looks for verified copies."""
    folder = settings.root / "models" / candidate.product.name / str(number)
    return Promoted(
        number=number,
        sha256=save_model(candidate.model, folder),
        as_of=candidate.as_of,
        trained_until=candidate.trained_until,
        tried_at=datetime.now(UTC),
    )


def promote(settings: Settings, **wanted: Promoted) -> None:
    """Say which versions are to be served, as the follower does; those of other products stay."""
    known = champions.read(settings.root).wanted
    champions.write(settings.root, Champions(wanted={**known, **wanted}, checked_at=datetime.now(UTC)))


def with_champions(root: Path, people: int, names: Iterable[str]) -> Settings:
    """A published home that serves models of these products; says how long it took to make."""
    began = time.perf_counter()
    settings = published(root, people)
    found = fitted(settings, names)
    promote(settings, **{name: saved(settings, candidate, 1) for name, candidate in found.items()})
    seconds = time.perf_counter() - began
    print(f"A world of {people} people was published, and fitted: {', '.join(found)}, in {seconds:.0f} s.")
    print(f"{os.cpu_count()} cores, load average {os.getloadavg()[0]:.1f} before\n", flush=True)
    return settings
