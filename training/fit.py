"""A training run: rows as of a date, a model, and how well it does on rows it has not seen."""

import hashlib
import time
from datetime import datetime
from pathlib import Path

import polars as pl

from feature_repo.errors import TooFewError
from feature_repo.window import Window
from training.candidate import Candidate
from training.evaluation import labelled_frame, scores, slices
from training.product import Product
from training.split import cut

SEED = 42


def data_hash(*frames: pl.DataFrame) -> str:
    """The sha256 of frames: names, types and the bits of every value, in order."""
    digest = hashlib.sha256()
    for frame in frames:
        digest.update(repr(frame.schema).encode())
        digest.update(frame.hash_rows(seed=SEED).to_numpy().tobytes())
    return digest.hexdigest()


def fit_candidate(product: Product, home: Path, as_of: datetime, seed: int = SEED) -> Candidate:
    """Train as of a date: labels of training rows are those known when the unseen period begins.

    Raises TooFewError when there are fewer rows than the product's minimum.
    """
    began = time.perf_counter()
    windows = cut(product.split, as_of)
    train = labelled_frame(product, home, windows.train, windows.test.since)
    validation = labelled_frame(product, home, windows.validation, windows.test.since)
    test = labelled_frame(product, home, windows.test, as_of)
    _enough(product, train)
    model = product.trainer.fit(train, validation, product.columns, seed)
    whole = scores(product, test, model.predict)
    return Candidate(
        product=product,
        model=model,
        metrics=whole.champion,
        baselines=whole.baselines,
        slices=slices(product, test, model.predict),
        data_hash=data_hash(train, validation, test),
        rows=train.height,
        train_window=Window(windows.train.since, windows.test.since),
        test_window=windows.test,
        test_frame=test,
        parameters=_parameters(product, seed),
        seconds=time.perf_counter() - began,
    )


def unseen(product: Product, home: Path, as_of: datetime, since: datetime) -> pl.DataFrame:
    """The labelled rows from `since` to as_of, for a candidate and a champion that were both trained before."""
    return labelled_frame(product, home, Window(since, as_of), as_of)


def _enough(product: Product, train: pl.DataFrame) -> None:
    if train.height < product.minimum_rows:
        raise TooFewError(
            f"{product.name}: {train.height} labelled rows before the unseen period, at least {product.minimum_rows}"
        )


def _parameters(product: Product, seed: int) -> dict[str, object]:
    return {"trainer": type(product.trainer).__name__, "seed": seed, **vars(product.trainer)}
