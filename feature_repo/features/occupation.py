"""An occupation: what it asks for, what it offers, and in which words."""

from ibis.expr import types as ir

from feature_repo.column import View
from feature_repo.entities import occupation, person
from feature_repo.features.collected import collected
from feature_repo.features.events import Streams

CATALOGUE = "mysql.occupations"
TRAITS = "mysql.occupation_traits"
OWN_TRAITS = "mysql.person_traits"
WANTED = "neo4j.wanted_skills"


def _rows(streams: Streams) -> ir.Table:
    rows = streams["occupations"]
    texts = streams["occupation_vectors"].rename(text_of="occupation_id", text_at="recorded_at")
    rows = rows.left_join(texts, [rows.occupation_id == texts.text_of, rows.recorded_at == texts.text_at])
    return rows.mutate(event_timestamp=rows.recorded_at, created_timestamp=rows.recorded_at)


view = View("occupation", (occupation,), _rows)


@view.column(str, source=CATALOGUE)
def title(rows: ir.Table) -> ir.Value:
    """What the occupation is called."""
    return rows.title


@view.column(str, source=CATALOGUE)
def cluster(rows: ir.Table) -> ir.Value:
    """The group of occupations that it belongs to."""
    return rows.cluster


@view.column(float, minimum=1, maximum=5, nulls=1.0, source=CATALOGUE)
def job_zone(rows: ir.Table) -> ir.Value:
    """Preparation needed, 1 little to 5 extensive."""
    return rows.job_zone


@view.column(float, unit="a year", minimum=0, nulls=1.0, source=CATALOGUE)
def wage(rows: ir.Table) -> ir.Value:
    """Middle pay."""
    return rows.wage


@view.column(list[float], nulls=1.0, source=CATALOGUE)
def vector(rows: ir.Table) -> ir.Value:
    """What one does in it, as a vector of unit length (all-MiniLM-L6-v2)."""
    return rows.vector


def _skills(streams: Streams) -> ir.Table:
    lists = {"skills": "skill_id", "levels": "level", "weights": "importance"}
    return collected(streams["occupation_skills"], "occupation_id", "skill_id", **lists)


skill_set = View("occupation_skill_set", (occupation,), _skills)


@skill_set.column(list[str], source="neo4j.occupation_skills")
def skills(rows: ir.Table) -> ir.Value:
    """The skills that the occupation needs, in alphabetical order."""
    return rows.skills


@skill_set.column(list[float], source="neo4j.occupation_skills")
def levels(rows: ir.Table) -> ir.Value:
    """The proficiency needed in each of `skills`, 1 to 5."""
    return rows.levels


@skill_set.column(list[float], source="neo4j.occupation_skills")
def weights(rows: ir.Table) -> ir.Value:
    """How important each of `skills` is, 0 to 1."""
    return rows.weights


def _offered(streams: Streams) -> ir.Table:
    return collected(
        streams["occupation_traits"], "occupation_id", "trait_id", offered="trait_id", offered_values="value"
    )


trait_set = View("occupation_trait_set", (occupation,), _offered)


@trait_set.column(list[str], source=TRAITS)
def offered(rows: ir.Table) -> ir.Value:
    """Interests and values that the occupation is rated for, in alphabetical order."""
    return rows.offered


@trait_set.column(list[float], source=TRAITS)
def offered_values(rows: ir.Table) -> ir.Value:
    """How much it offers of each of `offered`, 0 to 1."""
    return rows.offered_values


def _cared(streams: Streams) -> ir.Table:
    return collected(streams["person_traits"], "person_id", "trait_id", cared="trait_id", cared_values="value")


person_trait_set = View("person_trait_set", (person,), _cared)


@person_trait_set.column(list[str], source=OWN_TRAITS)
def cared(rows: ir.Table) -> ir.Value:
    """Interests and values that the person was asked about, in alphabetical order."""
    return rows.cared


@person_trait_set.column(list[float], source=OWN_TRAITS)
def cared_values(rows: ir.Table) -> ir.Value:
    """How much the person cares for each of `cared`, 0 to 1."""
    return rows.cared_values


def _wanted(streams: Streams) -> ir.Table:
    return collected(streams["wanted_skills"], "person_id", "skill_id", wanted="skill_id")


wanted_set = View("wanted_set", (person,), _wanted)


@wanted_set.column(list[str], source=WANTED)
def wanted(rows: ir.Table) -> ir.Value:
    """The skills that the person would like to work with, in alphabetical order."""
    return rows.wanted
