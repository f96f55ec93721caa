"""A person's profile and skills, as recorded."""

import ibis
from ibis.expr import types as ir

from feature_repo.column import View
from feature_repo.entities import person
from feature_repo.features.events import Streams
from feature_repo.sources.streams import SENIORITIES


def _profiles(streams: Streams) -> ir.Table:
    rows = streams["profiles"]
    return rows.mutate(event_timestamp=rows.valid_from, created_timestamp=rows.recorded_at)


profile = View("profile", (person,), _profiles)


@profile.column(float, source="mysql.profiles", minimum=1, maximum=7)
def seniority(rows: ir.Table) -> ir.Value:
    """Rank, INTERN 1 to DIRECTOR 7."""
    ranks = [(level, float(rank)) for rank, level in enumerate(SENIORITIES, start=1)]
    return rows.seniority_level.cases(*ranks, else_=ibis.null("float64"))


@profile.column(float, unit="years", source="mysql.profiles", minimum=0, maximum=60, nulls=0.05)
def experience_years(rows: ir.Table) -> ir.Value:
    """Years of work."""
    return rows.experience_years


@profile.column(str, source="mysql.profiles")
def department_id(rows: ir.Table) -> ir.Value:
    """Where the person works."""
    return rows.department_id


def _skill_sets(streams: Streams) -> ir.Table:
    """At each instant at which a person's skills changed: all that were known then, the latest level of each."""
    rows = streams["user_skills"]
    changes = rows.select(changed="person_id", changed_at="recorded_at").distinct()
    known = changes.join(rows, [changes.changed == rows.person_id, rows.recorded_at <= changes.changed_at])
    latest = ibis.window(
        group_by=[known.changed, known.changed_at, known.skill_id],
        order_by=[ibis.desc(known.as_of), ibis.desc(known.recorded_at)],
    )
    known = known.mutate(age=ibis.row_number().over(latest)).filter(ibis._.age == 0).filter(ibis._.is_active)
    sets = known.group_by(person_id="changed", event_timestamp="changed_at").agg(
        skills=known.skill_id.collect(order_by=known.skill_id),
        levels=known.level.collect(order_by=known.skill_id),
    )
    return sets.mutate(created_timestamp=sets.event_timestamp)


skill_set = View("skill_set", (person,), _skill_sets)


@skill_set.column(list[str], source="mongodb.user_skills")
def skills(rows: ir.Table) -> ir.Value:
    """The skills in use, in alphabetical order."""
    return rows.skills


@skill_set.column(list[float], source="mongodb.user_skills")
def levels(rows: ir.Table) -> ir.Value:
    """The proficiency in each of `skills`, BEGINNER 1 to MASTER 5."""
    return rows.levels
