"""Outputs for the rows of a request: the model's where it can, the rule's where it cannot."""

import logging
from dataclasses import dataclass
from typing import Literal

import numpy as np
import polars as pl
from numpy.typing import NDArray

from serving.fallback import rule_outputs
from serving.models import Champion
from training.product import Product

LOG = logging.getLogger("talentml.serving")
Reason = Literal["no model", "model failed", "features missing", "person unknown"]
Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class Scored:
    """champion: who scored any row, None where the rule did all. by_model: which rows it scored, shape (rows,).

    outputs: one float64 column per output of the product, NaN where nothing can be said. reason: why the rule
    scored all rows.
    """

    champion: Champion | None
    outputs: pl.DataFrame
    by_model: Mask
    reason: Reason | None


def score(product: Product, champion: Champion | None, features: pl.DataFrame, known: Mask, is_read: bool) -> Scored:
    """Score every row. The model sees only the rows about known people: it compares those with each other.

    features: the columns of model and rule. known: the rows about people who are in the store, shape (rows,).
    is_read: whether the features were read at all.
    """
    reason = _refusal(champion, known, is_read)
    predicted = None if reason or champion is None else _predicted(champion, features, known)
    if predicted is None:
        return Scored(None, rule_outputs(product, features), np.zeros_like(known), reason or "model failed")
    by_model: Mask = np.isfinite(predicted[product.outputs[0]].to_numpy())
    if not by_model.any():
        return Scored(None, rule_outputs(product, features), by_model, "model failed")
    if by_model.all():
        return Scored(champion, predicted, by_model, None)
    return Scored(champion, _merged(predicted, rule_outputs(product, features), by_model), by_model, None)


def _refusal(champion: Champion | None, known: Mask, is_read: bool) -> Reason | None:
    if champion is None:
        return "no model"
    if not is_read:
        return "features missing"
    return None if known.any() else "person unknown"


def _predicted(champion: Champion, features: pl.DataFrame, known: Mask) -> pl.DataFrame | None:
    """The model's outputs, NaN in rows about people whom nobody knows; None where it fails."""
    places = pl.Series(np.where(known, np.cumsum(known) - 1, 0)).set(pl.Series(~known), None)
    try:
        predicted = champion.model.predict(features.filter(known))
        outputs = pl.col(champion.product.outputs).cast(pl.Float64)
        return predicted.select(outputs.gather(places).fill_null(np.nan))
    except Exception:
        LOG.exception("%s: version %s failed to answer", champion.product.name, champion.version.number)
        return None


def _merged(predicted: pl.DataFrame, ruled: pl.DataFrame, by_model: Mask) -> pl.DataFrame:
    mask = pl.Series(by_model)
    return pl.DataFrame([predicted[name].zip_with(mask, ruled[name]) for name in predicted.columns])
