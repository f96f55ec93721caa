"""The rule's answers, in the schema of the model's: for when no model can answer, or nothing is known of a person."""

import numpy as np
import polars as pl

from feature_repo.column import Column
from training.product import Baseline, Product

NEUTRAL_SCORE = 0.5


def rule(product: Product) -> Baseline:
    """The baseline that the product declares as its fallback."""
    return next(baseline for baseline in product.baselines if baseline.name == product.fallback)


def columns_of(product: Product) -> tuple[Column, ...]:
    """What a request reads: the model's columns, those of the rule, and what the routes look at beside them."""
    beside = (column for route in product.routes for column in route.reads)
    wanted = {column.qualified: column for column in (*product.columns, *rule(product).columns, *beside)}
    return tuple(wanted.values())


def pair_columns(product: Product) -> frozenset[str]:
    """The qualified columns that are computed from both sides of a row."""
    from feature_repo.features import VIEWS

    paired = {view.name for view in VIEWS if view.rows is None}
    return frozenset(column.qualified for column in columns_of(product) if column.view in paired)


def rule_outputs(product: Product, frame: pl.DataFrame) -> pl.DataFrame:
    """The rule's outputs for each row, shape (rows, outputs), float64.

    Where the rule has nothing to go by, a score is neutral and a measure NaN.
    """
    answered = rule(product).predict(frame)
    return answered.select(_filled(product, name) for name in product.outputs)


def _filled(product: Product, name: str) -> pl.Expr:
    is_score = product.is_ranking and name.endswith("score")
    blank = NEUTRAL_SCORE * product.greatest_score if is_score else np.nan
    return pl.col(name).cast(pl.Float64).fill_null(blank).fill_nan(blank)
