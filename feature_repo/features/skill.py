"""A skill: what has to be learnt before it, and what builds on it."""

from ibis.expr import types as ir

from feature_repo.column import View
from feature_repo.entities import skill
from feature_repo.features.collected import collected
from feature_repo.features.events import Streams

SOURCE = "neo4j.prerequisites"


def _before(streams: Streams) -> ir.Table:
    return collected(streams["prerequisites"], "skill_id", "prerequisite_id", skills="prerequisite_id")


before = View("skill_before", (skill,), _before)


@before.column(list[str], source=SOURCE)
def skills(rows: ir.Table) -> ir.Value:
    """What has to be learnt before the skill, in alphabetical order."""
    return rows.skills


def _after(streams: Streams) -> ir.Table:
    rows = streams["prerequisites"].rename(built_on="prerequisite_id", builder="skill_id")
    rows = rows.rename(skill_id="built_on")
    return collected(rows, "skill_id", "builder", skills="builder")


after = View("skill_after", (skill,), _after)


@after.column(list[str], source=SOURCE)
def following(rows: ir.Table) -> ir.Value:
    """What builds on the skill, in alphabetical order."""
    return rows.skills
