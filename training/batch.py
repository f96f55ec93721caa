"""A batch score: everything that is due as of a date, answered at once."""

from datetime import datetime
from functools import partial
from pathlib import Path

import polars as pl

from feature_repo.errors import DataError
from feature_repo.retrieval import facts, historical_frame
from training.evaluation import Predict, columns_of
from training.product import Product


def batch_score(product: Product, home: Path, as_of: datetime, predict: Predict) -> pl.DataFrame:
    """What is due (Product.due) with what is predicted of it: group, keys, event_timestamp and the outputs.

    By group; in each the best first where items are ranked, by key where measures are estimated. Items are compared
    with those of their own group only: without groups a softmax went over all tasks at once, and another person came
    first for 160 of 344. Raises DataError for a product that has no batch score.
    """
    if product.due is None:
        raise DataError(f"{product.name}: nothing is ever due, so it has no batch score")
    due = product.due(partial(facts, home, known_before=as_of), as_of)
    outputs = predict(historical_frame(home, due, columns_of(product)))
    return in_order(product, due.hstack(pl.DataFrame(outputs)))


def in_order(product: Product, answers: pl.DataFrame) -> pl.DataFrame:
    """Answers by group, then by score or by key."""
    keys = [entity.key for entity in product.entities if entity.key in answers.columns]
    score = [product.outputs[0]] if product.is_ranking else []
    down = [False, *[True] * len(score), *[False] * len(keys)]
    return answers.sort("group", *score, *keys, descending=down)
