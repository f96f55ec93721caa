"""The check on job views, on a file of the same form: which views are held out, and that it measures."""

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from feature_repo.errors import DataError
from training.learners.turns import Turns
from training.suite.check import row
from training.suite.job_views import CHECKS, FILE, asked_of, hit_rate, jobs_of, rows_of, views_of

CHECK = CHECKS[0]
FIELDS = {"Position": "clerk", "Company": "Acme", "City": "Omaha", "State.Name": "Nebraska", "State.Code": "NE"}


def written(folder: Path, views: list[tuple[int, int, str]]) -> Path:
    """views: person, job, hour of the first of January or a whole instant."""
    frame = pl.DataFrame(views, schema=["Applicant.ID", "Job.ID", "View.Start"], orient="row")
    frame = frame.with_columns(**{name: pl.lit(value) for name, value in FIELDS.items()})
    frame = frame.with_columns(City=pl.when(pl.col("Job.ID") % 2 == 0).then(pl.lit("Reno")).otherwise("City"))
    (folder / FILE).parent.mkdir()
    frame.write_parquet(folder / FILE)
    return folder


def instant(minute: int) -> str:
    return f"2015-01-{1 + minute // 1440:02d} {minute // 60 % 24:02d}:{minute % 60:02d}:00 UTC"


def test_the_last_new_job_of_people_with_three_is_held_out(tmp_path):
    table = [(1, 70, 1), (1, 50, 2), (1, 70, 3), (1, 60, 4), (1, 50, 5), (2, 60, 1), (2, 50, 2)]
    rows = rows_of(written(tmp_path, [(person, job, instant(at)) for person, job, at in table]))
    jobs = jobs_of(rows)
    turns = Turns.of(views_of(rows, jobs))
    held = turns.taken(asked_of(turns))
    assert jobs["Job.ID"].to_list() == [50, 60, 70]
    assert (held.person.tolist(), held.past.tolist()) == ([1], [2])
    assert jobs["Job.ID"][held.item].to_list() == [60]


def test_a_hit_is_among_the_ten_best():
    items = np.arange(12)[None, :].repeat(2, axis=0)
    scores = -items.astype(np.float32)
    assert hit_rate(items, scores, np.array([9, 10])) == 0.5


def test_it_measures_a_small_file_the_same_each_time(tmp_path):
    random = np.random.default_rng(0)
    views = [
        (person, int(random.integers(60)), instant(person * 20 + turn)) for person in range(300) for turn in range(5)
    ]
    folder = written(tmp_path, views)
    found = row(CHECK, folder)
    assert found["rows"] > 250
    assert 0 < found["ours"]["hit_at_10"] < 1
    assert len(found["baselines"]) == 4
    assert {**row(CHECK, folder), "seconds": 0} == {**found, "seconds": 0}


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(DataError, match=FILE):
        row(CHECK, tmp_path)


def test_nobody_with_three_jobs_is_refused(tmp_path):
    folder = written(tmp_path, [(1, 50, instant(1)), (1, 60, instant(2))])
    with pytest.raises(DataError, match="job views: 0 people with 3 jobs or more, allowed: at least one"):
        row(CHECK, folder)
