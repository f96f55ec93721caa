"""What a service knows of people and tasks is of the version that its features are of."""

from pathlib import Path

import polars as pl

from feature_repo import versions
from feature_repo.entities import person, task
from feature_repo.publish import publish
from feature_repo.settings import Settings
from serving.answering.features import Features
from tests.serving import world
from training.products import PRODUCTS


def test_between_the_two_moves_of_a_publish_tasks_and_people_are_those_of_the_open_snapshot(home: Path) -> None:
    before = versions.current(home / "online").name
    for stream in ("tasks", "people", "worked_on"):
        path = home / "staged" / "streams" / f"{stream}.parquet"
        pl.read_parquet(path).head(3).write_parquet(path)
    publish(Settings(home=home, _env_file=None), world.AS_OF, products=PRODUCTS.values())
    versions.swap(home / "online", before)  # offline moves first: so it stands for a moment
    features = Features(home, PRODUCTS.values())
    assert features.refresh(), features.error
    found = features.current
    assert found is not None
    assert found.snapshot.offline_version != versions.current(home / "offline").name
    candidates = found.candidates(PRODUCTS["task_assignment"].route.path, {"task_id": "T60"})
    assert (len(found.known[task]), len(found.known[person]), len(candidates)) == (69, 8, 7)
