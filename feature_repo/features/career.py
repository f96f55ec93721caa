"""A person beside an occupation: skills, interests, values, preparation, and what the texts say.

Pure array functions, the same for training rows and for a request. Source of the list: REQUIREMENTS 3.6.
"""

import numpy as np
from numpy.typing import NDArray

from feature_repo.column import View
from feature_repo.entities import occupation, person
from feature_repo.features.ragged import (
    Lists,
    are_among,
    centred_cosine,
    is_held,
    lengths,
    listed,
    lookup,
    mean_by_row,
    ratios,
    row_of_each,
    sum_by_row,
    weighted_mean_by_row,
)
from feature_repo.features.ragged import cosine as cosine_of

Floats = NDArray[np.float64]
SKILLS = "neo4j.talent_skills, neo4j.occupation_skills"
TRAITS = "mysql.person_traits, mysql.occupation_traits"
INTERESTS = frozenset({"realistic", "investigative", "artistic", "social", "enterprising", "conventional"})
"""Source: Holland 1997, the six types (RIASEC). All other traits are values."""

view = View("career", (person, occupation))


@view.column(float, minimum=0, maximum=1, nulls=1.0, source=SKILLS)
def skill_coverage(
    occupation_skill_set__skills: Lists, occupation_skill_set__weights: Lists,
    talent_skill_set__skills: Lists, talent_skill_set__levels: Lists,
) -> Floats:  # fmt: skip
    """Share of the needed skills that the person declares, by importance; missing where none are needed."""
    held = lookup(occupation_skill_set__skills, talent_skill_set__skills, talent_skill_set__levels, missing=0.0)
    weights = listed(occupation_skill_set__weights)
    return weighted_mean_by_row(occupation_skill_set__skills, (held > 0).astype(np.float64), weights)


@view.column(float, minimum=0, maximum=1, nulls=1.0, source=SKILLS)
def level_coverage(
    occupation_skill_set__skills: Lists, occupation_skill_set__levels: Lists,
    occupation_skill_set__weights: Lists, talent_skill_set__skills: Lists, talent_skill_set__levels: Lists,
) -> Floats:  # fmt: skip
    """Mean over the needed skills of min(1, level declared / level needed), by importance."""
    shares = ratios(
        occupation_skill_set__skills, occupation_skill_set__levels, talent_skill_set__skills, talent_skill_set__levels
    )
    return weighted_mean_by_row(occupation_skill_set__skills, shares, listed(occupation_skill_set__weights))


@view.column(float, unit="skills", minimum=0, source=SKILLS)
def missing_skills(occupation_skill_set__skills: Lists, talent_skill_set__skills: Lists) -> Floats:
    """How many of the needed skills the person does not declare."""
    held = is_held(occupation_skill_set__skills, talent_skill_set__skills)
    return lengths(occupation_skill_set__skills) - sum_by_row(occupation_skill_set__skills, held)


@view.column(float, minimum=0, maximum=1, nulls=1.0, source="neo4j.wanted_skills, neo4j.occupation_skills")
def wanted_share(occupation_skill_set__skills: Lists, wanted_set__wanted: Lists) -> Floats:
    """Share of the needed skills that the person would like to work with."""
    wanted = is_held(occupation_skill_set__skills, wanted_set__wanted)
    return mean_by_row(occupation_skill_set__skills, wanted)


@view.column(float, minimum=-1, maximum=1, nulls=1.0, source=TRAITS)
def interest_similarity(
    occupation_trait_set__offered: Lists, occupation_trait_set__offered_values: Lists,
    person_trait_set__cared: Lists, person_trait_set__cared_values: Lists,
) -> Floats:  # fmt: skip
    """Correlation between the interests that the occupation serves and the person's; missing where unknown."""
    return _similarity(
        occupation_trait_set__offered,
        occupation_trait_set__offered_values,
        person_trait_set__cared,
        person_trait_set__cared_values,
        interests=True,
    )


@view.column(float, minimum=-1, maximum=1, nulls=1.0, source=TRAITS)
def value_similarity(
    occupation_trait_set__offered: Lists, occupation_trait_set__offered_values: Lists,
    person_trait_set__cared: Lists, person_trait_set__cared_values: Lists,
) -> Floats:  # fmt: skip
    """Correlation between the work values that the occupation serves and the person's; missing where unknown."""
    return _similarity(
        occupation_trait_set__offered,
        occupation_trait_set__offered_values,
        person_trait_set__cared,
        person_trait_set__cared_values,
        interests=False,
    )


def _similarity(offered: Lists, offered_values: Lists, cared: Lists, cared_values: Lists, interests: bool) -> Floats:
    """Over the traits of one kind that both sides have a value for."""
    own = lookup(offered, cared, cared_values, missing=np.nan)
    kept = (are_among(offered, INTERESTS) == interests) & ~np.isnan(own)
    rows = row_of_each(offered)[kept]
    return centred_cosine(rows, listed(offered_values)[kept], own[kept], len(offered))


@view.column(float, unit="zones", minimum=-5, maximum=5, nulls=1.0, source="mysql.talents, mysql.occupations")
def preparation_gap(talent__education: Floats, occupation__job_zone: Floats) -> Floats:
    """The person's degree (0 to 4, plus one) less the preparation that the occupation needs (1 to 5)."""
    return talent__education + 1 - occupation__job_zone


@view.column(float, minimum=-1, maximum=1, nulls=1.0, source="mysql.talents, mysql.occupations")
def text_similarity(talent__vector: Lists, occupation__vector: Lists) -> Floats:
    """Cosine between the person's headline and what one does in the occupation (all-MiniLM-L6-v2)."""
    return cosine_of(talent__vector, occupation__vector)
