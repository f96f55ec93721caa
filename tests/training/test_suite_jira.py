"""The Jira check on a small file of the same form, with a planted signal."""

from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from feature_repo.errors import DataError
from training.suite.jira import CHECKS, FILE, issues, projects

WORDS = ["login", "database", "printer", "network", "payment", "calendar", "search", "upload"]


def written(folder: Path, frame: pl.DataFrame) -> Path:
    path = folder / FILE
    path.parent.mkdir(parents=True, exist_ok=True)
    frame.write_parquet(path)
    return folder


def project(name: str, seed: int, rows: int = 200, kept: str = "all_assigned") -> pl.DataFrame:
    """An issue a day; each of eight people takes the issues of a word."""
    random = np.random.default_rng(seed)
    owner = random.integers(0, 8, rows)
    return pl.DataFrame(
        {
            "id": np.arange(rows) + 1000 * seed,
            "project": [name] * rows,
            "slice": [kept] * rows,
            "created_date": [(datetime(2020, 1, 1) + timedelta(days=n)).isoformat(" ") for n in range(rows)],
            "issue_type_name": ["Bug"] * rows,
            "components_name": ["['core', 'web client']"] * rows,
            "summary": [f"{WORDS[o]} fails" for o in owner],
            "description": [f"detail {n}" for n in random.integers(0, 50, rows)],
            "assignee": [f"dev_{o}" for o in owner],
        }
    ).sample(fraction=1, shuffle=True, seed=seed)


def test_projects_of_which_only_some_people_are_kept_are_left_out(tmp_path: Path):
    both = pl.concat([project("WHOLE", 1), project("PART", 2, kept="top_assignees")])
    frame = issues(written(tmp_path, both) / FILE)
    assert list(projects(frame)) == ["WHOLE"]
    assert frame["raised_at"].is_sorted()
    assert frame["components"][0].to_list() == ["core", "web client"]


def test_the_mean_over_projects_is_compared_on_the_last_fifth(tmp_path: Path):
    found = CHECKS[0].measure(written(tmp_path, pl.concat([project("ONE", 1), project("TWO", 2)])))
    assert found.rows == 2 * 40
    assert found.ours["hit@5"] == pytest.approx((found.ours["hit@5 ONE"] + found.ours["hit@5 TWO"]) / 2)
    assert found.ours["hit@5"] > 0.9
    assert found.baselines["popular among the last 300"]["hit@5"] < 0.8  # five of eight people


def test_a_file_without_whole_projects_is_refused(tmp_path: Path):
    with pytest.raises(DataError, match="no project of slice all_assigned has 100 issues"):
        CHECKS[0].measure(written(tmp_path, project("PART", 1, kept="top_assignees")))


def test_a_missing_column_is_named(tmp_path: Path):
    with pytest.raises(DataError, match="no column summary, needed"):
        CHECKS[0].measure(written(tmp_path, project("ONE", 1).drop("summary")))
