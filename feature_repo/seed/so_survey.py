"""Stack Overflow's surveys of developers, 2016 and a sample of 2017.

Licence: ODbL 1.0, Stack Exchange Inc.
- people, profiles, talents: whoever answered. Rank by years of work (see experience), the department is the industry.
  Pay is what they earn, from USD; education 2016 is in computer science only; wants_remote: whether they work remotely
  at least part of the time. Places are left out (countries only), and so is a headline: it would name the occupation
- talent_skills, wanted_skills: technologies used and wanted, `so/python`. Nobody was asked for a level of each: it is
  how one judges one's own programming (2016), else the middle of the scale
- occupations: each survey's own, source so2016 or so2017, as the lists differ; students have none
- occupation_skills: the technologies that 5% and more of an occupation's people use: importance is their share,
  essential what half of them use, level their mean level
- career_matches: REPORTED, a match: one's own occupation
Answers are known when all were in; the matches when the survey was published, so that an occupation's profile is known
by then. It holds the person's own answer, one among the 120 and more of the occupation.
"""

from collections.abc import Iterator
from datetime import datetime
from functools import partial

import polars as pl

from feature_repo.seed.dataset import Dataset, Files, Part, Rows
from feature_repo.seed.experience import rank
from feature_repo.seed.so_answers import SURVEY_2016, SURVEY_2017, Survey
from feature_repo.sources.stream import Stream
from feature_repo.sources.streams import (
    career_matches,
    occupation_skills,
    occupations,
    people,
    profiles,
    skills,
    talent_skills,
    talents,
    wanted_skills,
)

LEAST_SHARE, ESSENTIAL_SHARE = 0.05, 0.5


def rows(survey: Survey, files: Files) -> Rows:
    """The people in batches, then the occupations and technologies that they name."""
    reported, used, named = [], [], []
    for batch in files.batches(survey.file):
        answers = survey.answers(batch).with_columns(
            pl.col("uses", "wants").list.unique(maintain_order=True), recorded_at=_at(survey.answered)
        )
        own = _each(answers, "occupations", "occupation")
        uses, wants = _each(answers, "uses", "skill"), _each(answers, "wants", "skill")
        yield from _people(answers)
        yield talent_skills, uses.select(_PERSON, _skill_id(), "level", recorded_at="recorded_at")
        yield wanted_skills, wants.select(_PERSON, _skill_id(), recorded_at="recorded_at")
        yield career_matches, _matches(survey, own)
        reported.append(own.select("person", "occupation"))
        used.append(uses.select("person", "skill", "level"))
        named.append(pl.concat([uses.select("skill"), wants.select("skill")]).unique(maintain_order=True))
    yield skills, _technologies(pl.concat(named))
    yield occupations, _occupations(survey, pl.concat(reported))
    yield occupation_skills, _needs(survey, pl.concat(reported), pl.concat(used))


_PERSON = pl.col("person").alias("person_id")


def _at(moment: datetime) -> pl.Expr:
    return pl.lit(moment).cast(pl.Datetime("us", "UTC"))


def _skill_id() -> pl.Expr:
    """Technologies are one where they differ by case alone, as Matlab and MATLAB; languages as in the trends."""
    return pl.concat_str(pl.lit("so/"), pl.col("skill").str.to_lowercase()).alias("skill_id")


def _occupation_id(survey: Survey) -> pl.Expr:
    words = pl.col("occupation").str.to_lowercase().str.replace_all("[^a-z0-9]+", "-").str.strip_chars("-")
    return pl.concat_str(pl.lit(f"{survey.name}/"), words).alias("occupation_id")


def _each(answers: pl.DataFrame, column: str, name: str) -> pl.DataFrame:
    """A row for each of a person's names."""
    listed = answers.select("person", "level", "recorded_at", pl.col(column).alias(name))
    return listed.explode(name).drop_nulls(name)


def _people(answers: pl.DataFrame) -> Iterator[tuple[Stream, pl.DataFrame]]:
    yield people, answers.select(_PERSON, status=pl.lit("ACTIVE"), created_at="recorded_at", recorded_at="recorded_at")
    yield (
        profiles,
        answers.drop_nulls("years").select(
            _PERSON,
            department_id="department",
            seniority_level=rank("years"),
            experience_years="years",
            valid_from="recorded_at",
            recorded_at="recorded_at",
        ),
    )
    yield (
        talents,
        answers.select(
            _PERSON, "salary_low", "salary_high", "education", wants_remote="remote", recorded_at="recorded_at"
        ),
    )


def _matches(survey: Survey, own: pl.DataFrame) -> pl.DataFrame:
    return own.select(
        _PERSON,
        _occupation_id(survey),
        match_type=pl.lit("REPORTED"),
        similarity=pl.lit(1.0),
        is_match=pl.lit(True),
        judged_at=_at(survey.published),
        recorded_at=_at(survey.published),
    )


def _technologies(named: pl.DataFrame) -> pl.DataFrame:
    """The catalogue's rows, the same whichever survey is read: known from the first survey on."""
    rows = named.select(_skill_id(), name="skill").sort("skill_id", "name").unique("skill_id", keep="first")
    return rows.sort("skill_id").with_columns(
        skill_type=pl.lit("TECHNICAL"), parent_id=pl.lit(None, pl.String), recorded_at=_at(SURVEY_2016.answered)
    )


def _occupations(survey: Survey, reported: pl.DataFrame) -> pl.DataFrame:
    unknown = pl.lit(None, pl.Float64)
    return (
        reported.select("occupation")
        .unique()
        .sort("occupation")
        .select(
            _occupation_id(survey),
            title="occupation",
            text=pl.lit(None, pl.String),
            cluster=pl.lit("Software"),
            job_zone=unknown,
            wage=unknown,
            source=pl.lit(survey.name),
            recorded_at=_at(survey.answered),
        )
    )


def _needs(survey: Survey, reported: pl.DataFrame, used: pl.DataFrame) -> pl.DataFrame:
    sizes = reported.group_by("occupation").agg(people=pl.col("person").n_unique())
    pairs = reported.join(used, on="person").group_by(_occupation_id(survey), "occupation", _skill_id())
    found = pairs.agg(users=pl.col("person").n_unique(), level=pl.col("level").mean().round(6))
    shares = found.join(sizes, on="occupation").with_columns(importance=pl.col("users") / pl.col("people"))
    return (
        shares.filter(pl.col("importance") >= LEAST_SHARE)
        .sort("occupation_id", "skill_id")
        .select(
            "occupation_id",
            "skill_id",
            "level",
            "importance",
            essential=pl.col("importance") >= ESSENTIAL_SHARE,
            recorded_at=_at(survey.answered),
        )
    )


SO_SURVEY = Dataset(
    name="so-survey",
    folder="so_survey",
    licence="ODbL 1.0, Stack Exchange Inc.",
    parts=tuple(Part((survey.file,), partial(rows, survey)) for survey in (SURVEY_2016, SURVEY_2017)),
)
