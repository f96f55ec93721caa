"""Lists of what belongs to a thing, against tables worked out by hand."""

from pathlib import Path

import polars as pl

from feature_repo.features import content, job, skill, talent, target
from feature_repo.ingest import view_frames
from tests.feature_repo.world import day, write_streams

SKILLS = """
person_id  skill_id  level  years  recorded_at
ann        sql       2      1      01
ann        python    3      -      05
ann        sql       4      2      05
bob        go        1      -      03
"""


def rows_of(view, folder: Path, **tables: str) -> pl.DataFrame:
    [(_, frame)] = view_frames(write_streams(folder, **tables), [view])
    return frame


def test_a_row_for_each_instant_holds_all_that_was_known_then_in_alphabetical_order(tmp_path):
    frame = rows_of(talent.skill_set, tmp_path, talent_skills=SKILLS)
    assert frame.select("person_id", "event_timestamp", "skills", "levels", "years").rows() == [
        ("ann", day("01"), ["sql"], [2.0], [1.0]),
        ("ann", day("05"), ["python", "sql"], [3.0, 4.0], [0.0, 2.0]),
        ("bob", day("03"), ["go"], [1.0], [0.0]),
    ]


def test_a_list_is_known_when_its_last_entry_was_recorded(tmp_path):
    frame = rows_of(talent.skill_set, tmp_path, talent_skills=SKILLS)
    assert frame["created_timestamp"].equals(frame["event_timestamp"])


def test_what_is_recorded_later_leaves_the_rows_before_it_alone(tmp_path):
    later = SKILLS + "ann  java  5  5  20\n"
    before, after = (rows_of(talent.skill_set, tmp_path, talent_skills=table) for table in (SKILLS, later))
    assert after.filter(pl.col("event_timestamp") < day("20")).equals(before)


def test_nothing_recorded_gives_no_rows_but_all_columns(tmp_path):
    frame = rows_of(talent.skill_set, tmp_path)
    assert (frame.height, frame.columns[3:]) == (0, ["skills", "levels", "years"])


def test_what_a_job_cannot_do_without_has_the_weight_1(tmp_path):
    table = "job_id skill_id level mandatory recorded_at\nj1 sql 3 1 01"
    assert rows_of(job.skill_set, tmp_path, job_skills=table)["mandatory"].to_list() == [[1.0]]


def test_jobs_and_occupations_are_targets_alike(tmp_path):
    frame = rows_of(
        target.view,
        tmp_path,
        job_skills="job_id skill_id level mandatory recorded_at\nj1 sql 3 1 01",
        occupation_skills="occupation_id skill_id level importance recorded_at\no1 go 2 0.4 02",
    )
    assert frame.select("target_id", "skills", "levels", "weights").rows() == [
        ("j1", ["sql"], [3.0], [1.0]),
        ("o1", ["go"], [2.0], [0.4]),
    ]


PREREQUISITES = """
skill_id  prerequisite_id  recorded_at
ml        python           01
ml        algebra          02
api       python           03
"""


def test_what_comes_before_a_skill(tmp_path):
    frame = rows_of(skill.before, tmp_path, prerequisites=PREREQUISITES)
    last = frame.group_by("skill_id", maintain_order=True).last()
    assert last.select("skill_id", "skills").rows() == [("api", ["python"]), ("ml", ["algebra", "python"])]


def test_what_builds_on_a_skill(tmp_path):
    frame = rows_of(skill.after, tmp_path, prerequisites=PREREQUISITES)
    last = frame.group_by("skill_id", maintain_order=True).last()
    assert last.select("skill_id", "following").rows() == [("algebra", ["ml"]), ("python", ["api", "ml"])]


SHOWN = """
slate_id  content_id  reward  shown_at  recorded_at
s1        c1          0.5     01        03
s2        c1          0.25    02        03
s3        c1          0       04        06
"""


def test_what_came_of_a_content_is_counted_from_the_day_on_which_it_was_known(tmp_path):
    frame = rows_of(content.engaged, tmp_path, engagements=SHOWN)
    assert frame.select("event_timestamp", "shown", "worth").rows() == [(day("03"), 2.0, 0.75), (day("06"), 3.0, 0.75)]


def test_a_corrected_reward_replaces_the_first_and_is_not_shown_twice(tmp_path):
    frame = rows_of(content.engaged, tmp_path, engagements=SHOWN + "s1 c1 0.1 01 08\n")
    assert frame.select("shown", "worth").row(-1) == (3.0, 0.35)
