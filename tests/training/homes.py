"""A home with a small synthetic world, made without servers."""

import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from feature_repo.features import VIEWS
from feature_repo.ingest import view_frames
from feature_repo.publish import publish
from feature_repo.seed import synthetic
from feature_repo.settings import Settings
from tests import shared
from training.products import PRODUCTS

PEOPLE = 60


def no_texts(texts: Sequence[str]) -> Any:
    """Vectors that say nothing: encoding the texts would take longer than all the rest."""
    return np.zeros((len(texts), 384), dtype=np.float32)


def published(home: Path) -> Path:
    """Sixty people and what belongs to them, published in an empty folder as of the world's end."""
    return Path(shutil.copytree(shared.built("sixty people", build), home, symlinks=True, dirs_exist_ok=True))


def build(home: Path) -> None:
    """Stage and publish them under a home."""
    settings = Settings(home=home, _env_file=None)  # type: ignore[call-arg]
    staged = settings.root / "staged"
    world = synthetic.streams_of(synthetic.world(PEOPLE, 5 * PEOPLE, 42, synthetic.UNTIL))
    streams = {name: staged / "streams" / f"{name}.parquet" for name in world}
    (staged / "streams").mkdir(parents=True)
    (staged / "views").mkdir()
    for name, frame in world.items():
        frame.write_parquet(streams[name])
    for view, frame in view_frames(streams, [each for each in VIEWS if each.rows is not None], no_texts):
        frame.write_parquet(staged / "views" / f"{view.name}.parquet")
    publish(settings, synthetic.UNTIL, products=PRODUCTS.values())
