"""What a person may want to become fit for, a job or an occupation: the skills that it asks for."""

import ibis
from ibis.expr import types as ir

from feature_repo.column import View
from feature_repo.entities import target
from feature_repo.features.collected import collected
from feature_repo.features.events import Streams

SOURCE = "neo4j.job_skills, neo4j.occupation_skills"


def _rows(streams: Streams) -> ir.Table:
    jobs, occupations = streams["job_skills"], streams["occupation_skills"]
    asked = jobs.select("skill_id", "level", "recorded_at", target_id="job_id", weight=jobs.mandatory.cast("float64"))
    needed = occupations.select("skill_id", "level", "recorded_at", target_id="occupation_id", weight="importance")
    both = ibis.union(asked, needed.select(asked.columns), distinct=False)
    return collected(both, "target_id", "skill_id", skills="skill_id", levels="level", weights="weight")


view = View("target", (target,), _rows)


@view.column(list[str], source=SOURCE)
def skills(rows: ir.Table) -> ir.Value:
    """The skills that the job or occupation asks for, in alphabetical order."""
    return rows.skills


@view.column(list[float], source=SOURCE)
def levels(rows: ir.Table) -> ir.Value:
    """The proficiency asked for in each of `skills`, 1 to 5."""
    return rows.levels


@view.column(list[float], source=SOURCE)
def weights(rows: ir.Table) -> ir.Value:
    """How much each of `skills` matters, 0 to 1: of a job 1 where it cannot do without."""
    return rows.weights
