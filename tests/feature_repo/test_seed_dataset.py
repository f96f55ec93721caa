"""Published sets through the real servers: found, refused as a whole, repeated without change."""

from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pytest

from feature_repo.errors import DataError
from feature_repo.extract import extract
from feature_repo.seed import esco, trends
from feature_repo.seed.dataset import Dataset, seed_dataset
from feature_repo.seed.esco import ESCO
from feature_repo.seed.jira import ISSUES, JIRA
from feature_repo.seed.job_views import JOB_VIEWS
from feature_repo.seed.onet import ONET
from feature_repo.seed.so_survey import SO_SURVEY
from feature_repo.seed.trends import TRENDS
from feature_repo.settings import Settings
from feature_repo.sources.streams import STREAMS
from feature_repo.window import Window, instant
from tests.feature_repo import test_seed_esco, test_seed_jira, test_seed_so_survey
from tests.feature_repo.sets import real, write
from tests.feature_repo.worlds import emptied, own_servers

ALWAYS = Window(instant("1970-01-01"), instant("2100-01-01"))
SURVEY_2016, SURVEY_2017 = (part.files[0] for part in SO_SURVEY.parts)
SMALL = {
    "esco": (ESCO, test_seed_esco.TABLES),
    "jira": (JIRA, {ISSUES: test_seed_jira.TABLE}),
    "so-survey": (
        SO_SURVEY,
        {SURVEY_2016: test_seed_so_survey.TABLE_2016, SURVEY_2017: test_seed_so_survey.TABLE_2017},
    ),
}
HIRING = "month,skill,posts_mentioning,posts_total\n2011-01,python,21,90\n"


@pytest.fixture(scope="module")
def sources() -> Iterator[Settings]:
    with own_servers("sets") as settings:
        yield settings


@pytest.fixture
def empty(sources: Settings) -> Settings:
    emptied(sources)
    return sources


def published(settings: Settings) -> dict[str, tuple[int, str]]:
    return {found.stream: (found.rows, found.sha256) for found in extract(settings, STREAMS, ALWAYS)}


@pytest.mark.parametrize("name", SMALL)
def test_the_same_files_twice_change_nothing(empty: Settings, tmp_path: Path, name: str) -> None:
    dataset, tables = SMALL[name]
    folder = write(tmp_path, tables)
    seeded = seed_dataset(empty, dataset, folder)
    before = published(empty)
    assert seed_dataset(empty, dataset, folder) == seeded
    assert published(empty) == before


@pytest.mark.parametrize(
    ("dataset", "rows"),
    [
        (TRENDS, {"skill_demand": 15_944}),
        (ONET, {"occupations": 1_016, "occupation_skills": 19_166, "occupation_traits": 19_602, "skills": 68}),
        (JIRA, {"people": 166, "tasks": 9_111, "assignments": 9_111, "requirements": 9_014}),
        (JOB_VIEWS, {"people": 7_037, "jobs": 7_047, "postings": 7_047, "job_views": 12_337, "profiles": 2_708}),
    ],
    ids=lambda each: each.name if isinstance(each, Dataset) else "",
)
def test_the_real_set_comes_out_of_the_servers_and_twice_is_once(
    empty: Settings, dataset: Dataset, rows: dict[str, int]
) -> None:
    folder = real(dataset)
    seeded = seed_dataset(empty, dataset, folder)
    before = published(empty)
    assert {name: before[name][0] for name in rows} == rows
    assert seed_dataset(empty, dataset, folder) == seeded
    assert published(empty) == before


def test_what_was_seeded_is_named_with_its_licence_and_an_instant_by_which_it_was_known(
    empty: Settings, tmp_path: Path
) -> None:
    path = tmp_path / "hn_hiring_skill_month.csv"
    path.write_text(HIRING)
    found = seed_dataset(empty, TRENDS, path)
    assert found.files == [path]
    assert found.written == {"mysql market_service.skill_demand": 1}
    assert found.until == instant("2011-02-02")
    assert "CC BY-SA" in found.licence


def test_a_file_of_another_name_is_known_by_its_columns(empty: Settings, tmp_path: Path) -> None:
    path = tmp_path / "later.csv"
    path.write_text(HIRING)
    assert seed_dataset(empty, TRENDS, path).written == {"mysql market_service.skill_demand": 1}


def test_a_bad_file_among_good_ones_leaves_nothing_behind(empty: Settings, tmp_path: Path) -> None:
    write(
        tmp_path, {trends.HIRING: {"month": ["2011-01"], "skill": ["c"], "posts_mentioning": [1], "posts_total": [2]}}
    )
    write(tmp_path, {trends.STACKOVERFLOW: {"month": ["2011-01-01"], "tag": ["c"], "posts": ["many"]}})
    with pytest.raises(DataError, match=r"so_posts.*row 1: posts is 'many', allowed a whole number"):
        seed_dataset(empty, TRENDS, tmp_path)
    seed_dataset(empty, ESCO, write(tmp_path / "esco", test_seed_esco.TABLES))
    assert published(empty)["skill_demand"][0] == 0


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "month,skill,posts_total\n2011-01,c,9\n",
            r"no column posts_mentioning; found month, skill, .*; allowed month",
        ),
        (HIRING.replace("2011-01", "January"), r"row 1: month is 'January', allowed a time such as %Y-%m"),
        (HIRING.replace("python", ""), r"row 1: skill is empty, allowed text"),
        (HIRING + "2011-02,c,1.5,9\n", r"row 2: posts_mentioning is '1.5', allowed a whole number"),
        (HIRING.replace("90", "0"), r"row 1: posts_total is '0', allowed a whole number from 1"),
        (HIRING + "2011-02,c\n", r"cannot be read \(.*\), allowed: a CSV with a header file"),
        ("", r"cannot be read \(.*\), allowed: a CSV"),
    ],
)
def test_a_malformed_file_is_refused_by_row_and_column(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "hn_hiring_skill_month.csv"
    path.write_text(text)
    with pytest.raises(DataError, match=message):
        seed_dataset(Settings(home=tmp_path), TRENDS, path)


def test_a_word_that_is_not_allowed_is_named_with_those_that_are(tmp_path: Path) -> None:
    tables = {**test_seed_esco.TABLES, esco.LINKS: {**test_seed_esco.TABLES[esco.LINKS], "relation": ["maybe"] * 3}}
    with pytest.raises(DataError, match=r"row 1: relation is 'maybe', allowed optional, essential"):
        seed_dataset(Settings(home=tmp_path), ESCO, write(tmp_path, tables))


def test_a_parquet_file_that_is_none_is_named(tmp_path: Path) -> None:
    (tmp_path / "so2016.parquet").write_text("no parquet")
    with pytest.raises(DataError, match=r"so2016\.parquet: cannot be read \(.*\), allowed: a Parquet file"):
        seed_dataset(Settings(home=tmp_path), SO_SURVEY, tmp_path)


def test_files_that_belong_together_are_all_needed(tmp_path: Path) -> None:
    write(tmp_path, {esco.LINKS: test_seed_esco.TABLES[esco.LINKS]})
    with pytest.raises(DataError, match=r"esco: .*occupations\.parquet not found, allowed: occupations\.parquet, "):
        seed_dataset(Settings(home=tmp_path), ESCO, tmp_path / "occupation_skill.parquet")


@pytest.mark.parametrize(
    ("place", "message"),
    [("nowhere", r"nowhere: not found, allowed: hn_hiring"), (".", r"no file of trends, allowed: hn_hiring")],
)
def test_a_place_without_the_set_is_refused(tmp_path: Path, place: str, message: str) -> None:
    with pytest.raises(DataError, match=message):
        seed_dataset(Settings(home=tmp_path), TRENDS, tmp_path / place)


def test_a_file_of_unknown_columns_is_refused_with_those_that_are_known(tmp_path: Path) -> None:
    pl.DataFrame({"a": [1]}).write_parquet(tmp_path / "x.parquet")
    with pytest.raises(DataError, match=r"x\.parquet: found columns a; allowed: hn_hiring.* has month, skill"):
        seed_dataset(Settings(home=tmp_path), TRENDS, tmp_path / "x.parquet")
