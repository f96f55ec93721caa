"""One subject sends 10,000 labels: few are taken, fewer count, and no measure moves by half a point (FAULTS row 13)."""

import asyncio
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import polars as pl
import pytest
from sqlalchemy import Engine, func, insert, select

from dags.due import Reasons, feedback_since_training
from feature_repo.platform import database
from feature_repo.platform.tables import match_feedback, model_versions
from feature_repo.settings import load
from feature_repo.window import Window
from monitoring.feedback import COUNTED_PER_SUBJECT
from monitoring.outcomes import outcomes, summary
from monitoring.prediction_log import append
from serving.access.caller import Caller, Role
from serving.limits import LIMITS
from serving.routes.judgement import PATH
from tests.monitoring.said import prediction_id, ranking, record
from tests.patience import LONG, await_day
from tests.serving.judging import Desk, desk

PRODUCT = "task_assignment"
ANSWERS, PEOPLE = 1_000, 10
HONEST, WORDS = 250, 20
FLOOD = 10_000
AT_ONCE = 16
MALLORY = Caller("mallory", Role.SERVICE)
NOW = datetime.now(UTC)
WINDOW = Window(NOW - timedelta(days=1), NOW + timedelta(days=1))
HALF_A_POINT = 0.005


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """A champion and a challenger that 250 people each judged 20 times, and like alike."""
    found = database(load(home=tmp_path_factory.mktemp("poisoned")))
    scores = {f"P{number}": 0.5 for number in range(PEOPLE)}
    arms = ("champion", "challenger")
    append(found, [record(n, ranking(scores, f"T{n}"), experiment="e", arm=arms[n % 2]) for n in range(2 * ANSWERS)])
    with found.begin() as connection:
        connection.execute(insert(model_versions).values(**trained()))
        connection.execute(insert(match_feedback), [honest(number) for number in range(HONEST * WORDS)])
    yield found
    found.dispose()


def trained() -> dict[str, object]:
    """A version that was trained an hour ago."""
    then = NOW - timedelta(hours=1)
    return {
        "product": PRODUCT, "number": 1, "key": "k", "run_id": "r", "as_of": then, "trained_until": then,
        "data_hash": "d", "code_revision": "c", "feature_service": PRODUCT, "sha256": "s", "metrics": {},
        "registered_at": then,
    }  # fmt: skip


def honest(number: int) -> dict[str, object]:
    """One word before the training: of each subject and arm, every other answer was accepted."""
    answer, person = number % (2 * ANSWERS), number // (2 * ANSWERS)
    return {
        "person_id": f"P{person}", "item_id": f"T{answer}", "kind": PRODUCT, "prediction_id": prediction_id(answer),
        "subject": f"h{number % HONEST}", "accepted": answer // 2 % 2 == 0, "given_at": NOW - timedelta(hours=2),
    }  # fmt: skip


async def flood(at: Desk) -> Counter[int]:
    """The statuses of 10,000 words by one token, each about another person and task of the challenger's answers."""
    told: Counter[int] = Counter()
    places = asyncio.Semaphore(AT_ONCE)
    async with at.client(MALLORY) as client:

        async def send(number: int) -> None:
            answer, person = 2 * (number % ANSWERS) + 1, PEOPLE - 1 - number // ANSWERS
            body = {"item": f"P{person}", "accepted": True}
            async with places:
                sent = await client.post(PATH.format(prediction_id=prediction_id(answer)), json=body)
            told[sent.status_code] += 1

        await asyncio.gather(*(send(number) for number in range(FLOOD)))
    return told


def accepted(engine: Engine) -> dict[str, float]:
    """The share that was accepted, by arm."""
    by_arm = outcomes(engine, PRODUCT, WINDOW).group_by("arm").agg(pl.col("reward").mean())
    return dict(by_arm.iter_rows())


def test_ten_thousand_labels_of_one_subject_move_nothing(engine: Engine) -> None:
    before, judged = accepted(engine), summary(engine, PRODUCT, WINDOW).judged
    assert (before, judged) == ({"champion": 0.5, "challenger": 0.5}, HONEST * WORDS)
    assert feedback_since_training(engine, PRODUCT) == 0

    await_day(LONG)  # a subject's words are bounded by the day, and these take a while
    told = asyncio.run(flood(desk(engine)))

    mine = match_feedback.c.subject == MALLORY.subject
    with engine.connect() as connection:
        stored = connection.scalar(select(func.count()).select_from(match_feedback).where(mine))
    assert told[201] == stored == LIMITS.feedback_per_day
    assert told[201] + told[429] + told[409] == FLOOD
    assert told[429] > FLOOD // 2

    after = accepted(engine)
    assert after["champion"] == before["champion"]
    assert 0 < after["challenger"] - before["challenger"] < HALF_A_POINT
    assert summary(engine, PRODUCT, WINDOW).judged == judged + COUNTED_PER_SUBJECT

    since = feedback_since_training(engine, PRODUCT)
    assert since == COUNTED_PER_SUBJECT
    assert Reasons().found(NOW, NOW, since, drifted=False, forced=False) == []
