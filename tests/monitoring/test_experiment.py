"""Experiments: one per product, ended when the champion changes; what their outcomes say."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from sqlalchemy import Engine, insert

from feature_repo.errors import DataError
from feature_repo.platform import database
from feature_repo.platform.tables import match_feedback, prediction_log
from feature_repo.settings import load
from monitoring import experiment
from monitoring.arm import Arm
from monitoring.assessment import ANSWERS, Agreement, Assessment, Decision, assess, assessed, first_outcomes
from monitoring.experiment import Experiment, Mode
from monitoring.findings import findings
from tests.feature_repo.postgres import fresh_database

PRODUCT = "learning"
START = datetime(2024, 5, 1, tzinfo=UTC)


@pytest.fixture(params=["sqlite", "postgresql"])
def engine(request: pytest.FixtureRequest, tmp_path: Path) -> Engine:
    url = fresh_database() if request.param == "postgresql" else None
    return database(load(home=tmp_path, database_url=url))


def planned(product: str = PRODUCT, mode: Mode = Mode.SPLIT, **facts: Any) -> Experiment:
    said = {"champion": 3, "challenger": 4, "share": 0.5, "alpha": 0.05, "who": "me", **facts}
    return experiment.planned(product, mode=mode, **said)


# --- The table


def test_one_experiment_of_a_product_runs_at_a_time(engine: Engine) -> None:
    first, other = planned(), planned("career")
    experiment.start(engine, first)
    experiment.start(engine, other)
    with pytest.raises(DataError, match=r"learning: an experiment runs already.*`talentml experiment stop learning`"):
        experiment.start(engine, planned(challenger=5))
    assert experiment.running(engine) == {PRODUCT: first, "career": other}


def test_after_one_is_stopped_the_next_may_start(engine: Engine) -> None:
    first, second = planned(), planned(challenger=5)
    experiment.start(engine, first)
    assert experiment.stop(engine, first, "enough")
    assert not experiment.stop(engine, first, "again")
    experiment.start(engine, second)
    assert experiment.running(engine) == {PRODUCT: second}
    assert experiment.latest(engine, PRODUCT) == second


@pytest.mark.parametrize(
    ("champion", "result"),
    [
        (5, "ended by itself: version 5 became champion"),
        (4, "ended by itself: version 4 became champion, the challenger itself"),
        (None, "ended by itself: there is no champion any more"),
    ],
)
def test_an_experiment_ends_when_the_champion_changes(engine: Engine, champion: int | None, result: str) -> None:
    running = planned()
    experiment.start(engine, running)
    assert experiment.end_overtaken(engine, running, champion)
    ended = experiment.latest(engine, PRODUCT)
    assert ended is not None
    assert (ended.result, ended.stopped_at is not None, experiment.running(engine)) == (result, True, {})


def test_an_experiment_goes_on_beside_its_champion(engine: Engine) -> None:
    running = planned()
    experiment.start(engine, running)
    assert not experiment.end_overtaken(engine, running, 3)
    assert experiment.running(engine) == {PRODUCT: running}


def test_each_experiment_has_a_salt_of_its_own() -> None:
    assert len({planned().salt for _ in range(20)}) == 20


@pytest.mark.parametrize(
    ("facts", "named"),
    [
        ({"challenger": 3}, "version 3 is the champion"),
        ({"share": 0.0}, "share 0, allowed 0.01 to 0.99"),
        ({"share": 1.0}, "share 1, allowed 0.01 to 0.99"),
        ({"share": float("nan")}, "share nan"),
        ({"mode": Mode.SHADOW, "share": 1.5}, "share 1.5, allowed 0.01 to 1"),
        ({"alpha": 0.5}, "alpha 0.5, allowed 0.001 to 0.2"),
    ],
)
def test_what_cannot_be_tested_is_refused(facts: dict[str, Any], named: str) -> None:
    with pytest.raises(DataError, match=named):
        planned(**facts)


# --- What the outcomes say


def answers(*rows: tuple[str, str, str]) -> pl.DataFrame:
    """prediction, unit, arm; all by the model in 2 ms."""
    return pl.DataFrame([(*row, "model", 2.0) for row in rows], schema=ANSWERS, orient="row")


def outcomes(*rows: tuple[str, float | None, int], subject: str | None = None) -> pl.DataFrame:
    """prediction, reward, and at which minute it was given; by subject, or each by another one."""
    schema = {
        "prediction_id": pl.String, "subject": pl.String, "reward": pl.Float64, "given_at": pl.Datetime("us", "UTC"),
    }  # fmt: skip
    told = [(p, subject or f"by {p}", r, START + timedelta(minutes=m)) for p, r, m in rows]
    return pl.DataFrame(told, schema=schema, orient="row")


def test_of_each_unit_the_first_outcome_in_time_counts() -> None:
    asked = answers(("a1", "P1", "champion"), ("a2", "P1", "champion"), ("b1", "P2", "challenger"))
    given = outcomes(("a2", 0.0, 5), ("a1", 1.0, 7), ("b1", 1.0, 6), ("b1", 0.0, 8), ("unknown", 1.0, 1))
    found = first_outcomes(asked, given)
    assert found.select("unit", "arm", "reward").rows() == [("P1", "champion", 0.0), ("P2", "challenger", 1.0)]


def test_comments_without_a_reward_and_answers_without_a_unit_do_not_count() -> None:
    asked = answers(("a1", "P1", "champion")).vstack(answers(("a2", None, "champion")))  # type: ignore[arg-type]
    assert first_outcomes(asked, outcomes(("a1", None, 1), ("a2", 1.0, 2))).is_empty()


def test_arms_by_hand() -> None:
    asked = answers(("a1", "P1", "champion"), ("a2", "P3", "champion"), ("a3", "P3", "champion"),
                    ("b1", "P2", "challenger"))  # fmt: skip
    asked = asked.with_columns(
        source=pl.Series(["model", "fallback", "model", "model"]), milliseconds=pl.Series([1.0, 3.0, 5.0, 8.0])
    )
    found = assessed(planned(), asked, outcomes(("a1", 1.0, 1), ("a2", 0.5, 2), ("b1", 0.25, 3)))
    champion, challenger = found.arms["champion"], found.arms["challenger"]
    assert (champion.version, champion.answers, champion.units, champion.judged) == (3, 3, 2, 2)
    assert (champion.reward, champion.fallback) == (0.75, pytest.approx(1 / 3))
    assert champion.milliseconds == (3.0, 5.0)
    assert (challenger.version, challenger.units, challenger.reward) == (4, 1, 0.25)
    assert found.evidence is not None
    assert found.evidence.difference == -0.5


def world(champion: float, challenger: float, units: int, ratio: int = 2, subject: str | None = None) -> Assessment:
    """Units in turn get either arm; of each arm the first so many tenths of every ten are rewarded."""
    arms = [("challenger" if unit % ratio == 0 else "champion") for unit in range(units)]
    asked = answers(*[(f"p{unit}", f"P{unit}", arm) for unit, arm in enumerate(arms)])
    rate = {"champion": champion, "challenger": challenger}
    rewards = [(f"p{unit}", float((unit // ratio * 7) % 10 < 10 * rate[arm]), unit) for unit, arm in enumerate(arms)]
    return assessed(planned(), asked, outcomes(*rewards, subject=subject))


@pytest.mark.parametrize(
    ("champion", "challenger", "units", "decision", "advice"),
    [
        (0.4, 0.7, 1_000, Decision.BETTER, "Recommended: `talentml promote learning --version 4`; the gate has"),
        (0.7, 0.4, 1_000, Decision.WORSE, "Recommended: `talentml experiment stop learning`"),
        (0.5, 0.5, 1_000, Decision.OPEN, "Undecided. Recommended: let it run"),
        (0.4, 0.7, 10, Decision.OPEN, "Undecided. Recommended: let it run"),
    ],
)
def test_the_decision_and_the_advice_follow_the_rewards(
    champion: float, challenger: float, units: int, decision: Decision, advice: str
) -> None:
    found = world(champion, challenger, units)
    assert found.decision is decision
    assert (found.decided_at is not None) == (decision is not Decision.OPEN)
    assert any(advice in sentence for sentence in findings(found))


def test_nothing_is_decided_where_one_subject_judged_more_than_a_twentieth_of_the_units() -> None:
    found = world(0.4, 0.7, 1_000, subject="portal")
    assert (found.decision, found.decided_at, found.largest_share) == (Decision.OPEN, None, 1.0)
    assert any("one subject judged 100% of the units" in sentence for sentence in findings(found))


def test_the_words_say_who_how_many_and_how_far_apart() -> None:
    words = "\n".join(findings(world(0.4, 0.7, 1_000)))
    assert "learning: version 4 answers 50% of those who ask, beside champion version 3." in words
    assert "500 answers to 500 units, 0.0% of them by the rule, 2.0 ms (95%: 2.0); 500 judged" in words
    assert "Difference, challenger minus champion: +30.0 points, at 95% confidence" in words
    assert "between +20.3 points and +40.1 points, however often one looks" in words


def test_arms_of_the_wrong_size_are_warned_of() -> None:
    found = world(0.5, 0.5, 600, ratio=4)
    assert not found.is_balanced
    assert any("150 of 600 judged units are the challenger's, 50% were to be" in each for each in findings(found))


def test_before_any_outcome_nothing_is_known_and_said_so() -> None:
    words = findings(assessed(planned(), answers(), outcomes()))
    assert "  champion, version 3: no answers yet." in words
    assert "Difference: not known before both have been judged." in words


def test_a_shadow_is_judged_by_its_agreement() -> None:
    asked = answers(("a", "P1", "champion"), ("s", "P1", "shadow"))
    found = assessed(planned(mode=Mode.SHADOW, share=1.0), asked, Agreement(1, 1.0, 0.125))
    assert (found.decision, found.evidence, list(found.arms)) == (Decision.OPEN, None, ["champion", "shadow"])
    words = "\n".join(findings(found))
    assert "nobody sees its scores" in words
    assert "Agreement: 100% rank the same first, scores are 0.125 apart on average." in words


# --- From the platform's tables


def log(engine: Engine, running: Experiment, name: str, unit: str, arm: str, **facts: Any) -> None:
    row = {
        "prediction_id": name, "product": PRODUCT, "model_version": 3, "source": "model", "request": {}, "answer": {},
        "milliseconds": 2.0, "predicted_at": running.started_at, "experiment": running.id, "arm": arm, "unit": unit,
        "subject": unit,
    }  # fmt: skip
    with engine.begin() as connection:
        connection.execute(insert(prediction_log).values(**{**row, **facts}))


def test_a_shadow_s_agreement_is_read_from_the_log(engine: Engine) -> None:
    running = planned(mode=Mode.SHADOW, share=1.0)
    experiment.start(engine, running)
    log(engine, running, "a", "P1", "champion")
    for number, same in enumerate((True, False)):
        log(engine, running, f"s{number}", "P1", "shadow", answer={"same_first": same, "distance": number / 4})
    log(engine, running, "s2", "P1", "shadow", answer={"same_first": None, "distance": None})
    found = assess(engine, running)
    assert found.agreement == Agreement(3, 0.5, 0.125)
    assert (found.arms["shadow"].answers, found.arms["champion"].answers) == (3, 1)


def test_feedback_reaches_the_assessment(engine: Engine) -> None:
    running = planned()
    experiment.start(engine, running)
    answer = {"person_id": "P1", "target_id": None, "contents": [{"content_id": "C1", "score": 0.5, "source": "model"}]}
    log(engine, running, "a", "P1", Arm.CHALLENGER, answer=answer)
    given = {"person_id": "P1", "item_id": "C1", "kind": PRODUCT, "prediction_id": "a", "subject": "P1"}
    with engine.begin() as connection:
        connection.execute(insert(match_feedback).values(**given, rating=4, given_at=datetime.now(UTC)))
    found = assess(engine, running)
    assert (found.arms["challenger"].judged, found.arms["challenger"].reward) == (1, 0.75)
