"""The questionnaires of Stack Overflow's surveys, each brought to the same answers.

An answer has: person (its number), occupations, uses and wants (lists of names as the survey writes them), years of
work, level (1 to 5), salary_low and salary_high (EUR a year), education, remote, department.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

import polars as pl

from feature_repo.seed.dataset_file import DataFile, FileColumn
from feature_repo.seed.experience import NOT_STATED
from feature_repo.sources.streams.fields import MOST_PAY

UNKNOWN_LEVEL = 3.0
STUDENT = "Student"  # no occupation; 2016 lists it among them


@dataclass(frozen=True)
class Survey:
    """A year's survey. answered: when all answers were in; published: when the results came out, both at 00:00 UTC."""

    name: str
    file: DataFile
    answered: datetime
    published: datetime
    answers: Callable[[pl.DataFrame], pl.DataFrame]


USD_PER_EUR = {2016: 1.08, 2017: 1.07}
"""In January of the year, rounded."""
DEGREES_2016 = {"PhD": "DOCTORATE", "Masters Degree": "MASTER", "B.S.": "BACHELOR", "B.A.": "BACHELOR",
                "Some college": "SECONDARY"}  # fmt: skip
DEGREES_2017 = {
    "Doctoral degree": "DOCTORATE",
    "Master's degree": "MASTER",
    "Bachelor's degree": "BACHELOR",
    "Some college/university study without earning a bachelor's degree": "SECONDARY",
    "Secondary school": "SECONDARY",
    "Primary/elementary school": "NONE",
    "I never completed any formal education": "NONE",
}
REMOTE_2016 = {
    "Full-time remote": True,
    "Part-time remote": True,
    "I rarely work remotely": False,
    "Never": False,
}
REMOTE_2017 = {
    "All or almost all the time (I'm full-time remote)": True,
    "More than half, but not all, the time": True,
    "About half the time": True,
    "Less than half the time, but at least one day each week": True,
    "A few days each month": False,
    "Never": False,
}


def answers_2016(rows: pl.DataFrame) -> pl.DataFrame:
    """One occupation each; pay in classes of 10,000 USD; the level is how one judges one's own programming, 1 to 10."""
    bounds = pl.col("salary_range").str.replace_all(",", "").str.extract_all(r"\d+").cast(pl.List(pl.Float64))
    low = pl.when(pl.col("salary_range").str.starts_with("Less")).then(0.0).otherwise(bounds.list.first())
    is_open = pl.col("salary_range").str.starts_with("More")
    occupation = pl.when(pl.col("occupation_group") != STUDENT).then(pl.col("occupation_group"))
    return rows.select(
        person=pl.concat_str(pl.lit("so2016-"), "respondent_id"),
        occupations=pl.concat_list(occupation).list.drop_nulls(),
        uses=_listed("tech_do"),
        wants=_listed("tech_want"),
        years="experience_midpoint",
        level=(1 + 4 * (pl.col("programming_ability") - 1) / 9).fill_null(UNKNOWN_LEVEL),
        salary_low=low / USD_PER_EUR[2016],
        salary_high=pl.when(~is_open).then(bounds.list.last()) / USD_PER_EUR[2016],
        education=_degree_2016(),
        remote=pl.col("remote").replace_strict(REMOTE_2016, default=None),
        department=pl.col("industry").fill_null(NOT_STATED),
    )


def _degree_2016() -> pl.Expr:
    """The highest of the degrees, which are all in computer science or near to it; others were not asked for."""
    found = pl.lit(None, pl.String)
    for words, degree in reversed(DEGREES_2016.items()):
        named = pl.col("education").str.contains(words, literal=True)
        found = pl.when(named).then(pl.lit(degree)).otherwise(found)
    return found


def answers_2017(rows: pl.DataFrame) -> pl.DataFrame:
    """Several occupations; pay as a number, or that which is expected; no question about one's level."""
    first = pl.col("YearsCodedJob").str.extract(r"(\d+)").cast(pl.Float64)
    years = pl.when(pl.col("YearsCodedJob").str.contains(" to ")).then(first + 0.5).otherwise(first)
    pay = pl.coalesce("Salary", "ExpectedSalary").clip(0, MOST_PAY) / USD_PER_EUR[2017]
    kinds = ("Language", "Framework", "Database", "Platform")
    return rows.select(
        person=pl.concat_str(pl.lit("so2017-"), "Respondent"),
        occupations=_listed("DeveloperType").list.set_difference(pl.lit(["Other"])),
        uses=pl.concat_list(_listed(f"HaveWorked{kind}") for kind in kinds),
        wants=pl.concat_list(_listed(f"WantWork{kind}") for kind in kinds),
        years=pl.when(pl.col("YearsCodedJob") == "Less than a year").then(0.5).otherwise(years),
        level=pl.lit(UNKNOWN_LEVEL),
        salary_low=pay,
        salary_high=pay,
        education=pl.col("FormalEducation").replace_strict(DEGREES_2017, default=None),
        remote=pl.col("HomeRemote").replace_strict(REMOTE_2017, default=None),
        department=pl.lit(NOT_STATED),
    )


def _listed(column: str) -> pl.Expr:
    """Names that semicolons part; an empty list where nothing was answered."""
    return pl.col(column).str.split("; ").fill_null(pl.lit([], pl.List(pl.String)))


def _texts(*names: str) -> tuple[FileColumn, ...]:
    return tuple(FileColumn(name) for name in names)


SURVEY_2016 = Survey(
    name="so2016",
    file=DataFile(
        "so2016.parquet",
        (
            FileColumn("respondent_id", "whole", required=True),
            FileColumn("experience_midpoint", "number", minimum=0, maximum=60),
            FileColumn("programming_ability", "number", minimum=1, maximum=10),
            *_texts("occupation_group", "tech_do", "tech_want", "salary_range", "education", "remote", "industry"),
        ),
    ),
    answered=datetime(2016, 2, 1, tzinfo=UTC),
    published=datetime(2016, 3, 17, tzinfo=UTC),
    answers=answers_2016,
)
SURVEY_2017 = Survey(
    name="so2017",
    file=DataFile(
        "so2017_sample.parquet",
        (
            FileColumn("Respondent", "whole", required=True),
            FileColumn("Salary", "number", minimum=0),
            FileColumn("ExpectedSalary", "number", minimum=0),
            *_texts("DeveloperType", "YearsCodedJob", "FormalEducation", "HomeRemote"),
            *_texts(*(f"HaveWorked{kind}" for kind in ("Language", "Framework", "Database", "Platform"))),
            *_texts(*(f"WantWork{kind}" for kind in ("Language", "Framework", "Database", "Platform"))),
        ),
    ),
    answered=datetime(2017, 2, 7, tzinfo=UTC),
    published=datetime(2017, 3, 22, tzinfo=UTC),
    answers=answers_2017,
)
