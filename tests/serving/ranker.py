"""The real hybrid recommender, fitted to the small world: unlike the tiny models it compares the rows it is given."""

from dataclasses import replace
from functools import cache

from feature_repo.window import Window
from tests.serving import world
from training.evaluation import labelled_frame
from training.product import Model
from training.products import PRODUCTS
from training.trainers.hybrid import HybridRanker

PRODUCT = PRODUCTS["task_assignment"]


@cache
def hybrid() -> Model:
    """Fitted in a moment: few rounds, few factors."""
    trainer = PRODUCT.trainer
    assert isinstance(trainer, HybridRanker)
    frame = labelled_frame(PRODUCT, world.published(), Window(world.START, world.AS_OF), world.AS_OF)
    return replace(trainer, rounds=20, factors=4).fit(frame, frame.clear(), PRODUCT.columns, seed=1)
