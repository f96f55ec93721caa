"""Spines against tables worked out by hand."""

import polars as pl
import pytest

from feature_repo.window import Window
from tests.feature_repo import world
from tests.feature_repo.world import day
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


def facts_of(folder, as_of, **tables):
    return world.facts_of(folder, {**TABLES, **tables}, as_of)


def test_candidates_are_those_known_to_have_worked_in_the_year_before(tmp_path):
    rows = assignment_rows(facts_of(tmp_path, day("30")), WINDOW)
    second = rows.filter(pl.col("task_id") == "t2")
    assert second.select("person_id", "relevance", "is_candidate").rows() == [("ann", 0.0, True), ("bob", 1.0, False)]


def test_a_task_that_nobody_is_known_to_have_worked_on_has_no_row(tmp_path):
    rows = assignment_rows(facts_of(tmp_path, day("10")), WINDOW)
    assert rows["task_id"].unique().to_list() == ["t1"]


def test_a_start_known_on_the_day_of_a_task_makes_a_candidate_and_one_known_a_day_later_does_not(tmp_path):
    tasks = TABLES["tasks"].replace("10            10", "02            02")
    rows = assignment_rows(facts_of(tmp_path, day("30"), tasks=tasks), WINDOW)
    known = rows.filter((pl.col("task_id") == "t2") & pl.col("is_candidate"))
    assert known["person_id"].to_list() == ["ann"]


@pytest.mark.parametrize(("task", "differs"), [("t1", False), ("t2", True)])
def test_the_raiser_differs_when_the_task_was_assigned_to_somebody_else(tmp_path, task, differs):
    rows = assignment_rows(facts_of(tmp_path, day("30")), WINDOW)
    assert rows.filter(pl.col("task_id") == task)["raiser_differs"].unique().to_list() == [differs]


def test_an_outcome_belongs_to_the_person_with_most_hours(tmp_path):
    rows = performance_rows(facts_of(tmp_path, day("30")), WINDOW)
    assert rows.select("task_id", "person_id", "actual_hours", "actual_timeliness_days").rows() == [
        ("t1", "ann", 6.0, 4.0)
    ]


def test_an_outcome_that_was_recorded_on_the_as_of_date_or_later_is_no_label(tmp_path):
    assert not performance_rows(facts_of(tmp_path, day("06")), WINDOW).height


def test_a_task_is_asked_about_when_it_was_recorded_not_when_it_was_dated(tmp_path):
    tasks = TABLES["tasks"].replace("10            10", "10            12")
    rows = assignment_rows(facts_of(tmp_path, day("30"), tasks=tasks), WINDOW)
    assert rows.filter(pl.col("task_id") == "t2")["event_timestamp"].unique().to_list() == [day("12")]


def test_a_later_correction_of_a_start_does_not_undo_a_candidacy(tmp_path):
    worked = TABLES["worked_on"] + "t1       ann        01          20\n        "
    rows = assignment_rows(facts_of(tmp_path, day("30"), worked_on=worked), WINDOW)
    known = rows.filter((pl.col("task_id") == "t2") & pl.col("is_candidate"))
    assert known["person_id"].to_list() == ["ann"]


def test_a_sample_of_candidates_does_not_depend_on_who_came_later(tmp_path, monkeypatch):
    monkeypatch.setattr("training.labels.MOST_CANDIDATES", 5)
    starts = [f"t1 p{n} 01 {2 + n % 8:02d}" for n in range(40)]
    later = [f"t1 q{n} 01 20" for n in range(40)]
    header, last = "task_id person_id started_at recorded_at\n", "\nt2 bob 10 11"

    def second(rows):
        facts = facts_of(tmp_path, day("30"), worked_on=header + "\n".join(rows) + last)
        return assignment_rows(facts, WINDOW).filter(pl.col("task_id") == "t2")

    assert second(starts).equals(second(starts + later))
    assert 1 < second(starts).height <= 6


def test_a_window_of_many_tasks_draws_fewer_candidates_for_each(tmp_path, monkeypatch):
    monkeypatch.setattr("training.labels.MOST_ROWS", 20)
    monkeypatch.setattr("training.labels.FEWEST_CANDIDATES", 3)
    tasks = "task_id project_id raiser_id estimate_hours estimated_at recorded_at\n"
    known = "task_id person_id started_at recorded_at\n" + "\n".join(f"t1 p{n} 01 02" for n in range(10))

    def candidates(names):
        """Of t2, who did not work on it; 20 rows leave 10 candidates for each of two tasks, and 4 for each of five."""
        facts = facts_of(
            tmp_path,
            day("30"),
            tasks=tasks + "\n".join(f"{name} p1 p0 4 10 10" for name in names),
            worked_on=known + "".join(f"\n{name} p0 10 11" for name in names),
        )
        rows = assignment_rows(facts, WINDOW)
        return rows.filter((pl.col("task_id") == "t2") & (pl.col("relevance") == 0)).height

    assert candidates(["t2", "t3"]) == 9
    assert 1 <= candidates(["t2", "t3", "t4", "t5", "t6"]) <= 4
