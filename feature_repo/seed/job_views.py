"""People of the United States who looked at jobs, November 2014 to April 2015, with their experience and wishes.

Licence: terms not verified. Measure with it; publish nothing that comes from it.
- people and talents: whoever looked at a job, stated experience or named a position of interest. The headline holds
  the positions held, the latest first, and those of interest
- profiles: years of work from the first start of a job to the day of the statement, where a start is known and 0 to
  60 years back (starts run from the year 113 to 2068); rank by these years. No department is known
- jobs and postings: known from the start of the day on which somebody first looked, as the file does not say when a
  job was published or closed; the text is its title, company, place and industry
- job_views: one row for a person, job and second
Pay is left out: the file mixes hourly, monthly and yearly amounts.
"""

import polars as pl

from feature_repo.seed.dataset import Dataset, Files, Part, Rows
from feature_repo.seed.dataset_file import DataFile, FileColumn
from feature_repo.seed.experience import NOT_STATED, rank
from feature_repo.sources.streams import job_views, jobs, people, postings, profiles, talents
from feature_repo.sources.streams.fields import MOST_YEARS

PERSON, JOB, STATED = "Applicant.ID", "Job.ID", "Created.At"
TIME, DAY = "%Y-%m-%d %H:%M:%S UTC", "%Y-%m-%d"
DAYS_PER_YEAR = 365.25
WORDS = 500  # characters of a headline; the longest list of positions has 608

VIEWS = DataFile(
    "job_views.parquet",
    (
        FileColumn(PERSON, "whole", required=True),
        FileColumn(JOB, "whole", required=True),
        FileColumn("Title", required=True),
        FileColumn("Company"),
        FileColumn("City"),
        FileColumn("State.Name"),
        FileColumn("Industry"),
        FileColumn("View.Start", "time", required=True, template=TIME),
    ),
)
EXPERIENCE = DataFile(
    "experience.parquet",
    (
        FileColumn(PERSON, "whole", required=True),
        FileColumn("Position.Name"),
        FileColumn("Start.Date", "time", template=DAY),
        FileColumn(STATED, "time", required=True, template=TIME),
    ),
)
WISHES = DataFile(
    "positions_of_interest.parquet",
    (
        FileColumn(PERSON, "whole", required=True),
        FileColumn("Position.Of.Interest"),
        FileColumn(STATED, "time", required=True, template=TIME),
    ),
)


def rows(files: Files) -> Rows:
    """People and jobs, then the views in batches."""
    experience, wishes = files.frame(EXPERIENCE), files.frame(WISHES)
    views = files.frame(VIEWS, [PERSON, "View.Start"]).rename({"View.Start": STATED})
    seen = pl.concat([each.select(PERSON, STATED) for each in (views, experience, wishes)])
    first = seen.group_by(PERSON).agg(pl.col(STATED).min()).sort(PERSON)
    yield people, first.select(person_id=_person_id(), status=pl.lit("ACTIVE"), created_at=STATED, recorded_at=STATED)
    yield talents, _talents(first, experience, wishes)
    yield profiles, _profiles(experience)
    offered = files.frame(VIEWS).sort("View.Start").unique(JOB, keep="first", maintain_order=True).sort(JOB)
    yield jobs, _jobs(offered)
    yield postings, offered.select(job_id=_job_id(), text=_text(), recorded_at=_day())
    for batch in files.batches(VIEWS):
        yield (
            job_views,
            batch.select(
                person_id=_person_id(), job_id=_job_id(), viewed_at="View.Start", recorded_at="View.Start"
            ).unique(maintain_order=True),
        )


def _person_id() -> pl.Expr:
    return pl.concat_str(pl.lit("jv-"), PERSON)


def _job_id() -> pl.Expr:
    return pl.concat_str(pl.lit("jv-"), JOB)


def _day() -> pl.Expr:
    return pl.col("View.Start").dt.truncate("1d")


def _text() -> pl.Expr:
    return pl.concat_str("Title", "Company", "City", "State.Name", "Industry", separator=". ", ignore_nulls=True)


def _talents(first: pl.DataFrame, experience: pl.DataFrame, wishes: pl.DataFrame) -> pl.DataFrame:
    """Everybody; what they said of themselves is known when the last of it was."""
    held = experience.sort(PERSON, "Start.Date", descending=[False, True], nulls_last=True)
    said = [
        _listed(held, "Position.Name", "held", "{}"),
        _listed(wishes.sort(PERSON, STATED), "Position.Of.Interest", "wanted", "Looks for {}"),
    ]
    for found in said:
        first = first.join(found, on=PERSON, how="left")
    headline = pl.concat_str("held", "wanted", separator=". ", ignore_nulls=True).str.slice(0, WORDS)
    return first.sort(PERSON).select(
        person_id=_person_id(),
        headline=pl.when(headline != "").then(headline),
        recorded_at=pl.max_horizontal(STATED, "held_at", "wanted_at"),
    )


def _listed(frame: pl.DataFrame, column: str, name: str, sentence: str) -> pl.DataFrame:
    words = pl.col(column).unique(maintain_order=True).str.join(", ")
    named = frame.drop_nulls(column).group_by(PERSON, maintain_order=True)
    found = named.agg(words.alias(name), pl.col(STATED).max().alias(f"{name}_at"))
    return found.with_columns(pl.format(sentence, name).alias(name))


def _profiles(experience: pl.DataFrame) -> pl.DataFrame:
    years = (pl.col(STATED).max() - pl.col("Start.Date").min()).dt.total_days() / DAYS_PER_YEAR
    back = (pl.col(STATED) - pl.col("Start.Date")).dt.total_days() / DAYS_PER_YEAR
    known = experience.filter(back.is_between(0, MOST_YEARS)).group_by(PERSON)
    return (
        known.agg(years.clip(0, MOST_YEARS).alias("years"), pl.col(STATED).max())
        .sort(PERSON)
        .select(
            person_id=_person_id(),
            department_id=pl.lit(NOT_STATED),
            seniority_level=rank("years"),
            experience_years="years",
            valid_from=STATED,
            recorded_at=STATED,
        )
    )


def _jobs(offered: pl.DataFrame) -> pl.DataFrame:
    return offered.select(
        job_id=_job_id(),
        title="Title",
        employer="Company",
        status=pl.lit("OPEN"),
        posted_at=_day(),
        closed_at=pl.lit(None, pl.Datetime("us", "UTC")),
        recorded_at=_day(),
    )


JOB_VIEWS = Dataset(
    name="job-views",
    folder="job_views",
    licence="terms not verified: measure with it, publish nothing from it",
    parts=(Part((VIEWS, EXPERIENCE, WISHES), rows),),
)
