"""Spines against tables worked out by hand."""

from datetime import timedelta
from pathlib import Path

import polars as pl
import pytest

from feature_repo.window import Window
from tests.feature_repo.world import day, write_streams
from training.labels import assignment_rows, performance_rows

TABLES = {
    "tasks": """
        task_id  project_id  raiser_id  estimate_hours  estimated_at  recorded_at
        t1       p1          ann        4               01            01
        t2       p1          ann        8               10            10
        """,
    "assignments": """
        task_id  person_id  recorded_at
        t1       ann        02
        t2       bob        11
        """,
    "worked_on": """
        task_id  person_id  started_at  recorded_at
        t1       ann        01          02
        t2       bob        10          11
        """,
    "completions": """
        task_id  actual_hours  completed_at  recorded_at
        t1       6             05            06
        """,
    "worklogs": """
        worklog_id  task_id  person_id  hours  recorded_at
        w1          t1       bob        2      06
        w2          t1       ann        4      06
        """,
}
WINDOW = Window(day("01"), day("30"))


def facts_of(folder: Path, as_of, **tables):
    files = write_streams(folder, **{**TABLES, **tables})
    return lambda stream: pl.scan_parquet(files[stream]).filter(pl.col("recorded_at") <= as_of)


def test_candidates_are_those_known_to_have_worked_in_the_year_before(tmp_path):
    rows = assignment_rows(facts_of(tmp_path, day("30")), WINDOW, day("30"))
    second = rows.filter(pl.col("task_id") == "t2")
    assert second.select("person_id", "relevance", "is_candidate").rows() == [("ann", 0.0, True), ("bob", 1.0, False)]


def test_a_task_that_nobody_is_known_to_have_worked_on_has_no_row(tmp_path):
    rows = assignment_rows(facts_of(tmp_path, day("10")), WINDOW, day("10"))
    assert rows["task_id"].unique().to_list() == ["t1"]


def test_a_start_known_on_the_day_of_a_task_makes_a_candidate_and_one_known_a_day_later_does_not(tmp_path):
    tasks = TABLES["tasks"].replace("10            10", "02            02")
    rows = assignment_rows(facts_of(tmp_path, day("30"), tasks=tasks), WINDOW, day("30"))
    known = rows.filter((pl.col("task_id") == "t2") & pl.col("is_candidate"))
    assert known["person_id"].to_list() == ["ann"]


@pytest.mark.parametrize(("task", "differs"), [("t1", False), ("t2", True)])
def test_the_raiser_differs_when_the_task_was_assigned_to_somebody_else(tmp_path, task, differs):
    rows = assignment_rows(facts_of(tmp_path, day("30")), WINDOW, day("30"))
    assert rows.filter(pl.col("task_id") == task)["raiser_differs"].unique().to_list() == [differs]


def test_an_outcome_belongs_to_the_person_with_most_hours(tmp_path):
    rows = performance_rows(facts_of(tmp_path, day("30")), WINDOW, day("30"))
    assert rows.select("task_id", "person_id", "actual_hours", "actual_timeliness_days").rows() == [
        ("t1", "ann", 6.0, 4.0)
    ]


def test_an_outcome_that_was_recorded_after_the_as_of_date_is_no_label(tmp_path):
    before = day("06") - timedelta(seconds=1)
    assert not performance_rows(facts_of(tmp_path, before), WINDOW, before).height
