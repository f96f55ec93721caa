"""The SiP checks on a small file of the same form, with planted habits, and on the real one where it is there."""

from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pytest

from feature_repo.errors import DataError
from training.suite.sip import CHECKS, FILE

DATA = Path(__file__).parents[3] / "shared" / "data"
WORKERS, HOURS = CHECKS
HEADER = (
    "TaskNumber,Summary,Priority,RaisedByID,AssignedToID,AuthorisedByID,StatusCode,ProjectCode,ProjectBreakdownCode,"
    "Category,SubCategory,HoursEstimate,HoursActual,DeveloperID,DeveloperHoursActual,EstimateOn,StartedOn,CompletedOn"
)
AREAS = ("Bug", "Report", "Support", "Release")


def rows(count: int = 1600) -> list[str]:
    """A task a day; each of four people does one kind, and each needs twice what is estimated; every tenth undated."""
    random = np.random.default_rng(1)
    lines = []
    for n in range(count):
        area, estimate = int(random.integers(4)), int(random.integers(2, 9))
        day = date(2010, 1, 1) + timedelta(days=n)
        status, end = ("CHRONICLE", "") if n % 10 == 0 else ("FINISHED", str(day + timedelta(days=1)))
        person, hours = 10 + area, 2 * estimate
        lines.append(
            f"{n},Mend page {n % 7},2,9,{person},8,{status},P1,B1,Development,{AREAS[area]},{estimate},{hours},"
            f"{person},{hours},{day},{day},{end}"
        )
    return lines


def written(folder: Path, lines: list[str]) -> Path:
    path = folder / FILE
    path.parent.mkdir(parents=True)
    path.write_text("\n".join([HEADER, *lines]))
    return folder


@pytest.fixture(scope="module")
def planted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return written(tmp_path_factory.mktemp("planted"), rows())


def test_who_does_which_kind_of_task_is_found(planted: Path) -> None:
    found = WORKERS.measure(planted)
    assert found.rows == 504  # the last 504 of 1,600 days are in 2013 and 2014
    assert found.ours["hit@1"] > 0.95
    assert found.baselines["logistic regression"]["hit@1"] > 0.95
    assert found.baselines["most popular of the year before"]["hit@1"] < 0.4


def test_hours_are_judged_on_dated_and_undated_tasks_alike(planted: Path) -> None:
    found = HOURS.measure(planted)
    assert found.rows == 504
    assert found.ours["mae_log_hours"] < 0.5 * found.baselines["human_estimate"]["mae_log_hours"]


def test_a_file_without_a_task_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no task, allowed"):
        HOURS.measure(written(tmp_path, []))


def test_the_real_rows_are_those_of_the_data_sets_readme() -> None:
    if WORKERS.missing(DATA):
        pytest.skip(f"{FILE} is not on this machine")
    workers, hours = WORKERS.measure(DATA), HOURS.measure(DATA)
    assert (workers.rows, hours.rows) == (241, 1265)
    assert hours.baselines["human_estimate"]["mae_log_hours"] == pytest.approx(0.4217, abs=5e-5)
    assert workers.ours["hit@1"] >= WORKERS.aims["hit@1"]
    assert hours.ours["mae_log_hours"] < min(each["mae_log_hours"] for each in hours.baselines.values())
