"""A registered version measured again on its own unseen period, as a candidate is."""

from functools import partial
from pathlib import Path

from feature_repo.retrieval import facts
from feature_repo.window import Window
from training.candidate import Candidate
from training.evaluation import labelled_frame, scores, slices
from training.product import Model, Product
from training.split import cut
from training.version import Version


def measured(product: Product, home: Path, version: Version, model: Model) -> Candidate:
    """The version as a candidate; it has seen none of the rows that it is measured on.

    Raises TooFewError where no row of its unseen period is there any more.
    """
    windows = cut(product.split, version.as_of)
    test = labelled_frame(product, home, windows.test, version.as_of)
    whole = scores(product, test, model.predict)
    learned = product.label.rows(partial(facts, home, known_before=version.trained_until), windows.train)
    return Candidate(
        product=product,
        model=model,
        metrics=whole.champion,
        baselines=whole.baselines,
        slices=slices(product, test, model.predict),
        data_hash=version.data_hash,
        rows=learned.height,
        train_window=Window(windows.train.since, windows.test.since),
        test_window=windows.test,
        test_frame=test,
        parameters={"trainer": type(product.trainer).__name__, **vars(product.trainer)},
    )
