"""The job-change check on a small file of the same form, with a planted signal."""

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from feature_repo.errors import DataError
from training.suite.hr import CHECKS, FILE, PROFILE, people


def file(folder: Path, rows: int = 600, drop: tuple[str, ...] = ()) -> Path:
    """People whose company size is missing look for a job, four times out of five."""
    random = np.random.default_rng(1)
    sizes = random.choice(["", "50-99", "10/49", "10000+"], rows)
    chosen = {name: random.choice(list(rungs) or ["a", "b"], rows) for name, rungs in PROFILE.ladders.items()}
    looks = (sizes == "") ^ (random.random(rows) < 0.2)
    columns = {
        "city_development_index": random.random(rows).round(3),
        "training_hours": random.integers(1, 300, rows),
        **chosen,
        "last_new_job": random.choice(["1", "2", "3"], rows),  # digits only, as in a small slice
        "company_size": sizes,
        "target": looks.astype(float),
    }
    path = folder / FILE
    path.parent.mkdir(parents=True, exist_ok=True)
    pl.DataFrame(columns).drop(drop).write_csv(path)
    return folder


def test_text_stays_text_where_all_of_it_is_digits(tmp_path: Path):
    assert people(file(tmp_path) / FILE)["last_new_job"].dtype == pl.String


def test_a_planted_signal_is_found(tmp_path: Path):
    found = CHECKS[0].measure(file(tmp_path))
    assert found.rows == 600
    assert 0.70 < found.ours["auc"] < 0.80  # .75 is the most there is
    assert found.baselines["everybody alike"] == {"auc": 0.5}


def test_a_missing_column_is_named(tmp_path: Path):
    with pytest.raises(DataError, match="no column gender, needed"):
        CHECKS[0].measure(file(tmp_path, drop=("gender",)))
