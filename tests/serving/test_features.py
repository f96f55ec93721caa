"""What a service knows of people and tasks is of the version that its features are of."""

from pathlib import Path

import polars as pl

from feature_repo import versions
from feature_repo.entities import Entity, person, task
from feature_repo.publish import publish
from feature_repo.settings import Settings
from serving.answering.features import Asked, Features, read_for
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


def test_whoever_has_a_history_but_is_not_listed_is_not_known(home: Path) -> None:
    path = home / "staged" / "streams" / "people.parquet"
    listed, unlisted, *_ = pl.read_parquet(path)["person_id"].unique().sort().to_list()
    asked = {"person_id": [listed, unlisted, "nobody"], "task_id": ["T60"] * 3}
    assert _known(home, asked) == (frozenset({person, task}), [True, True, False])
    pl.read_parquet(path).filter(pl.col("person_id") != unlisted).write_parquet(path)
    publish(Settings(home=home, _env_file=None), world.AS_OF, products=PRODUCTS.values())
    assert _known(home, asked) == (frozenset({task}), [True, False, False])
    two = {key: values[:2] for key, values in asked.items()}
    assert _known(home, two) == (frozenset({task}), [True, False])


def _known(home: Path, ids: dict[str, list[str | None]]) -> tuple[frozenset[Entity], list[bool]]:
    """The entities of task assignment all of whose names are known, and of which rows people and tasks are."""
    features, product = Features(home, PRODUCTS.values()), PRODUCTS["task_assignment"]
    assert features.refresh(), features.error
    asked = Asked(product.route, ids, [None] * len(ids["task_id"]), {"task_id": "T60"})
    read = read_for(features.current, asked, product.asked_columns)
    assert features.current is not None
    return features.current.named & {person, task}, read.known.tolist()
