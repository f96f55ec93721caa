"""Real models of the market's products, fitted to the small world in a moment."""

from dataclasses import replace
from datetime import UTC, datetime
from functools import cache
from itertools import pairwise

from feature_repo.window import Window
from tests.serving import world
from training.evaluation import labelled_frame
from training.product import Model
from training.products import PRODUCTS
from training.trainers.ensemble import BoostedEnsemble

YEARS = [datetime(year, 1, 1, tzinfo=UTC) for year in (2009, 2011, 2012)]


@cache
def ensemble(name: str) -> Model:
    """The boosters of talent_job_match or skill_gap."""
    product = PRODUCTS[name]
    assert isinstance(product.trainer, BoostedEnsemble)
    frame = labelled_frame(product, world.published(), Window(world.START, world.AS_OF), world.AS_OF)
    trainer = replace(product.trainer, rounds=40, members=2, fewest_in_leaf=5)
    return trainer.fit(frame, frame.clear(), product.columns, seed=1)


@cache
def forecaster() -> Model:
    """Of skill demand: two years to learn from, one for its margins."""
    product, home = PRODUCTS["skill_demand"], world.published()
    train, held = (labelled_frame(product, home, Window(since, until), world.AS_OF) for since, until in pairwise(YEARS))
    return product.trainer.fit(train, held, product.columns, seed=1)
