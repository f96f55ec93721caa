"""A model beside its naive baselines, on the same rows."""

from collections.abc import Callable, Mapping
from datetime import datetime
from functools import partial
from pathlib import Path

import polars as pl

from feature_repo.column import Column
from feature_repo.errors import TooFewError
from feature_repo.retrieval import facts, historical_frame
from feature_repo.window import Window
from training.candidate import Scores
from training.metrics import measure
from training.product import Product
from training.route import Outputs

Predict = Callable[[pl.DataFrame], pl.DataFrame | Outputs]
"""Of a rule, which answers by a frame, or of a model, which does by arrays."""


def columns_of(product: Product) -> tuple[Column, ...]:
    """The columns that the model and the baselines of a product read, each once."""
    read = (*product.columns, *(column for baseline in product.baselines for column in baseline.columns))
    return tuple(dict.fromkeys(read))


def labelled_frame(product: Product, home: Path, window: Window, as_of: datetime) -> pl.DataFrame:
    """The labelled rows whose event lies in the window, with the product's columns as they were known at the event.

    Only outcomes recorded by as_of are labels. Raises TooFewError when there is no such row.
    """
    rows = product.label.rows(partial(facts, home, known_before=as_of), window)
    if not rows.height:
        raise TooFewError(
            f"{product.name}: no row with a known outcome from {window.since:%F} to {window.until:%F} as of {as_of:%F}"
        )
    return historical_frame(home, rows, columns_of(product))


def predicted(frame: pl.DataFrame, predict: Predict) -> pl.DataFrame:
    """The frame with the outputs of a model or baseline beside its labels."""
    return frame.hstack(pl.DataFrame(predict(frame)))


def metrics(product: Product, frame: pl.DataFrame) -> dict[str, float]:
    """Every metric of the product over a predicted frame."""
    return {metric.name: measure(metric, frame) for metric in product.metrics}


def scores(product: Product, frame: pl.DataFrame, predict: Predict) -> Scores:
    """The model's metrics and each baseline's, over the same labelled rows. rows: the number of groups."""
    return Scores(
        rows=frame["group"].n_unique(),
        champion=metrics(product, predicted(frame, predict)),
        baselines={each.name: metrics(product, predicted(frame, each.predict)) for each in product.baselines},
    )


def slices(product: Product, frame: pl.DataFrame, predict: Predict) -> Mapping[str, Scores]:
    """The scores of each slice of the product."""
    return {part.name: scores(product, frame.filter(part.where(frame)), predict) for part in product.slices}


def evaluation(product: Product, home: Path, window: Window, predict: Predict) -> dict[str, object]:
    """What `talentml evaluate --json` prints: tasks of the window, outcomes known by its end."""
    frame = labelled_frame(product, home, window, window.until)
    whole = scores(product, frame, predict)
    return {
        "product": product.name,
        "since": window.since.isoformat(),
        "until": window.until.isoformat(),
        "rows": whole.rows,
        "champion": whole.champion,
        "baselines": whole.baselines,
        "slices": {
            name: {"rows": part.rows, "champion": part.champion, "baselines": part.baselines}
            for name, part in slices(product, frame, predict).items()
        },
    }
