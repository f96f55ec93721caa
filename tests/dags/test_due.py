"""When retraining is due: 7 days, 100 new labelled records or words of feedback, drift, or forced."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine, insert

from dags.due import Reasons, feedback_since_training
from feature_repo.platform import database
from feature_repo.platform.tables import model_versions
from feature_repo.settings import load
from monitoring.feedback import Feedback, give
from tests.patience import LONG

TRAINED = datetime(2026, 1, 5, 2, tzinfo=UTC)
WEEK = timedelta(days=7)
SECOND = timedelta(seconds=1)
NOW = datetime.now(UTC)
PRODUCT = "task_assignment"


@pytest.mark.parametrize(
    ("passed", "labelled", "drifted", "forced", "reasons"),
    [
        (timedelta(days=1), 0, False, False, []),
        (WEEK, 99, False, False, []),  # the weekly run itself starts now
        (WEEK + SECOND, 0, False, False, ["trained 7 days ago, 7 are allowed"]),
        (timedelta(days=1), 100, False, False, ["100 records labelled since, 100 are enough"]),
        (timedelta(days=1), 0, True, False, ["drift"]),
        (timedelta(days=1), 0, False, True, ["forced"]),
        (WEEK + SECOND, 250, False, True, ["trained 7 days ago, 7 are allowed",
                                           "250 records labelled since, 100 are enough", "forced"]),
    ],
)  # fmt: skip
def test_retraining_is_due_for_each_reason_that_holds(
    passed: timedelta, labelled: int, drifted: bool, forced: bool, reasons: list[str]
) -> None:
    assert Reasons().found(TRAINED + passed, TRAINED, labelled, drifted, forced) == reasons


def test_a_product_without_a_version_is_always_due() -> None:
    assert Reasons().found(TRAINED, None, 0, False, False) == ["never trained"]


@pytest.mark.parametrize(
    ("subjects", "words", "counts", "reasons"),
    [
        (0, 0, 0, []),
        (5, 19, 95, []),
        (5, 20, 100, ["100 records labelled since, 100 are enough"]),
        (1, 150, 20, []),  # of one subject 20 count
    ],
)
def test_feedback_since_the_training_counts_as_labelled_records(
    tmp_path: Path, subjects: int, words: int, counts: int, reasons: list[str]
) -> None:
    engine = database(load(home=tmp_path))
    register(engine, NOW - timedelta(days=1))
    for subject in range(subjects):
        for number in range(words):
            give(engine, said(f"s{subject}", number, NOW - timedelta(minutes=1)), per_day=1000, seconds=LONG)
    found = feedback_since_training(engine, PRODUCT)
    assert (found, Reasons().found(TRAINED, TRAINED, found, False, False)) == (counts, reasons)


def test_what_was_said_before_the_newest_version_was_registered_does_not_count_again(tmp_path: Path) -> None:
    engine = database(load(home=tmp_path))
    give(engine, said("hr", 1, NOW - timedelta(hours=2)), per_day=9, seconds=LONG)
    assert feedback_since_training(engine, PRODUCT) == 0  # never trained: due for that reason
    register(engine, NOW - timedelta(hours=3))
    assert feedback_since_training(engine, PRODUCT) == 1
    register(engine, NOW - timedelta(hours=1))
    assert feedback_since_training(engine, PRODUCT) == 0


def register(engine: Engine, at: datetime) -> None:
    """A version as of an older date, registered at an instant."""
    row = {
        "product": PRODUCT, "number": at.hour + 1, "key": at.isoformat(), "run_id": "r", "as_of": TRAINED,
        "trained_until": TRAINED, "data_hash": "d", "code_revision": "c", "feature_service": PRODUCT, "sha256": "s",
        "metrics": {}, "registered_at": at,
    }  # fmt: skip
    with engine.begin() as connection:
        connection.execute(insert(model_versions).values(**row))


def said(subject: str, number: int, at: datetime) -> Feedback:
    return Feedback(f"{subject} {number}", "T1", PRODUCT, "an answer", subject, at, accepted=True)
