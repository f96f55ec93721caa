"""A job as posted: where it is, what it pays and what it asks for."""

import ibis
from ibis.expr import types as ir

from feature_repo.column import View
from feature_repo.entities import job
from feature_repo.features.collected import collected
from feature_repo.features.events import Streams
from feature_repo.features.talent import schooling
from feature_repo.sources.streams import SENIORITIES

JOBS, POSTINGS, SKILLS = "mysql.jobs", "mongodb.postings", "neo4j.job_skills"


def _jobs(streams: Streams) -> ir.Table:
    rows = streams["jobs"]
    return rows.mutate(event_timestamp=rows.recorded_at, created_timestamp=rows.recorded_at)


view = View("job", (job,), _jobs)


@view.column(str, source=JOBS)
def title(rows: ir.Table) -> ir.Value:
    """The job in a line."""
    return rows.title


@view.column(str, nulls=1.0, source=JOBS)
def department_id(rows: ir.Table) -> ir.Value:
    """The kind of department that it is in."""
    return rows.department_id


@view.column(float, minimum=1, maximum=7, nulls=1.0, source=JOBS)
def seniority(rows: ir.Table) -> ir.Value:
    """Rank asked for, INTERN 1 to DIRECTOR 7."""
    ranks = [(level, float(rank)) for rank, level in enumerate(SENIORITIES, start=1)]
    return rows.seniority_level.cases(*ranks, else_=ibis.null("float64"))


@view.column(float, unit="years", minimum=0, maximum=60, nulls=1.0, source=JOBS)
def minimum_years(rows: ir.Table) -> ir.Value:
    """Years of work asked for, at least."""
    return rows.minimum_years


@view.column(float, unit="years", minimum=0, maximum=60, nulls=1.0, source=JOBS)
def maximum_years(rows: ir.Table) -> ir.Value:
    """Years of work beyond which one is overqualified."""
    return rows.maximum_years


@view.column(float, unit="degrees", minimum=-90, maximum=90, nulls=1.0, source=JOBS)
def latitude(rows: ir.Table) -> ir.Value:
    """Where the job is, north of the equator."""
    return rows.latitude


@view.column(float, unit="degrees", minimum=-180, maximum=180, nulls=1.0, source=JOBS)
def longitude(rows: ir.Table) -> ir.Value:
    """Where the job is, east of Greenwich."""
    return rows.longitude


@view.column(float, unit="h", minimum=-12, maximum=14, nulls=1.0, source=JOBS)
def utc_offset_hours(rows: ir.Table) -> ir.Value:
    """The job's time less UTC."""
    return rows.utc_offset_hours


@view.column(float, minimum=0, maximum=1, nulls=1.0, source=JOBS)
def is_remote(rows: ir.Table) -> ir.Value:
    """1 where it can be done from anywhere."""
    return rows.is_remote.cast("float64")


@view.column(float, unit="a year", minimum=0, nulls=1.0, source=JOBS)
def salary_low(rows: ir.Table) -> ir.Value:
    """The least that it pays."""
    return rows.salary_low


@view.column(float, unit="a year", minimum=0, nulls=1.0, source=JOBS)
def salary_high(rows: ir.Table) -> ir.Value:
    """The most that it pays."""
    return rows.salary_high


@view.column(float, minimum=0, maximum=4, nulls=1.0, source=JOBS)
def education(rows: ir.Table) -> ir.Value:
    """The degree asked for, NONE 0 to DOCTORATE 4."""
    return schooling(rows.education)


@view.column(str, nulls=1.0, source=JOBS)
def employer(rows: ir.Table) -> ir.Value:
    """Who offers it."""
    return rows.employer


def _postings(streams: Streams) -> ir.Table:
    rows = streams["posting_vectors"]
    return rows.mutate(event_timestamp=rows.recorded_at, created_timestamp=rows.recorded_at)


posting = View("posting", (job,), _postings)


@posting.column(list[float], source=POSTINGS)
def vector(rows: ir.Table) -> ir.Value:
    """The posting's words as a vector of unit length (all-MiniLM-L6-v2)."""
    return rows.vector


def _skill_sets(streams: Streams) -> ir.Table:
    rows = streams["job_skills"].mutate(weight=streams["job_skills"].mandatory.cast("float64"))
    lists = {"skills": "skill_id", "levels": "level", "mandatory": "weight"}
    return collected(rows, "job_id", "skill_id", **lists)


skill_set = View("job_skill_set", (job,), _skill_sets)


@skill_set.column(list[str], source=SKILLS)
def skills(rows: ir.Table) -> ir.Value:
    """The skills that the job asks for, in alphabetical order."""
    return rows.skills


@skill_set.column(list[float], source=SKILLS)
def levels(rows: ir.Table) -> ir.Value:
    """The proficiency asked for in each of `skills`, 1 to 5."""
    return rows.levels


@skill_set.column(list[float], source=SKILLS)
def mandatory(rows: ir.Table) -> ir.Value:
    """1 for each of `skills` that the job cannot do without."""
    return rows.mandatory
