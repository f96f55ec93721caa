"""A person beside something to learn from: what they would gain, whether they are ready, and whether they want it.

Pure array functions, the same for training rows and for a request.
"""

import numpy as np
import polars as pl
from numpy.typing import NDArray

from feature_repo.column import View
from feature_repo.entities import content, person
from feature_repo.features.ragged import Lists, is_held, lookup, one_each, share_held
from feature_repo.features.ragged import cosine as cosine_of

Floats = NDArray[np.float64]
LEVELS = "neo4j.talent_skills, mongodb.contents"
USUAL_WORTH, TRIALS = 0.1, 10.0  # an item that was hardly shown is taken for a usual one

view = View("study", (person, content))


@view.column(float, minimum=0, maximum=5, source=LEVELS)
def level_before(
    content__skill_id: pl.Series, talent_skill_set__skills: Lists, talent_skill_set__levels: Lists
) -> Floats:
    """Proficiency that the person declares in the skill that is taught; 0 where it is not declared."""
    return lookup(one_each(content__skill_id), talent_skill_set__skills, talent_skill_set__levels, missing=0.0)


@view.column(float, unit="levels", minimum=-5, maximum=5, nulls=1.0, source=LEVELS)
def step_up(content__from_level: Floats, study__level_before: Floats) -> Floats:
    """The level that it starts from less the person's: above 0 it is too hard, below 0 known in part."""
    return content__from_level - np.maximum(study__level_before, 1.0)


@view.column(float, unit="levels", minimum=0, maximum=5, nulls=1.0, source=LEVELS)
def gain(content__to_level: Floats, study__level_before: Floats) -> Floats:
    """How many levels it would bring the person further."""
    found: Floats = np.maximum(content__to_level - np.maximum(study__level_before, 1.0), 0.0)
    return found


@view.column(float, unit="levels/h", minimum=0, nulls=1.0, source=LEVELS)
def gain_per_hour(study__gain: Floats, content__hours: Floats) -> Floats:
    """Levels gained for each hour."""
    found: Floats = study__gain / np.maximum(content__hours, 0.25)
    return found


@view.column(float, minimum=0, maximum=1, source="neo4j.wanted_skills, mongodb.contents")
def is_wanted(content__skill_id: pl.Series, wanted_set__wanted: Lists) -> Floats:
    """1 where the person would like to work with the skill that is taught."""
    return is_held(one_each(content__skill_id), wanted_set__wanted)


@view.column(float, minimum=0, maximum=1, nulls=1.0, source="neo4j.prerequisites, neo4j.talent_skills")
def readiness(taught_before__needed: Lists, talent_skill_set__skills: Lists, talent_skill_set__levels: Lists) -> Floats:
    """Share of what has to be learnt before that the person declares; missing where nothing has to be."""
    return share_held(taught_before__needed, talent_skill_set__skills, talent_skill_set__levels)


@view.column(float, minimum=0, maximum=1, source="mongodb.engagements")
def usual_worth(content_engaged__worth: Floats, content_engaged__shown: Floats) -> Floats:
    """What it was worth on average when it was shown, drawn to a usual worth by ten trials."""
    found: Floats = (np.nan_to_num(content_engaged__worth) + USUAL_WORTH * TRIALS) / (
        np.nan_to_num(content_engaged__shown) + TRIALS
    )
    return found


@view.column(float, minimum=-1, maximum=1, nulls=1.0, source="mysql.talents, mongodb.contents")
def text_similarity(talent__vector: Lists, content__vector: Lists) -> Floats:
    """Cosine between the person's headline and what is taught (all-MiniLM-L6-v2)."""
    return cosine_of(talent__vector, content__vector)
