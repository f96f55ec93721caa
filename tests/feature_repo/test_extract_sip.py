"""SiP files into the source databases and out again: what was known when, by hand."""

from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pytest

from feature_repo.errors import DataError
from feature_repo.extract import extract, window_rows
from feature_repo.seed.quality import quality
from feature_repo.seed.sip import seed_sip
from feature_repo.seed.sip_streams import streams_of
from feature_repo.settings import Settings
from feature_repo.sources import mysql, servers
from feature_repo.sources.streams import STREAMS, stream
from feature_repo.window import Window, instant
from tests.feature_repo.worlds import emptied, own_servers

ALWAYS = Window(instant("1970-01-01"), instant("2100-01-01"))
DATA = Path(__file__).parents[3] / "shared" / "data" / "sip" / "sip_tasks_to_2012.csv"
HEADER = (
    "TaskNumber,Summary,Priority,RaisedByID,AssignedToID,AuthorisedByID,StatusCode,ProjectCode,ProjectBreakdownCode,"
    "Category,SubCategory,HoursEstimate,HoursActual,DeveloperID,DeveloperHoursActual,EstimateOn,StartedOn,CompletedOn"
)
FIRST = """\
1,Mend the page,1,5,13,6.0,FINISHED,PC2,PBC42,Development,Bug,2.0,4.0,13,3.0,2012-01-30,2012-01-31,2012-02-03
1,Mend the page,1,5,13,6.0,FINISHED,PC2,PBC42,Development,Bug,2.0,4.0,14,1.0,2012-01-30,2012-01-31,2012-02-03
2,"Old, and quoted",5,5,14,,CHRONICLE,PC9,PBC1,Management,Support,7.0,7.0,14,7.0,2012-02-01,2012-02-02,
3,Start before estimate,2,7,13,,COMPLETED,PC2,PBC42,Development,Bug,1.0,0.5,13,0.5,2012-02-10,2012-02-08,2012-02-29
"""
LATER = """\
4,A year later,3,5,13,,COMPLETED,PC2,PBC42,Development,Bug,4.0,8.0,13,8.0,2013-05-06,,2013-05-07
"""


@pytest.fixture(scope="module")
def sources() -> Iterator[Settings]:
    with own_servers("sip") as settings:
        yield settings


@pytest.fixture
def empty(sources: Settings) -> Settings:
    emptied(sources)
    return sources


def csv(folder: Path, rows: str, name: str = "tasks.csv", header: str = HEADER) -> Path:
    path = folder / name
    path.write_text(f"{header}\n{rows}")
    return path


def found(settings: Settings, name: str, *columns: str) -> list[tuple[str | None, ...]]:
    """The columns of a stream's rows as text, days without their time."""
    frame = pl.DataFrame(window_rows(settings, stream(name), ALWAYS)).select(columns)
    texts = frame.with_columns(pl.col(pl.Datetime).dt.strftime("%Y-%m-%d"), pl.col(pl.Float64).round(3))
    return texts.cast(pl.String).rows()


def hashes(settings: Settings) -> dict[str, str]:
    return {manifest.stream: manifest.sha256 for manifest in extract(settings, STREAMS, ALWAYS)}


def test_each_fact_is_known_from_its_day_or_from_the_next(empty: Settings, tmp_path: Path) -> None:
    seed_sip(empty, [csv(tmp_path, FIRST)])
    assert found(
        empty, "tasks", "task_id", "project_id", "raiser_id", "estimate_hours", "estimated_at", "recorded_at"
    ) == [
        ("1", "PC2", "5", "2.0", "2012-01-30", "2012-01-30"),
        ("2", "PC9", "5", "7.0", "2012-02-01", "2012-02-01"),
        ("3", "PC2", "7", "1.0", "2012-02-10", "2012-02-10"),
    ]
    assert found(empty, "completions", "task_id", "actual_hours", "completed_at", "recorded_at") == [
        ("1", "4.0", "2012-02-03", "2012-02-04"),
        ("2", "7.0", None, "2012-08-01"),  # ended, nobody noted when: 180 days after it began, and one
        ("3", "0.5", "2012-02-29", "2012-03-01"),
    ]
    assert found(empty, "assignments", "task_id", "person_id", "assigned_at", "recorded_at") == [
        ("1", "13", "2012-01-30", "2012-01-31"),
        ("2", "14", "2012-02-01", "2012-02-02"),
        ("3", "13", "2012-02-10", "2012-02-11"),
    ]
    assert found(empty, "worked_on", "task_id", "person_id", "started_at", "recorded_at") == [
        ("1", "13", "2012-01-31", "2012-02-01"),
        ("1", "14", "2012-01-31", "2012-02-01"),
        ("2", "14", "2012-02-02", "2012-02-03"),
        ("3", "13", "2012-02-08", "2012-02-11"),
    ]
    assert found(empty, "worklogs", "worklog_id", "hours", "recorded_at") == [
        ("1-13", "3.0", "2012-02-04"),
        ("1-14", "1.0", "2012-02-04"),
        ("3-13", "0.5", "2012-03-01"),
    ]
    assert found(empty, "requirements", "task_id", "skill_id", "recorded_at")[:2] == [
        ("1", "Bug", "2012-01-30"),
        ("1", "PBC42", "2012-01-30"),
    ]


def test_work_whose_day_nobody_noted_is_in_the_database_and_in_no_window(empty: Settings, tmp_path: Path) -> None:
    seed_sip(empty, [csv(tmp_path, FIRST)])
    with mysql.connected(servers.address(empty, "mysql")) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT hours, recorded_at FROM task_service.worklogs WHERE task_id = '2'")
        assert cursor.fetchall() == ((b"7", None),)
    assert "2-14" not in str(found(empty, "worklogs", "worklog_id"))


def test_skills_count_only_tasks_that_ended_before_the_month(empty: Settings, tmp_path: Path) -> None:
    seed_sip(empty, [csv(tmp_path, FIRST), csv(tmp_path, LATER, "later.csv")])
    # Task 3 ended on the last day of February: known on 1 March, so the state of 1 March holds it. Ratios 2, .5, 2.
    assert found(
        empty, "user_skills", "person_id", "skill_id", "as_of", "tasks", "hours", "median_ratio", "is_active"
    ) == [
        ("13", "Bug", "2012-03-01", "2", "3.5", "1.25", "true"),
        ("13", "Bug", "2013-03-01", "2", "3.5", "1.25", "false"),
        ("13", "Bug", "2013-06-01", "3", "11.5", "2.0", "true"),
        ("13", "PBC42", "2012-03-01", "2", "3.5", "1.25", "true"),
        ("13", "PBC42", "2013-03-01", "2", "3.5", "1.25", "false"),
        ("13", "PBC42", "2013-06-01", "3", "11.5", "2.0", "true"),
        ("14", "Bug", "2012-03-01", "1", "1.0", "2.0", "true"),
        ("14", "Bug", "2013-03-01", "1", "1.0", "2.0", "false"),
        ("14", "PBC42", "2012-03-01", "1", "1.0", "2.0", "true"),
        ("14", "PBC42", "2013-03-01", "1", "1.0", "2.0", "false"),
    ]


def test_load_is_known_the_day_after_it_changed(empty: Settings, tmp_path: Path) -> None:
    seed_sip(empty, [csv(tmp_path, FIRST)])
    # Task 2 never ends: it counts as open for 180 days.
    assert found(empty, "workloads", "person_id", "day", "open_tasks", "allocated_hours", "recorded_at") == [
        ("13", "2012-01-30", "1", "2.0", "2012-01-31"),
        ("13", "2012-02-03", "0", "0.0", "2012-02-04"),
        ("13", "2012-02-10", "1", "1.0", "2012-02-11"),
        ("13", "2012-02-29", "0", "0.0", "2012-03-01"),
        ("14", "2012-02-01", "1", "7.0", "2012-02-02"),
        ("14", "2012-07-30", "0", "0.0", "2012-07-31"),
    ]


def test_people_are_known_from_the_first_thing_known_of_them(empty: Settings, tmp_path: Path) -> None:
    seed_sip(empty, [csv(tmp_path, FIRST)])
    assert found(empty, "people", "person_id", "email", "recorded_at") == [
        ("13", "person13@sip.example", "2012-01-31"),
        ("14", "person14@sip.example", "2012-02-01"),
        ("5", "person5@sip.example", "2012-01-30"),
        ("6", "person6@sip.example", "2012-01-31"),
        ("7", "person7@sip.example", "2012-02-10"),
    ]


def test_the_same_file_twice_changes_nothing(empty: Settings, tmp_path: Path) -> None:
    seed_sip(empty, [csv(tmp_path, FIRST)])
    before = hashes(empty)
    seed_sip(empty, [csv(tmp_path, FIRST)])
    assert hashes(empty) == before


def test_a_later_file_adds_to_an_earlier_one_as_if_both_had_come_at_once(empty: Settings, tmp_path: Path) -> None:
    first, later = csv(tmp_path, FIRST), csv(tmp_path, LATER, "later.csv")
    seed_sip(empty, [first, later])
    at_once = hashes(empty)
    emptied(empty)
    seed_sip(empty, [first])
    seed_sip(empty, [later])
    assert hashes(empty) == at_once


GOOD = FIRST.splitlines()[0]


@pytest.mark.parametrize(
    ("rows", "header", "message"),
    [
        (
            GOOD,
            HEADER.replace(",EstimateOn", ",Estimated"),
            r"line 1: no column EstimateOn; found TaskNumber, .*allowed",
        ),
        (
            f"{GOOD}\n{GOOD.replace('2012-01-30', '30/01/2012')}",
            HEADER,
            r"line 3: EstimateOn is '30/01/2012', allowed a date",
        ),
        (GOOD.replace("2012-01-30", ""), HEADER, r"line 2: EstimateOn is empty, allowed a date such as"),
        (GOOD.replace(",2.0,", ",two,"), HEADER, r"line 2: HoursEstimate is 'two', allowed a finite number"),
        (GOOD.replace(",2.0,", ",nan,"), HEADER, r"line 2: HoursEstimate is 'nan', allowed a finite number"),
        (GOOD.replace("1,Mend", "one,Mend", 1), HEADER, r"line 2: TaskNumber is 'one', allowed a whole number"),
        (f"{GOOD}\n{GOOD},more", HEADER, r"line 3: 19 cells, allowed 18"),
        (f'{GOOD}\n"{GOOD}', HEADER, r"line 3: unexpected end of data, allowed: CSV"),
        ("", "", r"line 1: no column .*found an empty file"),
    ],
)
def test_a_malformed_file_is_refused_by_line_and_column(tmp_path: Path, rows: str, header: str, message: str) -> None:
    path = csv(tmp_path, rows, header=header)
    with pytest.raises(DataError, match=rf"tasks\.csv, {message}"):
        seed_sip(Settings(home=tmp_path), [path])


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"nowhere\.csv: cannot be read \(No such file"):
        seed_sip(Settings(home=tmp_path), [tmp_path / "nowhere.csv"])


def test_one_malformed_file_of_several_keeps_all_of_them_out(empty: Settings, tmp_path: Path) -> None:
    seed_sip(empty, [csv(tmp_path, FIRST)])
    before = hashes(empty)
    with pytest.raises(DataError, match=r"later\.csv, line 2"):
        seed_sip(empty, [csv(tmp_path, LATER, "more.csv"), csv(tmp_path, LATER.replace("4,A", "x,A"), "later.csv")])
    assert hashes(empty) == before


def test_the_real_file_passes_the_quality_checks_within_the_documents_that_the_stand_in_bears(empty: Settings) -> None:
    if not DATA.exists():
        pytest.skip(f"{DATA.name} is not on this machine")
    counts = seed_sip(empty, [DATA])
    assert (counts["task_service.tasks"], counts["task_service.worklogs"]) == (9_275, 11_132)
    assert counts["profile_service.user_skills"] + counts["workload_service.user_workloads"] <= 20_000
    assert all(check.passed for check in quality(empty))


def test_what_the_databases_give_is_what_the_streams_in_memory_hold(empty: Settings, tmp_path: Path) -> None:
    file = csv(tmp_path, FIRST)
    seed_sip(empty, [file])
    made = streams_of([file])
    for each in STREAMS:
        assert made[each.name].equals(pl.DataFrame(window_rows(empty, each, ALWAYS))), each.name
