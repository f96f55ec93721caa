"""History columns against tables worked out by hand."""

import math
from datetime import timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from feature_repo.features import history
from feature_repo.ingest import view_frames
from tests.feature_repo.world import day, write_streams

TASKS = """
task_id  project_id  estimate_hours  estimated_at  recorded_at
t1       p1          4               01            01
t2       p1          8               02            02
"""


def person_frame(folder: Path, view=history.people, **tables: str) -> pl.DataFrame:
    return next(frame for _, frame in view_frames(write_streams(folder, tasks=TASKS, **tables), [view]))


def at(frame: pl.DataFrame, text: str, column: str) -> float:
    return frame.filter(pl.col("event_timestamp") == day(text))[column].item()


def test_starts_are_counted_from_the_day_on_which_they_were_known(tmp_path):
    frame = person_frame(
        tmp_path,
        worked_on="""
        task_id  person_id  started_at  recorded_at
        t1       ann        02          03
        t2       ann        02          05
        """,
    )
    assert frame.select("person_id", "event_timestamp", "started").rows() == [
        ("ann", day("03"), 1.0),
        ("ann", day("05"), 2.0),
    ]


def test_a_start_fades_by_the_days_since(tmp_path):
    frame = person_frame(
        tmp_path,
        worked_on="""
        task_id  person_id  started_at  recorded_at
        t1       ann        02          03
        t2       ann        02          18
        """,
    )
    assert at(frame, "18", "started_30d") == pytest.approx(1 + math.exp(-15 / 30))


OPEN_AND_CLOSE = {
    "assignments": """
        task_id  person_id  recorded_at
        t1       ann        02
        t2       ann        03
        """,
    "completions": """
        task_id  actual_hours  completed_at  recorded_at
        t1       6             10            11
        """,
}


@pytest.mark.parametrize(("when", "tasks", "hours"), [("02", 1, 4), ("03", 2, 12), ("11", 1, 8)])
def test_load_holds_tasks_from_assignment_to_completion(tmp_path, when, tasks, hours):
    frame = person_frame(tmp_path, **OPEN_AND_CLOSE)
    assert (at(frame, when, "open_tasks"), at(frame, when, "open_hours")) == (tasks, hours)


def test_a_task_that_nobody_finishes_is_forgotten_after_ninety_days(tmp_path):
    last = person_frame(tmp_path, **OPEN_AND_CLOSE).tail(1)
    assert last.select("event_timestamp", "open_tasks").row(0) == (
        day("03") + timedelta(days=90),
        0.0,
    )


LN_RATIO = math.log((1 + 6) / (1 + 4))


def test_an_outcome_is_known_only_when_it_was_recorded(tmp_path):
    frame = person_frame(tmp_path, **OPEN_AND_CLOSE)
    assert at(frame, "03", "finished_365d") == 0
    assert at(frame, "11", "finished_365d") == 1
    assert at(frame, "11", "log_ratio_365d") == pytest.approx(LN_RATIO)


def test_hours_without_a_day_count_as_finished_and_say_nothing_of_days(tmp_path):
    undated = """
        task_id  actual_hours  completed_at  recorded_at
        t1       6             -             11
        """
    frame = person_frame(tmp_path, assignments=OPEN_AND_CLOSE["assignments"], completions=undated)
    assert (at(frame, "11", "finished_365d"), at(frame, "11", "dated_365d")) == (1, 0)
    assert at(frame, "11", "log_days_365d") == 0


def test_a_corrected_outcome_replaces_the_first_from_the_day_of_the_correction(tmp_path):
    frame = person_frame(
        tmp_path,
        assignments=OPEN_AND_CLOSE["assignments"],
        completions="""
        task_id  actual_hours  completed_at  recorded_at
        t1       6             10            11
        t1       9             10            20
        """,
    )
    assert at(frame, "11", "log_ratio_365d") == pytest.approx(LN_RATIO)
    fresh, faded = math.log(10 / 5) - LN_RATIO, LN_RATIO * math.exp(-9 / 365)
    assert at(frame, "20", "log_ratio_365d") == pytest.approx(fresh + faded)
    assert at(frame, "20", "finished_365d") == pytest.approx(math.exp(-9 / 365))


@pytest.mark.parametrize(("actual", "stars"), [(4, 5), (5, 4), (6, 3), (8, 2), (9, 1)])
def test_effort_is_rated_by_actual_over_estimated_hours(tmp_path, actual, stars):
    completions = f"task_id actual_hours completed_at recorded_at\nt1 {actual} 10 11"
    frame = person_frame(tmp_path, assignments=OPEN_AND_CLOSE["assignments"], completions=completions)
    assert at(frame, "11", "effort_rating_365d") == pytest.approx(stars)


def test_the_same_rows_give_the_same_bits(tmp_path):
    tables = {"worked_on": "task_id person_id recorded_at\n" + "\n".join(f"t{1 + n % 2} p{n} 05" for n in range(200))}
    (kind,) = (view for view in history.kinds if view.name == "project")
    first, second = (person_frame(tmp_path, kind, **tables) for _ in range(2))
    assert first.equals(second)


def test_later_rows_leave_the_bits_of_earlier_ones_alone(tmp_path):
    """A past week that is run again must give the same data hash (a tree of partial sums did not)."""
    random = np.random.default_rng(1)
    days = sorted(random.integers(2, 30, 3000))
    starts = [f"t{1 + n % 2} p{n % 7}x{n} {known:02d}" for n, known in enumerate(days)]
    header = "task_id person_id recorded_at\n"
    (kind,) = (view for view in history.kinds if view.name == "project")
    frames = [
        person_frame(tmp_path, kind, worked_on=header + "\n".join(rows))
        for rows in (starts, [row for row in starts if int(row[-2:]) < 20])
    ]
    past = frames[0].filter(pl.col("event_timestamp") < day("20"))
    assert past.equals(frames[1].filter(pl.col("event_timestamp") < day("20")))
