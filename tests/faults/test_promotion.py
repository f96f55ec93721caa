"""Promotion and rollback against a real MLflow server: refusals, damage, kills, crowds (rows 3, 4, 16, 17, 18)."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import mlflow
import polars as pl
import pytest
from sqlalchemy import update

from feature_repo.errors import DataError, RegistryError
from feature_repo.platform.tables import verdicts as verdict_table
from feature_repo.settings import Settings, load
from tests.feature_repo.postgres import fresh_database
from tests.training import tiny, tracking
from tests.training.abrupt import CROWD, exit_codes, start, warm
from tests.training.damage import DAMAGES, flipped
from tests.training.stage import BAD, BEST, DAYS, GOOD, LATER, SAME, WORSE, Stage, champion, early
from training import history, verdicts
from training.promotion import promote, rollback
from training.registry import Registry


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    warm()
    return load(home=tmp_path_factory.mktemp("home"), mlflow_url=tracking.server())


@pytest.fixture(scope="module")
def built(settings: Settings) -> Stage:
    return Stage.of(settings)


@pytest.fixture
def stage(built: Stage) -> Stage:
    return built.clear()


def test_the_first_model_that_beats_its_baseline_becomes_champion(stage: Stage) -> None:
    verdict = stage.judge(GOOD)
    assert (verdict.promote, verdict.serves, verdict.champion) == (True, True, None)
    assert verdict.version == stage.number(GOOD) == stage.champion
    assert stage.registry.challenger(stage.product.name) is None


def test_the_first_model_that_does_not_beat_its_baseline_is_refused(stage: Stage) -> None:
    verdict = stage.judge(BAD)
    assert (verdict.promote, verdict.serves) == (False, False)
    assert "baseline by_size is worse" in verdict.reason
    assert stage.champion is None


def test_a_better_model_replaces_the_champion(stage: Stage) -> None:
    stage.judge(GOOD)
    verdict = stage.judge(BEST)
    assert (verdict.promote, verdict.champion) == (True, stage.number(GOOD))
    assert stage.champion == stage.number(BEST)


@pytest.mark.parametrize(("which", "reason"), [(WORSE, "is worse by"), (SAME, "is a tie")])
def test_a_worse_or_equal_model_leaves_the_champion(stage: Stage, which: Any, reason: str) -> None:
    stage.judge(GOOD)
    refused = stage.judge(which)
    assert (refused.promote, refused.serves) == (False, False)
    assert reason in refused.reason
    assert stage.champion == stage.number(GOOD)


def test_the_gate_of_the_product_is_the_one_that_is_asked(stage: Stage) -> None:
    stage.judge(GOOD)
    strict = replace(stage.product, gate=replace(stage.product.gate, improvement=0.9))
    assert "at least 90%" in stage.judge(BEST, product=strict).reason
    assert stage.champion == stage.number(GOOD)


def test_both_models_are_scored_on_rows_that_neither_has_seen(stage: Stage) -> None:
    """The challenger's training ended three days after the champion's."""
    stage.judge(GOOD)
    asked, later = [], tiny.AS_OF + DAYS

    def unseen(*arguments: Any) -> pl.DataFrame:
        asked.append(arguments[2:])
        return tiny.unseen(*arguments)

    verdict = stage.judge(LATER, as_of=later, unseen=unseen)
    assert asked == [(later, later - tiny.WEEK)]
    assert (verdict.since, verdict.until, verdict.rows) == (later - tiny.WEEK, later, 7 * 24 * 3)
    assert verdict.promote


def test_rows_from_training_among_the_unseen_ones_fail_and_change_nothing(stage: Stage) -> None:
    with pytest.raises(DataError, match="3 rows to judge upon lie outside"):
        stage.judge(GOOD, unseen=early)
    assert stage.champion is None


def test_a_judgement_as_of_a_day_that_the_models_have_seen_is_refused(stage: Stage) -> None:
    assert "no unseen rows" in stage.judge(GOOD, as_of=tiny.AS_OF - tiny.WEEK).reason
    assert stage.champion is None


def test_a_tiny_sample_is_refused(stage: Stage) -> None:
    verdict = stage.judge(GOOD, unseen=lambda *arguments: tiny.unseen(*arguments).head(49))
    assert "49 units are too few" in verdict.reason
    assert stage.champion is None


def test_a_champion_is_never_judged_against_itself(stage: Stage) -> None:
    stage.judge(GOOD)
    for again in (stage.judge(GOOD), stage.judge()):
        assert (again.promote, again.serves, again.evidence) == (False, True, None)
        assert again.reason == f"refused: version {stage.number(GOOD)} is the champion already"
    assert len(history.moves(stage.registry.engine, stage.product.name)) == 1


def test_nothing_trained_is_an_error_that_says_what_to_do(stage: Stage) -> None:
    with pytest.raises(RegistryError, match="talentml train"):
        stage.judge()


@pytest.mark.parametrize("damage", DAMAGES, ids=[each.__name__ for each in DAMAGES])
def test_a_damaged_challenger_leaves_the_champion(stage: Stage, damage: Callable[[Path], None]) -> None:
    stage.judge(GOOD)
    with stage.damaged(BEST, damage), pytest.raises(RegistryError):
        stage.judge(BEST)
    assert stage.champion == stage.number(GOOD)
    assert stage.judge().promote  # the store was repaired


def test_every_verdict_is_stored_and_replays_to_itself(stage: Stage) -> None:
    made = [stage.judge(GOOD), stage.judge(WORSE), stage.judge(BEST)]
    engine = stage.registry.engine
    assert [each.promote for each in made] == [True, False, True]
    assert [each.id for each in verdicts.latest(engine, stage.product.name, 9)] == [each.id for each in made[::-1]]
    for each in made:
        again = verdicts.replay(engine, each.id)
        assert (again.promote, again.reason, again.serves) == (each.promote, each.reason, each.serves)
        assert again.numbers == pytest.approx(dict(each.numbers), abs=0)


def test_a_verdict_that_was_changed_afterwards_does_not_replay(stage: Stage) -> None:
    refused, engine = stage.judge(BAD), stage.registry.engine
    with engine.begin() as connection:
        connection.execute(update(verdict_table).where(verdict_table.c.id == refused.id).values(promote=True))
    with pytest.raises(RegistryError, match=r"stored .* replayed"):
        verdicts.replay(engine, refused.id)
    with pytest.raises(RegistryError, match="there is none"):
        verdicts.replay(engine, "0" * 32)


def test_the_verdict_is_shown_on_the_version(stage: Stage) -> None:
    stage.judge(GOOD)
    shown = mlflow.MlflowClient().get_model_version(stage.product.name, str(stage.number(GOOD)))
    assert shown.tags["gate"] == "promoted"
    assert "against 1.437 of the baseline by_size" in shown.description


def test_rollback_goes_back_one_champion_at_a_time(stage: Stage) -> None:
    first, second, third = (stage.judge(each).version for each in (WORSE, GOOD, BEST))
    assert stage.rollback() == second == stage.champion
    assert stage.rollback() == first == stage.champion
    with pytest.raises(RegistryError, match="no earlier champion"):
        stage.rollback()
    assert stage.champion == first
    moves = history.moves(stage.registry.engine, stage.product.name)[::-1]
    assert [(each["kind"], each["version"], each["previous"]) for each in moves] == [
        ("promote", first, None),
        ("promote", second, first),
        ("promote", third, second),
        ("rollback", second, third),
        ("rollback", first, second),
    ]


def test_a_version_that_was_rolled_back_returns_only_when_asked_for_again(stage: Stage) -> None:
    stage.judge(GOOD)
    stage.judge(BEST)
    stage.rollback()
    assert "was rolled back" in stage.judge(BEST).reason  # the weekly run of the same week again
    assert stage.champion == stage.number(GOOD)
    assert stage.judge(BEST, again=True).promote
    assert stage.champion == stage.number(BEST)


def test_a_rollback_to_a_damaged_version_leaves_the_champion(stage: Stage) -> None:
    stage.judge(GOOD)
    stage.judge(BEST)
    with stage.damaged(GOOD, flipped), pytest.raises(RegistryError):
        stage.rollback()
    assert stage.champion == stage.number(BEST)


def test_a_move_by_hand_in_mlflow_is_found_and_recorded(stage: Stage) -> None:
    stage.judge(GOOD)
    stage.judge(BEST)
    alias = mlflow.MlflowClient().set_registered_model_alias
    alias(stage.product.name, "champion", str(stage.number(GOOD)))
    assert "worse" in stage.judge(WORSE).reason
    assert stage.champion == stage.number(GOOD)
    assert history.moves(stage.registry.engine, stage.product.name)[0]["kind"] == "manual"


KILLS = (
    "training.verdicts:store",
    "mlflow:MlflowClient.set_registered_model_alias",  # a verdict, and no move
    "training.history:record",  # a move that the platform's tables do not know
    "training.registry:Registry.show",
)


@pytest.mark.slow
@pytest.mark.parametrize("call", KILLS)
def test_a_kill_anywhere_in_promotion_and_a_retry_end_in_the_same_state(stage: Stage, call: str) -> None:
    first = stage.judge(GOOD).version
    stage.train(BEST)
    assert exit_codes([start(stage.settings, stage.product, "promote", call)]) == [-9]
    retried = stage.judge(version=stage.number(BEST))
    assert retried.serves
    assert stage.champion == stage.number(BEST)
    made = history.moves(stage.registry.engine, stage.product.name)[0]
    assert (made["kind"], made["version"], made["previous"]) == ("promote", stage.number(BEST), first)
    assert verdicts.read(stage.registry.engine, made["verdict_id"]).serves
    assert stage.rollback() == first


@pytest.mark.slow
def test_of_50_promotions_at_the_same_time_one_wins_and_the_others_are_told(stage: Stage) -> None:
    stage.train(BEST)
    assert exit_codes([start(stage.settings, stage.product, "crowd") for _ in range(50 // CROWD)]) == [0, 0]
    assert stage.champion == stage.number(BEST)
    told = verdicts.latest(stage.registry.engine, stage.product.name, 99)
    winners = [each.id for each in told if each.promote]
    assert (len(told), len(winners)) == (50, 1)
    assert {each.reason for each in told if not each.promote} == {
        f"refused: version {stage.number(BEST)} is the champion already"
    }
    assert [each["verdict_id"] for each in history.moves(stage.registry.engine, stage.product.name)] == winners


@pytest.mark.slow
def test_postgresql_holds_the_lock_for_all_homes(tmp_path: Path) -> None:
    """Two homes on one database, as two machines would be; the file locks of neither help."""
    url, product = fresh_database(), tiny.named("shared")
    homes = [load(home=tmp_path / each, mlflow_url=tracking.server(), database_url=url) for each in ("one", "two")]
    for factor in (GOOD, BEST):
        Registry(homes[0]).register(tiny.candidate(factor=factor, product=product), product.name, "code")
    with ThreadPoolExecutor(8) as pool:
        turns = [homes[turn % 2] for turn in range(8)]
        judged = list(pool.map(lambda home: promote(product, home, tiny.AS_OF, unseen=tiny.unseen), turns))
    assert sorted(each.promote for each in judged) == [False] * 7 + [True]
    assert champion(Registry(homes[1]), product) == 2
    with pytest.raises(RegistryError, match="no earlier champion"):
        rollback(product, homes[1])
