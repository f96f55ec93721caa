"""The rule's answers, in the schema of the model's: for when no model can answer, or nothing is known of a person."""

import numpy as np
import polars as pl

from feature_repo.column import Column
from serving.schemas import is_ranking
from training.product import Baseline, Product

NEUTRAL_SCORE = 0.5


def rule(product: Product) -> Baseline:
    """The baseline that the product declares as its fallback."""
    return next(baseline for baseline in product.baselines if baseline.name == product.fallback)


def columns_of(product: Product) -> tuple[Column, ...]:
    """What a request reads: the model's columns, and those of the rule."""
    wanted = {column.qualified: column for column in (*product.columns, *rule(product).columns)}
    return tuple(wanted.values())


def rule_outputs(product: Product, frame: pl.DataFrame) -> pl.DataFrame:
    """The rule's outputs for each row, shape (rows, outputs), float64.

    Where the rule has nothing to go by, a score is neutral and a measure NaN.
    """
    blank = NEUTRAL_SCORE if is_ranking(product) else np.nan
    answered = rule(product).predict(frame)
    return answered.select(pl.col(product.outputs).cast(pl.Float64).fill_null(blank).fill_nan(blank))
