"""Feedback joined to the answers that it is about: what the model said, and what people did with it."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import polars as pl
from sqlalchemy import Engine, Row, select

from feature_repo.platform.tables import prediction_log
from feature_repo.window import Window
from monitoring.feedback import counted
from monitoring.judged import judged
from training.product import Product
from training.products import PRODUCTS

INSTANT = pl.Datetime("us", "UTC")
SCHEMA: dict[str, pl.DataType | type[pl.DataType]] = {
    "prediction_id": pl.String, "model_version": pl.Int64, "source": pl.String, "experiment": pl.String,
    "arm": pl.String, "unit": pl.String, "subject": pl.String, "person_id": pl.String, "item_id": pl.String,
    "score": pl.Float64, "accepted": pl.Boolean, "rating": pl.Int64, "reward": pl.Float64, "given_at": INSTANT,
    "predicted_at": INSTANT,
}  # fmt: skip
BEST_RATING = 5


def outcomes(engine: Engine, product: str, window: Window) -> pl.DataFrame:
    """One row per judged item whose word was given in the window, in that order; columns SCHEMA.

    At most COUNTED_PER_SUBJECT rows of a subject. score: what the answer gave, null where the product gives no plain
    score; source: model or fallback, who gave it. reward: 1 accepted, 0 not; else the rating, 1 to 5, as 0 to 1.
    """
    given = counted(product, window)
    log = prediction_log.c
    answered = (log.model_version, log.experiment, log.arm, log.unit, log.predicted_at, log.answer)
    joined = select(given, *answered).join(prediction_log, log.prediction_id == given.c.prediction_id)
    with engine.connect() as connection:
        found = connection.execution_options(yield_per=1000).execute(joined.order_by(given.c.given_at, given.c.id))
        return pl.DataFrame(list(_rows(PRODUCTS[product], found)), schema=SCHEMA, orient="row")


def _rows(product: Product, found: Any) -> Iterator[dict[str, Any]]:
    for row in found:
        said = judged(product, row.prediction_id, row.answer, row.subject)
        about = next((each for each in said if (each.person_id, each.item_id) == (row.person_id, row.item_id)), None)
        if about is not None:
            facts = {name: getattr(row, name) for name in SCHEMA if name in row._fields}
            yield {**facts, "source": about.source, "score": about.score, "reward": _reward(row)}


def _reward(row: Row[Any]) -> float:
    return float(row.accepted) if row.accepted is not None else (row.rating - 1) / (BEST_RATING - 1)


@dataclass(frozen=True)
class FeedbackSummary:
    """What people say of a product. judged: items, capped per subject; subjects: who gave them.

    accepted: share; rating: mean; None without any. accuracy: share of the items accepted or not whose score, as a
    share of the greatest one, was on that side of .5. largest_share: how much of all one subject says.
    """

    judged: int
    subjects: int
    accepted: float | None
    rating: float | None
    accuracy: float | None
    largest_share: float | None


def summary(engine: Engine, product: str, window: Window) -> FeedbackSummary:
    """What was said in the window."""
    return summed_up(outcomes(engine, product, window), PRODUCTS[product].greatest_score)


def summed_up(rows: pl.DataFrame, greatest_score: float) -> FeedbackSummary:
    """The summary of outcomes."""
    is_right = (rows["score"] / greatest_score >= 0.5) == rows["accepted"]
    shares = rows["subject"].value_counts(normalize=True)["proportion"]
    return FeedbackSummary(
        judged=rows.height,
        subjects=len(shares),
        accepted=_mean(rows["accepted"]),
        rating=_mean(rows["rating"]),
        accuracy=_mean(is_right),
        largest_share=number(shares.max()),
    )


def _mean(values: pl.Series) -> float | None:
    """The mean of what is known."""
    return number(values.mean())


def number(found: object) -> float | None:
    """What Polars says of a column, such as its mean, as a number; None where it has none to say."""
    return float(found) if isinstance(found, int | float) else None
