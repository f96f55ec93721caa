"""Demand series: shares in points, known when their period has ended."""

from pathlib import Path

from feature_repo.seed import trends
from feature_repo.seed.trends import TRENDS
from tests.feature_repo.sets import cells, made

COLUMNS = ("skill_id", "period_at", "value", "posts", "months", "recorded_at")
HIRING, STACKOVERFLOW, GITHUB = TRENDS.parts


def test_hiring_posts_are_shares_of_all_posts_of_the_month(tmp_path: Path) -> None:
    table = {
        "month": ["2011-01", "2011-02", "2011-01"],
        "skill": ["Python", "Python", "c++"],
        "posts_mentioning": [21, 30, 9],
        "posts_total": [90, 120, 90],
    }
    found = made(HIRING, tmp_path, {trends.HIRING: table})["skill_demand"]
    assert cells(found, *COLUMNS) == [
        ("hn/c++", "2011-01-01", "10.0", "90.0", "1", "2011-02-01"),
        ("hn/python", "2011-01-01", "23.333", "90.0", "1", "2011-02-01"),
        ("hn/python", "2011-02-01", "25.0", "120.0", "1", "2011-03-01"),
    ]


def test_stackoverflow_posts_are_shares_among_the_listed_tags(tmp_path: Path) -> None:
    table = {"month": ["2024-12-01"] * 2, "tag": ["c#", "go"], "posts": [30, 10]}
    found = made(STACKOVERFLOW, tmp_path, {trends.STACKOVERFLOW: table})["skill_demand"]
    assert cells(found, *COLUMNS) == [
        ("so/c#", "2024-12-01", "75.0", "40.0", "1", "2025-01-01"),
        ("so/go", "2024-12-01", "25.0", "40.0", "1", "2025-01-01"),
    ]


def test_github_adds_up_all_events_of_a_quarter(tmp_path: Path) -> None:
    table = {
        "name": ["Go", "Go", "Rust", "Rust"],
        "year": [2023] * 4,
        "quarter": [4, 4, 4, 1],
        "count": [10, 20, 30, 5],
        "event": ["push-event", "star-event", "push-event", "push-event"],
    }
    found = made(GITHUB, tmp_path, {trends.GITHUB: table})["skill_demand"]
    assert cells(found, *COLUMNS) == [
        ("github/go", "2023-10-01", "50.0", "60.0", "3", "2024-01-01"),
        ("github/rust", "2023-01-01", "100.0", "5.0", "3", "2023-04-01"),
        ("github/rust", "2023-10-01", "50.0", "60.0", "3", "2024-01-01"),
    ]
