"""A person on the job market: where they are, what they can do and what they ask for."""

import ibis
from ibis.expr import types as ir

from feature_repo.column import View
from feature_repo.entities import person
from feature_repo.features.collected import collected
from feature_repo.features.events import Streams
from feature_repo.sources.streams import EDUCATIONS

TALENTS = "mysql.talents"
SKILLS = "neo4j.talent_skills"


def _talents(streams: Streams) -> ir.Table:
    rows = streams["talents"]
    texts = streams["talent_vectors"].rename(text_person="person_id", text_at="recorded_at")
    rows = rows.left_join(texts, [rows.person_id == texts.text_person, rows.recorded_at == texts.text_at])
    return rows.mutate(event_timestamp=rows.recorded_at, created_timestamp=rows.recorded_at)


view = View("talent", (person,), _talents)


def schooling(level: ir.Value) -> ir.Value:
    """Education as a number, NONE 0 to DOCTORATE 4."""
    return level.cases(*[(name, float(rank)) for rank, name in enumerate(EDUCATIONS)], else_=ibis.null("float64"))


@view.column(float, unit="degrees", minimum=-90, maximum=90, nulls=1.0, source=TALENTS)
def latitude(rows: ir.Table) -> ir.Value:
    """Where the person lives, north of the equator."""
    return rows.latitude


@view.column(float, unit="degrees", minimum=-180, maximum=180, nulls=1.0, source=TALENTS)
def longitude(rows: ir.Table) -> ir.Value:
    """Where the person lives, east of Greenwich."""
    return rows.longitude


@view.column(float, unit="h", minimum=-12, maximum=14, nulls=1.0, source=TALENTS)
def utc_offset_hours(rows: ir.Table) -> ir.Value:
    """The person's time less UTC."""
    return rows.utc_offset_hours


@view.column(float, unit="a year", minimum=0, nulls=1.0, source=TALENTS)
def salary_low(rows: ir.Table) -> ir.Value:
    """The least pay that the person asks for."""
    return rows.salary_low


@view.column(float, unit="a year", minimum=0, nulls=1.0, source=TALENTS)
def salary_high(rows: ir.Table) -> ir.Value:
    """The pay that the person hopes for."""
    return rows.salary_high


@view.column(float, minimum=0, maximum=4, nulls=1.0, source=TALENTS)
def education(rows: ir.Table) -> ir.Value:
    """Highest degree, NONE 0 to DOCTORATE 4."""
    return schooling(rows.education)


@view.column(float, minimum=0, maximum=1, nulls=1.0, source=TALENTS)
def wants_remote(rows: ir.Table) -> ir.Value:
    """1 where the person wants to work from home."""
    return rows.wants_remote.cast("float64")


@view.column(list[float], nulls=1.0, source=TALENTS)
def vector(rows: ir.Table) -> ir.Value:
    """The person's headline as a vector of unit length (all-MiniLM-L6-v2)."""
    return rows.vector


def _skill_sets(streams: Streams) -> ir.Table:
    lists = {"skills": "skill_id", "levels": "level", "years": "years"}
    rows = streams["talent_skills"]
    return collected(rows.mutate(years=rows.years.fill_null(0.0)), "person_id", "skill_id", **lists)


skill_set = View("talent_skill_set", (person,), _skill_sets)


@skill_set.column(list[str], source=SKILLS)
def skills(rows: ir.Table) -> ir.Value:
    """The skills that the person declares, in alphabetical order."""
    return rows.skills


@skill_set.column(list[float], source=SKILLS)
def levels(rows: ir.Table) -> ir.Value:
    """The proficiency in each of `skills`, BEGINNER 1 to MASTER 5."""
    return rows.levels


@skill_set.column(list[float], source=SKILLS)
def years(rows: ir.Table) -> ir.Value:
    """The years of use of each of `skills`, 0 where not declared."""
    return rows.years
