"""Issues of Apache projects: what the file knows of a task, and nothing that it does not."""

from pathlib import Path

import polars as pl
import pytest

from feature_repo.seed.jira import ISSUES, JIRA
from tests.feature_repo.sets import cells, made

TABLE = {
    "id": [1, 2],
    "project": ["CB", "CASSANDRA"],
    "created_date": ["2012-05-01 16:18:02", "2012-04-30 10:00:00"],
    "issue_type_name": ["Bug", None],
    "priority_name": ["Blocker", "Low"],
    "components_name": ["['cordova-ios', 'Plugin Camera']", "[]"],
    "summary": ["Crash", "Tidy up"],
    "assignee": ["dev_7", "dev_7"],
}


@pytest.fixture
def found(tmp_path: Path) -> dict[str, pl.DataFrame]:
    return made(JIRA.parts[0], tmp_path, {ISSUES: TABLE})


def test_an_issue_is_a_task_of_its_project_without_an_estimate(found: dict[str, pl.DataFrame]) -> None:
    columns = ("task_id", "project_id", "priority", "category", "subcategory_id", "estimate_hours", "recorded_at")
    assert cells(found["tasks"], *columns) == [
        ("jira-1", "jira-CB", "1", "Bug", "cordova-ios", None, "2012-05-01 16:18"),
        ("jira-2", "jira-CASSANDRA", "4", None, None, None, "2012-04-30 10:00"),
    ]


def test_components_stand_for_skills(found: dict[str, pl.DataFrame]) -> None:
    assert cells(found["requirements"], "task_id", "skill_id", "mandatory") == [
        ("jira-1", "jira/CB/cordova-ios", "true"),
        ("jira-1", "jira/CB/plugin camera", "true"),
    ]


def test_who_was_given_an_issue_is_known_the_day_after(found: dict[str, pl.DataFrame]) -> None:
    assert cells(found["assignments"], "task_id", "person_id", "assigned_at", "recorded_at") == [
        ("jira-1", "jira-dev_7", "2012-05-01 16:18", "2012-05-02"),
        ("jira-2", "jira-dev_7", "2012-04-30 10:00", "2012-05-01"),
    ]
    assert cells(found["worked_on"], "task_id", "started_at")[0] == ("jira-1", "2012-05-01 16:18")
    assert "completions" not in found


def test_a_person_is_known_from_the_first_issue_on(found: dict[str, pl.DataFrame]) -> None:
    assert cells(found["people"], "person_id", "created_at", "recorded_at") == [
        ("jira-dev_7", "2012-04-30 10:00", "2012-05-01")
    ]
