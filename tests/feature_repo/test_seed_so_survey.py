"""Developers' answers of two years, brought to the same facts."""

from pathlib import Path

import polars as pl
import pytest

from feature_repo.seed.so_answers import SURVEY_2016, SURVEY_2017
from feature_repo.seed.so_survey import SO_SURVEY
from tests.feature_repo.sets import cells, made

FIRST, SECOND = SO_SURVEY.parts
TABLE_2016 = {
    "respondent_id": [1, 2, 3, 4],
    "occupation_group": ["DevOps", "DevOps", "Student", None],
    "experience_midpoint": [8.0, 13.0, 0.5, None],
    "salary_range": ["$40,000 - $50,000", "More than $200,000", "Less than $10,000", "Rather not say"],
    "tech_do": ["Python; MATLAB", "Python", "Java", None],
    "tech_want": ["Go", None, "Go; Java", "Matlab"],
    "programming_ability": [10.0, 1.0, None, 5.5],
    "remote": ["Full-time remote", "Never", None, "I rarely work remotely"],
    "education": [
        "I'm self-taught; B.S. in Computer Science (or related field); PhD in Computer Science (or related field)",
        "Some college coursework in Computer Science (or related field)",
        "On-the-job training",
        None,
    ],
    "industry": ["Consulting", None, None, None],
}
TABLE_2017 = {
    "Respondent": [5, 6],
    "DeveloperType": ["Web developer; Other; Data scientist", None],
    "YearsCodedJob": ["2 to 3 years", "20 or more years"],
    "Salary": [107.0, None],
    "FormalEducation": ["Master's degree", "I prefer not to answer"],
    "HomeRemote": ["About half the time", "It's complicated"],
    "HaveWorkedLanguage": ["Python", None],
    "HaveWorkedDatabase": ["MySQL; Redis", None],
    "WantWorkFramework": ["React", None],
}


@pytest.fixture
def first(tmp_path: Path) -> dict[str, pl.DataFrame]:
    return made(FIRST, tmp_path, {SURVEY_2016.file: TABLE_2016})


@pytest.fixture
def second(tmp_path: Path) -> dict[str, pl.DataFrame]:
    return made(SECOND, tmp_path, {SURVEY_2017.file: TABLE_2017})


def test_rank_comes_from_years_and_who_gives_none_has_no_profile(first: dict[str, pl.DataFrame]) -> None:
    columns = ("person_id", "department_id", "seniority_level", "experience_years", "recorded_at")
    assert cells(first["profiles"], *columns) == [
        ("so2016-1", "Consulting", "SENIOR", "8.0", "2016-02-01"),
        ("so2016-2", "not stated", "LEAD", "13.0", "2016-02-01"),
        ("so2016-3", "not stated", "JUNIOR", "0.5", "2016-02-01"),
    ]


def test_pay_is_in_euro_and_open_where_the_class_is(first: dict[str, pl.DataFrame]) -> None:
    # 40,000 / 1.08 and 50,000 / 1.08
    assert cells(first["talents"], "salary_low", "salary_high", "education", "wants_remote") == [
        ("37037.037", "46296.296", "DOCTORATE", "true"),
        ("185185.185", None, "SECONDARY", "false"),
        ("0.0", "9259.259", None, None),
        (None, None, None, "false"),
    ]


def test_technologies_that_differ_by_case_are_one_skill(first: dict[str, pl.DataFrame]) -> None:
    assert cells(first["talent_skills"], "person_id", "skill_id", "level") == [
        ("so2016-1", "so/python", "5.0"),
        ("so2016-1", "so/matlab", "5.0"),
        ("so2016-2", "so/python", "1.0"),
        ("so2016-3", "so/java", "3.0"),
    ]
    assert cells(first["wanted_skills"], "person_id", "skill_id") == [
        ("so2016-1", "so/go"),
        ("so2016-3", "so/go"),
        ("so2016-3", "so/java"),
        ("so2016-4", "so/matlab"),
    ]
    assert first["skills"]["skill_id"].to_list() == ["so/go", "so/java", "so/matlab", "so/python"]


def test_students_have_no_occupation_and_matches_are_known_on_publication(first: dict[str, pl.DataFrame]) -> None:
    assert cells(first["career_matches"], "person_id", "occupation_id", "match_type", "is_match", "judged_at") == [
        ("so2016-1", "so2016/devops", "REPORTED", "true", "2016-03-17"),
        ("so2016-2", "so2016/devops", "REPORTED", "true", "2016-03-17"),
    ]


def test_an_occupation_needs_what_its_people_use(first: dict[str, pl.DataFrame]) -> None:
    columns = ("occupation_id", "skill_id", "importance", "essential", "level", "recorded_at")
    assert cells(first["occupation_skills"], *columns) == [
        ("so2016/devops", "so/matlab", "0.5", "true", "5.0", "2016-02-01"),
        ("so2016/devops", "so/python", "1.0", "true", "3.0", "2016-02-01"),
    ]


def test_the_second_survey_gives_the_same_facts(second: dict[str, pl.DataFrame]) -> None:
    assert cells(second["profiles"], "person_id", "seniority_level", "experience_years") == [
        ("so2017-5", "MID_LEVEL", "2.5"),
        ("so2017-6", "LEAD", "20.0"),
    ]
    assert cells(second["talents"], "salary_low", "salary_high", "education", "wants_remote") == [
        ("100.0", "100.0", "MASTER", "true"),
        (None, None, None, None),
    ]
    assert second["talent_skills"]["skill_id"].to_list() == ["so/python", "so/mysql", "so/redis"]
    assert second["wanted_skills"]["skill_id"].to_list() == ["so/react"]
    assert sorted(second["career_matches"]["occupation_id"]) == ["so2017/data-scientist", "so2017/web-developer"]
