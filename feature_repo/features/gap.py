"""A person, a job or occupation, and one skill: how far what the person declares is from what is asked for.

Pure array functions, the same for training rows and for a request.
"""

import numpy as np
import polars as pl
from numpy.typing import NDArray

from feature_repo.column import View
from feature_repo.entities import person, skill, target
from feature_repo.features.ragged import Lists, lengths, lookup, mean_by_row, mean_ratio, means, one_each, share_held

Floats = NDArray[np.float64]
DECLARED = "neo4j.talent_skills"
ASKED = "neo4j.job_skills, neo4j.occupation_skills"
BUILT = "neo4j.prerequisites, neo4j.talent_skills"

view = View("gap", (person, target, skill))


def _of_skill(skill_id: pl.Series, names: Lists, amounts: Lists, missing: float) -> Floats:
    """The amount of each row's own skill among the names of the row."""
    return lookup(one_each(skill_id), names, amounts, missing)


@view.column(float, minimum=0, maximum=5, source=DECLARED)
def declared_level(skill_id: pl.Series, talent_skill_set__skills: Lists, talent_skill_set__levels: Lists) -> Floats:
    """Proficiency that the person declares in the skill; 0 where it is not declared."""
    return _of_skill(skill_id, talent_skill_set__skills, talent_skill_set__levels, 0.0)


@view.column(float, minimum=0, maximum=5, nulls=1.0, source=ASKED)
def asked_level(skill_id: pl.Series, target__skills: Lists, target__levels: Lists) -> Floats:
    """Proficiency that is asked for in the skill; missing where it is not asked for."""
    return _of_skill(skill_id, target__skills, target__levels, np.nan)


@view.column(float, minimum=0, maximum=1, nulls=1.0, source=ASKED)
def importance(skill_id: pl.Series, target__skills: Lists, target__weights: Lists) -> Floats:
    """How much the skill matters there, 0 to 1; missing where it is not asked for."""
    return _of_skill(skill_id, target__skills, target__weights, np.nan)


@view.column(float, unit="levels", minimum=-5, maximum=5, nulls=1.0, source=f"{ASKED}, {DECLARED}")
def shortfall(gap__asked_level: Floats, gap__declared_level: Floats) -> Floats:
    """The level asked for less the one declared: above 0 is a gap as declared."""
    return gap__asked_level - gap__declared_level


@view.column(float, unit="years", minimum=0, maximum=60, nulls=1.0, source=DECLARED)
def skill_years(skill_id: pl.Series, talent_skill_set__skills: Lists, talent_skill_set__years: Lists) -> Floats:
    """Years of use that the person declares of the skill, 0 where none are."""
    return _of_skill(skill_id, talent_skill_set__skills, talent_skill_set__years, 0.0)


@view.column(float, minimum=0, maximum=1, nulls=1.0, source=BUILT)
def groundwork(skill_before__skills: Lists, talent_skill_set__skills: Lists, talent_skill_set__levels: Lists) -> Floats:
    """Share of what has to be learnt before the skill that the person declares; missing where there is nothing."""
    return share_held(skill_before__skills, talent_skill_set__skills, talent_skill_set__levels)


@view.column(float, unit="levels", minimum=0, maximum=5, nulls=1.0, source=BUILT)
def advanced_level(
    skill_after__following: Lists, talent_skill_set__skills: Lists, talent_skill_set__levels: Lists
) -> Floats:
    """Mean level in what builds on the skill, 0 where not declared; missing where nothing does."""
    held = lookup(skill_after__following, talent_skill_set__skills, talent_skill_set__levels, missing=0.0)
    return mean_by_row(skill_after__following, held)


@view.column(float, minimum=0, maximum=1, nulls=1.0, source=f"{ASKED}, {DECLARED}")
def target_coverage(
    target__skills: Lists, target__levels: Lists, talent_skill_set__skills: Lists,
    talent_skill_set__levels: Lists,
) -> Floats:  # fmt: skip
    """Mean over all that is asked for of min(1, level declared / level asked for)."""
    return mean_ratio(target__skills, target__levels, talent_skill_set__skills, talent_skill_set__levels)


@view.column(float, unit="skills", minimum=0, source=DECLARED)
def declared_skills(talent_skill_set__skills: Lists) -> Floats:
    """How many skills the person declares."""
    return lengths(talent_skill_set__skills)


@view.column(float, unit="levels", minimum=0, maximum=5, nulls=1.0, source=DECLARED)
def mean_level(talent_skill_set__levels: Lists) -> Floats:
    """Mean proficiency over the skills that the person declares."""
    return means(talent_skill_set__levels)
