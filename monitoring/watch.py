"""Drift of a product as its data stand: the champion's training rows against those that came since."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path

import polars as pl

from feature_repo.errors import DataError
from feature_repo.extract import silent
from feature_repo.retrieval import facts, historical_frame
from feature_repo.settings import Settings
from feature_repo.window import Window
from monitoring.comparison import SEED
from monitoring.drift import drift
from monitoring.shift import DriftReport
from training.evaluation import Predict, columns_of, predicted
from training.model import load_model
from training.product import Product
from training.registry import Registry
from training.split import cut
from training.version import Version

MOST_READ = 100_000
"""Rows are read up to here; 82,000 of ten years and 78 columns take 5 s."""


@dataclass(frozen=True)
class Watched:
    """A drift report, the champion's version (None where the fallback answers), and the window of the current rows."""

    report: DriftReport
    version: Version | None
    window: Window

    @property
    def number(self) -> int | None:
        """The champion's number."""
        return self.version.number if self.version else None


def watch(settings: Settings, product: Product, as_of: datetime, progress: Callable[[str], None] = silent) -> Watched:
    """Compare the rows that the champion learned from with the rows since, as both were known then.

    The report is written to home/drift/<product>/<as_of>. The current rows are those after the training window, at most
    as long back as the product's unseen period; they end sooner than as_of where the published store does. Where there
    is no champion the rule that answers instead is watched, against what a champion trained as of then had learned.
    Raises DataError when the champion was trained on rows up to as_of or later.
    """
    champion = Registry(settings).champion(product.name)
    learned = _learned(product, champion, as_of)
    since = max(learned.until, as_of - product.split.test)
    if since >= as_of:
        raise DataError(f"{product.name}: drift as of {as_of:%F}, but the champion learned until {learned.until:%F}")
    window = Window(since, as_of)
    predict = _predict(settings, product, champion)
    progress(f"reference rows of {learned}")
    reference = _frame(settings.root, product, learned, learned.until, predict)
    progress(f"current rows of {window}")
    current = _frame(settings.root, product, window, as_of, predict)
    progress(f"comparing {current.height:,} rows with {reference.height:,}")
    folder = settings.root / "drift" / product.name / f"{as_of:%Y%m%dT%H%M%SZ}"
    return Watched(drift(product, reference, current, folder), champion, window)


def _learned(product: Product, champion: Version | None, as_of: datetime) -> Window:
    """The window of the rows that were fitted or used for stopping and calibration."""
    windows = cut(product.split, champion.as_of if champion else as_of)
    return Window(windows.train.since, champion.trained_until if champion else windows.test.since)


def _predict(settings: Settings, product: Product, champion: Version | None) -> Predict:
    if champion is not None:
        return load_model(Registry(settings).fetch(champion)).predict
    return next(each.predict for each in product.baselines if each.name == product.fallback)


def _frame(home: Path, product: Product, window: Window, known_by: datetime, predict: Predict) -> pl.DataFrame:
    """The labelled rows of a window with the product's columns and what is predicted from them."""
    rows = product.label.rows(partial(facts, home, known_before=known_by), window)
    if not rows.height:
        return rows
    return predicted(historical_frame(home, _sampled(rows), columns_of(product)), predict)


def _sampled(rows: pl.DataFrame) -> pl.DataFrame:
    """At most about MOST_READ rows, of whole groups: scores compare the rows of one."""
    groups = rows["group"].unique(maintain_order=True)
    share = min(1.0, MOST_READ / rows.height)
    return rows.filter(pl.col("group").is_in(groups.sample(fraction=share, seed=SEED).implode()))
