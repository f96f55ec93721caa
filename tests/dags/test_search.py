"""The verb search, and training with what it found, against a real MLflow server."""

from pathlib import Path

import mlflow
import pytest

from feature_repo.settings import Settings, load
from tests.dags.command import talentml
from tests.monitoring import world
from tests.training import tracking
from training.products import PRODUCTS

NAME = "task_performance"


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """A home with six years of tasks."""
    found = load(home=tmp_path_factory.mktemp("home"), mlflow_url=tracking.server())
    world.build(found, PRODUCTS[NAME])
    return found


def test_a_search_answers_with_its_trials_and_training_uses_the_best(settings: Settings) -> None:
    server = {"TALENTML_MLFLOW_URL": tracking.server()}
    # one second: the declared settings alone are judged
    done = talentml("search", NAME, "--seconds", "1", "--json", home=settings.root, **server)
    assert done.code == 0, done.stderr
    found = done.answer
    assert (found["product"], found["metric"], found["ended"], found["gain"]) == (NAME, "mae_log_hours", "seconds", 0)
    assert found["best"] == found["declared"] == found["trials"][0]
    assert len(found["trials"][0]["scores"]) == len(found["folds"]) == 3
    assert mlflow.MlflowClient(tracking.server()).get_run(found["run"]).data.tags["complete"] == "yes"

    trained = talentml("train", NAME, "--searched", "--json", home=settings.root, **server)
    assert trained.code == 0, trained.stderr
    assert trained.answer["code_revision"].endswith(f"+search-{found['search'].split('-')[-1]}")


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["skill_demand"], 2, "nothing of its trainer is declared"),
        ([NAME, "--trials", "51"], 4, "51 trials, allowed 1 to 50"),
        ([NAME], 5, "no server is known"),
    ],
)
def test_what_cannot_be_searched_is_refused_before_any_work(
    tmp_path: Path, words: list[str], code: int, said: str
) -> None:
    done = talentml("search", *words, "--json", home=tmp_path)
    assert done.code == code
    assert said in done.answer["message"]


def test_training_with_a_search_that_was_never_made_says_what_comes_first(settings: Settings) -> None:
    done = talentml("train", "career", "--searched", "--json", home=settings.root)
    assert done.code == 4
    assert "talentml search career" in done.answer["message"]
