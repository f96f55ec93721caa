"""Whether a product should be trained again (REQUIREMENTS 4)."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from feature_repo.window import Window
    from training.product import Product


@dataclass(frozen=True)
class Reasons:
    """When retraining is due: `age` has passed, `records` were labelled since, or the columns drifted.

    Records are labelled by their outcomes and by feedback alike.
    """

    age: timedelta = timedelta(days=7)
    records: int = 100

    def found(self, as_of: datetime, trained: datetime | None, labelled: int, drifted: bool, forced: bool) -> list[str]:
        """Every reason that holds, in words; empty when nothing is due.

        trained: the as-of date of the newest version, None when there is none. Exactly `age` is not yet due: the
        weekly run itself starts then.
        """
        if trained is None:
            return ["never trained"]
        age = as_of - trained
        holds = {
            f"trained {age.days} days ago, {self.age.days} are allowed": age > self.age,
            f"{labelled} records labelled since, {self.records} are enough": labelled >= self.records,
            "drift": drifted,
            "forced": forced,
        }
        return [reason for reason, is_so in holds.items() if is_so]


def last_trained(engine: "Engine", product: str) -> datetime | None:
    """The as-of date of a product's newest version; None where there is none."""
    from sqlalchemy import func, select

    from feature_repo.platform.tables import model_versions

    versions = model_versions.c
    with engine.connect() as connection:
        found: datetime | None = connection.scalar(select(func.max(versions.as_of)).where(versions.product == product))
    return found


def feedback_since_training(engine: "Engine", product: str) -> int:
    """How many labels people gave since the newest version was registered, capped per subject.

    By the clock, as feedback is: an as-of date may lie years back, where a home replays an old data set.
    """
    from sqlalchemy import func, select

    from feature_repo.platform.tables import model_versions
    from feature_repo.window import Window
    from monitoring.feedback import count

    versions, now = model_versions.c, datetime.now(UTC)
    with engine.connect() as connection:
        registered = connection.scalar(select(func.max(versions.registered_at)).where(versions.product == product))
    return 0 if registered is None or registered >= now else count(engine, product, Window(registered, now))


def labelled_since(product: "Product", home: Path, trained: datetime, as_of: datetime) -> int:
    """How many records of the product's history have an outcome that became known from `trained` to `as_of`."""
    from feature_repo.window import Window

    length = product.split.history + product.split.validation + product.split.test
    window = Window(as_of - length, as_of)
    return len(_labelled(product, home, window, as_of) - _labelled(product, home, window, trained))


def _labelled(product: "Product", home: Path, window: "Window", as_of: datetime) -> set[str]:
    from feature_repo.retrieval import facts

    rows = product.label.rows(partial(facts, home, known_before=as_of), window)
    return set(rows["group"].to_list())
