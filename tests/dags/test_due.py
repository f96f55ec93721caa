"""When retraining is due: 7 days, 100 new labelled records, drift, or forced."""

from datetime import UTC, datetime, timedelta

import pytest

from dags.due import Reasons

TRAINED = datetime(2026, 1, 5, 2, tzinfo=UTC)
WEEK = timedelta(days=7)
SECOND = timedelta(seconds=1)


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
