"""Job views: jobs from their first view, people from the first thing that is known of them."""

from pathlib import Path

import polars as pl
import pytest

from feature_repo.seed import job_views
from feature_repo.seed.job_views import JOB_VIEWS
from tests.feature_repo.sets import cells, made

TABLES = {
    job_views.VIEWS: {
        "Applicant.ID": [1, 2, 2],
        "Job.ID": [9, 9, 9],
        "Title": ["Cashier @ Wally"] * 3,
        "Company": ["Wally"] * 3,
        "City": ["Newark"] * 3,
        "State.Name": ["New Jersey"] * 3,
        "View.Start": ["2015-01-02 10:30:00 UTC", "2015-01-05 08:00:00 UTC", "2015-01-05 08:00:00 UTC"],
    },
    job_views.EXPERIENCE: {
        "Applicant.ID": [1, 1, 3, 4],
        "Position.Name": ["Host", "Server", None, "Cook"],
        "Start.Date": ["2013-01-01", "2014-01-01", None, "0113-11-17"],
        "Created.At": ["2015-01-03 00:00:00 UTC"] * 4,
    },
    job_views.WISHES: {
        "Applicant.ID": [1],
        "Position.Of.Interest": ["Receptionist"],
        "Created.At": ["2015-01-04 00:00:00 UTC"],
    },
}


@pytest.fixture
def found(tmp_path: Path) -> dict[str, pl.DataFrame]:
    return made(JOB_VIEWS.parts[0], tmp_path, TABLES)


def test_a_headline_names_positions_the_latest_first_and_wishes(found: dict[str, pl.DataFrame]) -> None:
    assert cells(found["talents"], "person_id", "headline", "recorded_at") == [
        ("jv-1", "Server, Host. Looks for Receptionist", "2015-01-04"),
        ("jv-2", None, "2015-01-05 08:00"),
        ("jv-3", None, "2015-01-03"),
        ("jv-4", "Cook", "2015-01-03"),
    ]


def test_years_count_from_the_first_start_that_can_be_true(found: dict[str, pl.DataFrame]) -> None:
    assert cells(found["profiles"], "person_id", "seniority_level", "experience_years", "valid_from") == [
        ("jv-1", "MID_LEVEL", "2.004", "2015-01-03")
    ]


def test_a_job_is_known_from_the_day_of_its_first_view(found: dict[str, pl.DataFrame]) -> None:
    assert cells(found["jobs"], "job_id", "title", "employer", "status", "posted_at", "closed_at") == [
        ("jv-9", "Cashier @ Wally", "Wally", "OPEN", "2015-01-02", None)
    ]
    assert cells(found["postings"], "text") == [("Cashier @ Wally. Wally. Newark. New Jersey",)]


def test_the_same_view_twice_is_one(found: dict[str, pl.DataFrame]) -> None:
    assert cells(found["job_views"], "person_id", "job_id", "viewed_at") == [
        ("jv-1", "jv-9", "2015-01-02 10:30"),
        ("jv-2", "jv-9", "2015-01-05 08:00"),
    ]
