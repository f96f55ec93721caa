"""A product with versions registered once, whose promotions start afresh for each test."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import mlflow
import polars as pl
from sqlalchemy import delete, select, update

from feature_repo.platform.tables import champion_moves, model_versions, verdicts
from feature_repo.settings import Settings
from tests.training import tiny, tracking
from training import promotion
from training.gate import Verdict
from training.product import Product
from training.registry import Registry
from training.version import Version

# Factors on a model's answers: the further from 1, the larger its error.
BAD, WORSE, GOOD, BEST = 1.5, 1.08, 1.05, 1.0
SAME, LATER = "GOOD by other code", "BEST three days later"
DAYS = timedelta(days=3)


@dataclass(frozen=True)
class Stage:
    """The versions by what they are, and what can be done with them."""

    settings: Settings
    registry: Registry
    product: Product
    versions: dict[Any, Version]

    @classmethod
    def of(cls, settings: Settings) -> "Stage":
        registry, product = Registry(settings), tiny.named("promoted")
        made: dict[Any, Any] = {each: tiny.candidate(factor=each, product=product) for each in (BAD, WORSE, GOOD, BEST)}
        made[LATER] = tiny.candidate(tiny.AS_OF + DAYS, product=product)
        versions = {each: registry.register(candidate, product.name, "code") for each, candidate in made.items()}
        versions[SAME] = registry.register(made[GOOD], product.name, "other code")
        return cls(settings, registry, product, versions)

    def clear(self) -> "Stage":
        """Forget every promotion and verdict; the versions stay."""
        for alias in ("champion", "challenger"):
            mlflow.MlflowClient().delete_registered_model_alias(self.product.name, alias)
        with self.registry.engine.begin() as connection:
            for table in (champion_moves, verdicts):
                connection.execute(delete(table).where(table.c.product == self.product.name))
            mine = model_versions.c.product == self.product.name
            connection.execute(update(model_versions).where(mine).values(active=False))
        return self

    def number(self, which: Any) -> int:
        return self.versions[which].number

    def train(self, which: Any) -> None:
        """Make it the challenger, as its training does."""
        alias = mlflow.MlflowClient().set_registered_model_alias
        alias(self.product.name, "challenger", str(self.number(which)))

    def judge(self, which: Any = None, **more: Any) -> Verdict:
        """Train it, if it is named, and let it be judged."""
        if which is not None:
            self.train(which)
        product, as_of = more.pop("product", self.product), more.pop("as_of", tiny.AS_OF)
        return promotion.promote(product, self.settings, as_of, unseen=more.pop("unseen", tiny.unseen), **more)

    def rollback(self) -> int:
        return promotion.rollback(self.product, self.settings).number

    @property
    def champion(self) -> Any:
        """What the alias, the platform's tables and the rows that are active agree upon; fails where they do not."""
        return champion(self.registry, self.product)

    @contextmanager
    def damaged(self, which: Any, damage: Any) -> Iterator[None]:
        """Damage what the store has of a version; there is no local copy of it."""
        store = artifacts(self.versions[which])
        shutil.copytree(store, keep := store.with_name("kept"))
        shutil.rmtree(self.registry.root / "models" / self.product.name / str(self.number(which)), ignore_errors=True)
        damage(store)
        try:
            yield
        finally:
            shutil.rmtree(store)
            keep.rename(store)


def champion(registry: Registry, product: Product) -> int | None:
    """The number of the champion, None without one; alias, tables and active rows must agree."""
    by_alias, recorded = registry.champion(product.name), registry.recorded(product.name)
    chosen = select(model_versions.c.number).where(model_versions.c.product == product.name, model_versions.c.active)
    with registry.engine.connect() as connection:
        active = list(connection.scalars(chosen))
    number = None if by_alias is None else by_alias.number
    assert (None if recorded is None else recorded.number) == number
    assert active == ([] if number is None else [number])
    return number


def artifacts(version: Version) -> Path:
    """Where the server keeps the model's files."""
    model = mlflow.MlflowClient().get_model_version(version.product, str(version.number)).source.split("/")[-1]
    return next(Path(tracking.folder()).glob(f"artifacts/*/models/{model}/artifacts/data/model"))


def early(product: Product, home: Path, as_of: Any, since: Any) -> pl.DataFrame:
    """Unseen rows that begin an hour too early."""
    return tiny.unseen(product, home, as_of, since - timedelta(hours=1))
