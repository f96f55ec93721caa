"""The challenger of an experiment: who gets it, and that one that fails never serves."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

import pytest
from sqlalchemy import select

from feature_repo.platform import database
from feature_repo.platform.tables import prediction_log
from serving.versions import champions
from serving.versions.arms import is_drawn
from serving.versions.champions import Challenger, Champions
from tests.serving.conftest import Service, promote, promoted, promoted_one
from tests.serving.damage import DAMAGES
from tests.serving.process import until

Serve = Callable[[Path], Service]
NAME = "task_assignment"
FAILURES = f'model_load_failures_total{{product="{NAME}"}}'


def challenge(home: Path, number: int, mode: Literal["split", "shadow"] = "split", **facts: Any) -> Challenger:
    """A tiny challenger beside champion 3, as the follower names it."""
    version = promoted_one(home, NAME, number)
    said = {"champion": 3, "experiment": "e1", "share": 0.5, "mode": mode, "salt": "salt", **facts}
    return Challenger(version=version, **said)


def follow(service: Service, challenger: Challenger | None) -> None:
    """The champions stay, and this is NAME's challenger; the worker catches up."""
    known = champions.read(service.home).wanted
    champions.write(service.home, Champions(wanted=known, challengers={NAME: challenger} if challenger else {}))
    service.running.refresh()


def served_by(service: Service, unit: str | None) -> tuple[int | None, str | None, int | None]:
    """Who answers, as which arm, and who scores along."""
    found = service.running.models.served(NAME, unit)
    answers, along = (each and each.version.number for each in (found.champion, found.shadow))
    return answers, found.arm and found.arm.value, along


TASKS = [f"T{number}" for number in range(200)]
DRAWN = {task for task in TASKS if is_drawn("salt", task, 0.5)}


@pytest.fixture
def third(home: Path, serve: Serve) -> Service:
    """A service with champion 3."""
    promote(home, promoted(home, 3))
    return serve(home)


def test_the_units_that_are_drawn_get_the_challenger_and_the_others_the_champion(third: Service) -> None:
    follow(third, challenge(third.home, 4))
    assert {task for task in TASKS if served_by(third, task) == (4, "challenger", None)} == DRAWN
    assert {task for task in TASKS if served_by(third, task) == (3, "champion", None)} == set(TASKS) - DRAWN


def test_a_restart_gives_every_unit_its_arm_again(third: Service, serve: Serve) -> None:
    follow(third, challenge(third.home, 4))
    again = serve(third.home)
    assert [served_by(again, task) for task in TASKS] == [served_by(third, task) for task in TASKS]


def test_in_the_shadow_the_champion_answers_all_and_the_drawn_are_scored_along(third: Service) -> None:
    follow(third, challenge(third.home, 4, "shadow"))
    assert {task for task in TASKS if served_by(third, task) == (3, "champion", 4)} == DRAWN
    assert {task for task in TASKS if served_by(third, task) == (3, "champion", None)} == set(TASKS) - DRAWN


def test_without_a_unit_the_champion_answers_outside_of_the_experiment(third: Service) -> None:
    follow(third, challenge(third.home, 4))
    assert served_by(third, None) == (3, None, None)


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_challenger_never_serves_and_is_counted_once(third: Service, damage: Callable[[Path], None]) -> None:
    wanted = challenge(third.home, 4)
    damage(third.home / "models" / NAME / "4")
    for _ in range(3):
        follow(third, wanted)
    assert {served_by(third, task) for task in TASKS} == {(3, None, None)}
    assert third.metric(FAILURES) == 1.0
    assert third.running.models.challengers.refused[NAME].reason.startswith("RegistryError: ")


def test_a_challenger_that_fails_its_warm_up_never_serves(third: Service) -> None:
    other = promoted_one(third.home, "task_performance", 4)
    (third.home / "models" / "task_performance" / "4").rename(third.home / "models" / NAME / "4")
    facts = {"champion": 3, "experiment": "e1", "share": 0.5, "mode": "split", "salt": "salt"}
    follow(third, Challenger(version=other, **facts))
    assert {served_by(third, task) for task in TASKS} == {(3, None, None)}
    assert third.metric(FAILURES) == 1.0


def test_an_experiment_that_ended_leaves_the_champion_alone(third: Service) -> None:
    follow(third, challenge(third.home, 4))
    follow(third, None)
    assert {served_by(third, task) for task in TASKS} == {(3, None, None)}


def test_the_next_experiment_with_the_same_challenger_splits_anew(third: Service) -> None:
    follow(third, challenge(third.home, 4))
    follow(third, challenge(third.home, 4, experiment="e2", salt="other"))
    drawn = {task for task in TASKS if is_drawn("other", task, 0.5)}
    assert {task for task in TASKS if served_by(third, task)[0] == 4} == drawn != DRAWN


def test_beside_another_champion_than_the_experiment_s_nobody_gets_the_challenger(third: Service) -> None:
    """The new champion is known before the follower has ended the experiment."""
    promote(third.home, promoted(third.home, 5))
    follow(third, challenge(third.home, 4))
    assert {served_by(third, task) for task in TASKS} == {(5, None, None)}


# --- Answers


TWENTY = [f"T{number}" for number in range(41, 61)]


def answered(service: Service) -> list[tuple[str, int, set[float]]]:
    """Who answers each of twenty tasks, by name and by its scores."""
    replies = [(task, service.rank(task_id=task, candidates=["P1", "P2"], explain=False)) for task in TWENTY]
    return [
        (task, reply["model"]["version"], {row["collaborative_score"] for row in reply["candidates"]})
        for task, reply in replies
    ]


def logged(service: Service) -> list[tuple[str, str | None, str | None, int]]:
    """Unit, experiment, arm and version of each record, once all are written."""
    service.running.journal.close()
    log = prediction_log.c
    with database(service.running.settings).connect() as connection:
        rows = connection.execute(select(log.unit, log.experiment, log.arm, log.model_version))
        return [(unit, experiment, arm, version) for unit, experiment, arm, version in rows]


def test_each_answer_is_wholly_its_arm_s_and_logged_as_such(third: Service) -> None:
    third.running.journal.start()
    follow(third, challenge(third.home, 4))
    drawn = {task for task in TWENTY if is_drawn("salt", task, 0.5)}
    assert 0 < len(drawn) < 20
    for task, version, marks in answered(third) + answered(third):  # the second time from the cache
        assert (version, marks) == ((4, {0.04}) if task in drawn else (3, {0.03}))
    written = logged(third)
    assert len(written) == 40
    assert set(written) == {
        (task, "e1", "challenger", 4) if task in drawn else (task, "e1", "champion", 3) for task in TWENTY
    }


def test_in_the_shadow_the_champion_s_answers_are_given_and_the_challenger_s_scores_logged(third: Service) -> None:
    third.running.journal.start()
    third.running.shadow.start()
    follow(third, challenge(third.home, 4, "shadow", share=1.0))
    assert {(version, *marks) for _, version, marks in answered(third)} == {(3, 0.03)}
    until(lambda: third.running.shadow.waits == 0)
    third.running.shadow.close()
    written = logged(third)
    for task in TWENTY:
        assert {row[1:] for row in written if row[0] == task} == {("e1", "champion", 3), ("e1", "shadow", 4)}


def test_when_an_experiment_ends_the_next_answer_is_the_champion_s_not_one_that_was_kept(third: Service) -> None:
    follow(third, challenge(third.home, 4, share=0.99))
    answered(third)
    follow(third, None)
    assert {(version, *marks) for _, version, marks in answered(third)} == {(3, 0.03)}
