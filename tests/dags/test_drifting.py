"""Which drift report counts: that on the latest rows, whenever it was made."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import insert

from dags.drifting import is_new
from feature_repo.platform import database
from feature_repo.platform.tables import drift_reports
from feature_repo.settings import load
from monitoring.standing import last_drift

Report = tuple[int, str]
"""The year that a report's rows end with, and its verdict."""


def year(number: int) -> datetime:
    return datetime(number, 1, 1, tzinfo=UTC)


def told(home: Path, reports: list[Report]) -> "tuple[bool, str | None]":
    """Whether drift is new since a training as of 2013, and the verdict that status shows. Reports: in turn of id."""
    engine = database(load(home=home))
    for until, verdict in reports:
        row = {"drifted": [], "verdict": verdict, "reason": "", "until": year(until), "reported_at": year(2026)}
        with engine.begin() as connection:
            connection.execute(insert(drift_reports).values(product="one", **row))
    shown = last_drift(engine, "one")
    return is_new(engine, "one", year(2013)), shown["verdict"] if shown else None


@pytest.mark.parametrize(
    ("reports", "is_reason", "shown"),
    [
        ([], False, None),
        ([(2014, "drift")], True, "drift"),
        ([(2014, "none")], False, "none"),
        ([(2014, "drift"), (2012, "none")], True, "drift"),  # an older date, looked at again
        ([(2014, "none"), (2012, "drift")], False, "none"),
        ([(2014, "drift"), (2014, "none")], False, "none"),  # a rerun
        ([(2012, "drift")], False, "drift"),  # trained since
        ([(2013, "drift")], False, "drift"),  # training as of then saw it
        ([(2013, "drift"), (2014, "drift")], False, "drift"),  # and did not mend it
        ([(2013, "drift"), (2013, "none"), (2014, "drift")], True, "drift"),
    ],
)
def test_the_report_on_the_latest_rows_counts(
    tmp_path: Path, reports: list[Report], is_reason: bool, shown: str | None
) -> None:
    assert told(tmp_path, reports) == (is_reason, shown)


def test_what_is_not_trained_has_any_drift_as_news(tmp_path: Path) -> None:
    told(tmp_path, [(2012, "drift")])
    assert is_new(database(load(home=tmp_path)), "one", None)
