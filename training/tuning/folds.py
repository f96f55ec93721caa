"""Periods before the unseen one, on which settings are compared: each judges what earlier rows can teach."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import polars as pl

from feature_repo.errors import TooFewError
from feature_repo.window import Window
from training.evaluation import metrics, predicted
from training.product import Product, TimeSplit, Trainer
from training.report.insight import gate_metric
from training.split import Cut, cut

Read = Callable[[Window, datetime], pl.DataFrame]
"""(window, known) -> the labelled rows of the window, of outcomes that were recorded before `known`."""


@dataclass(frozen=True)
class Fold:
    """Labelled rows of one cut. judged: what a fitted model answers for; it follows the other two."""

    window: Window
    train: pl.DataFrame
    validation: pl.DataFrame
    judged: pl.DataFrame

    def score(self, product: Product, trainer: Trainer, seed: int) -> float:
        """The gate's metric of the trainer's model on the judged rows."""
        model = trainer.fit(self.train, self.validation, product.columns, seed)
        return metrics(product, predicted(self.judged, model.predict))[gate_metric(product).name]


def cuts(split: TimeSplit, since: datetime, until: datetime, count: int) -> list[Cut]:
    """That many cuts of the time between, oldest first; what they judge follows each other and ends at `until`.

    Half of the time is left to the first fold's training and validation rows, so a judged period is at most
    1 / (2 count) of it, and never longer than the split's validation.
    """
    length = min(split.validation, (until - since) / (2 * count))
    inner = replace(split, validation=length, test=length)
    return [cut(inner, until - length * (count - 1 - place)) for place in range(count)]


def folds(product: Product, read: Read, as_of: datetime, count: int) -> list[Fold]:
    """The folds before the period that is unseen as of a date; nothing of that period is read.

    As in a training run, each fold learns from outcomes known when its judged period begins.
    Raises TooFewError where there are fewer rows before it than the product's minimum.
    """
    whole = cut(product.split, as_of)
    until = whole.test.since
    times = read(Window(whole.train.since, until), until)["event_timestamp"]
    if times.len() < product.minimum_rows:
        raise TooFewError(
            f"{product.name}: {times.len()} rows before the unseen period, at least {product.minimum_rows}"
        )
    since = times.min()
    assert isinstance(since, datetime)
    return [_fold(read, each) for each in cuts(product.split, since, until, count)]


def _fold(read: Read, each: Cut) -> Fold:
    known = each.test.since
    return Fold(each.test, read(each.train, known), read(each.validation, known), read(each.test, each.test.until))


def frames(parts: Sequence[Fold]) -> list[pl.DataFrame]:
    """All rows of the folds, in order."""
    return [frame for fold in parts for frame in (fold.train, fold.validation, fold.judged)]
