"""Outputs for the rows of a request: the model's where it can, the rule's where it cannot."""

import logging
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from serving.fallback import pair_columns, rule_outputs
from serving.features import Read
from serving.models import Champion
from training.product import Product

LOG = logging.getLogger("talentml.serving")
NO_MODEL, FAILED, NOTHING = "no model", "model failed", "nothing to rank"
MISSING, STALE = "features missing", "features stale"
Reason = str
"""One of these, or what is unknown, such as "person unknown"."""
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


def score(product: Product, champion: Champion | None, read: Read) -> Scored:
    """Score every row. The model sees only the rows about what is known: it compares those with each other."""
    features, known = read.features, read.known
    reason = _refusal(champion, read)
    predicted = None if reason or champion is None else _predicted(champion, features, known)
    if predicted is None:
        return Scored(None, _ruled(product, read), np.zeros_like(known), reason or FAILED)
    by_model: Mask = np.isfinite(predicted[product.outputs[0]].to_numpy())
    if not by_model.any():
        return Scored(None, _ruled(product, read), by_model, FAILED)
    if by_model.all():
        return Scored(champion, predicted, by_model, None)
    return Scored(champion, _merged(predicted, _ruled(product, read), by_model), by_model, None)


def _ruled(product: Product, read: Read) -> pl.DataFrame:
    """The rule's outputs. Where somebody is unknown, what was computed of the two together is missing.

    A stranger who declares nothing is not one who can do nothing: without this a rule gave every occupation 0.
    """
    if read.known.all():
        return rule_outputs(product, read.features)
    known = pl.Series(read.known)
    computed = [name for name in pair_columns(product) if name in read.features.columns]
    blank = (pl.when(known).then(pl.col(name)).alias(name) for name in computed)
    return rule_outputs(product, read.features.with_columns(blank))


def _refusal(champion: Champion | None, read: Read) -> Reason | None:
    if champion is None:
        return NO_MODEL
    if read.unknown:
        return f"{read.unknown.replace('_', ' ')} unknown"
    if read.snapshot is None:
        return MISSING
    if read.is_stale:
        return STALE
    return None if read.features.height else NOTHING


def _predicted(champion: Champion, features: pl.DataFrame, known: Mask) -> pl.DataFrame | None:
    """The model's outputs, NaN in rows about what nobody knows; None where it fails."""
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
