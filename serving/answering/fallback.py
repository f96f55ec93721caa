"""The rule's answers, in the schema of the model's: for when no model can answer, or nothing is known of a person."""

import numpy as np
import polars as pl

from feature_repo.table import Floats
from training.product import Product
from training.route import Outputs

NEUTRAL_SCORE = 0.5


def pair_columns(product: Product) -> frozenset[str]:
    """The qualified columns that are computed from both sides of a row."""
    from feature_repo.features import VIEWS

    paired = {view.name for view in VIEWS if view.rows is None}
    return frozenset(column.qualified for column in product.asked_columns if column.view in paired)


def rule_outputs(product: Product, frame: pl.DataFrame) -> Outputs:
    """The rule's outputs for each row. Where it has nothing to go by, a score is neutral and a measure NaN."""
    answered = product.rule.predict(frame)
    return {name: _filled(product, answered[name]) for name in product.outputs}


def _filled(product: Product, answers: pl.Series) -> Floats:
    is_score = product.is_ranking and answers.name.endswith("score")
    numbers: Floats = answers.cast(pl.Float64).fill_null(np.nan).to_numpy()
    return np.where(np.isnan(numbers), NEUTRAL_SCORE * product.greatest_score, numbers) if is_score else numbers
