"""A person beside a job: skills, rank and years, place and hours, pay, education, and what the texts say.

Pure array functions, the same for training rows and for a request. Source of the list: REQUIREMENTS 3.3.
"""

import numpy as np
from numpy.typing import NDArray

from feature_repo.column import View
from feature_repo.entities import job, person
from feature_repo.features.ragged import Lists, lengths, listed, lookup, mean_ratio, share_held, weighted_mean_by_row
from feature_repo.features.ragged import cosine as cosine_of
from feature_repo.names import Texts, are_equal

Floats = NDArray[np.float64]

EARTH_KM = 6371.0088  # mean radius
WORKING_HOURS = 8.0
SKILLS = "neo4j.talent_skills, neo4j.job_skills"
PEOPLE = "mysql.talents, mysql.jobs"
RANKS = "mysql.profiles, mysql.jobs"
TEXTS = "mysql.talents, mongodb.postings"

view = View("fit", (person, job))


@view.column(float, minimum=0, maximum=1, nulls=1.0, source=SKILLS)
def skill_coverage(
    job_skill_set__skills: Lists, talent_skill_set__skills: Lists, talent_skill_set__levels: Lists
) -> Floats:
    """Share of the job's skills that the person declares; missing where the job names none."""
    return share_held(job_skill_set__skills, talent_skill_set__skills, talent_skill_set__levels)


@view.column(float, minimum=0, maximum=1, nulls=1.0, source=SKILLS)
def mandatory_coverage(
    job_skill_set__skills: Lists,
    job_skill_set__mandatory: Lists,
    talent_skill_set__skills: Lists,
    talent_skill_set__levels: Lists,
) -> Floats:
    """Share of the skills that the job cannot do without that the person declares; missing where there is none."""
    held = lookup(job_skill_set__skills, talent_skill_set__skills, talent_skill_set__levels, missing=0.0)
    must = listed(job_skill_set__mandatory)
    return weighted_mean_by_row(job_skill_set__skills, (held > 0).astype(np.float64), must)


@view.column(float, minimum=0, maximum=1, nulls=1.0, source=SKILLS)
def skill_jaccard(
    job_skill_set__skills: Lists,
    talent_skill_set__skills: Lists,
    fit__skill_coverage: Floats,
) -> Floats:
    """Skills that both name over skills that either names; missing where the job names none."""
    asked, held = (lengths(skills) for skills in (job_skill_set__skills, talent_skill_set__skills))
    both = fit__skill_coverage * asked
    shares: Floats = both / np.maximum(asked + held - both, 1.0)
    return shares


@view.column(float, minimum=0, maximum=1, nulls=1.0, source=SKILLS)
def proficiency_alignment(
    job_skill_set__skills: Lists,
    job_skill_set__levels: Lists,
    talent_skill_set__skills: Lists,
    talent_skill_set__levels: Lists,
) -> Floats:
    """Mean over the job's skills of min(1, level declared / level asked for); missing where the job names none."""
    return mean_ratio(job_skill_set__skills, job_skill_set__levels, talent_skill_set__skills, talent_skill_set__levels)


@view.column(float, unit="years", minimum=0, maximum=60, nulls=1.0, source=SKILLS)
def skill_years(
    job_skill_set__skills: Lists,
    job_skill_set__levels: Lists,
    talent_skill_set__skills: Lists,
    talent_skill_set__years: Lists,
) -> Floats:
    """Years of use of the job's skills, weighted by the level asked for; missing where the job names none."""
    held = lookup(job_skill_set__skills, talent_skill_set__skills, talent_skill_set__years, missing=0.0)
    asked = listed(job_skill_set__levels)
    return weighted_mean_by_row(job_skill_set__skills, np.nan_to_num(held), asked)


@view.column(float, unit="ranks", minimum=-6, maximum=6, nulls=1.0, source=RANKS)
def rank_gap(profile__seniority: Floats, job__seniority: Floats) -> Floats:
    """The person's rank less the rank asked for: below 0 is underqualified."""
    return profile__seniority - job__seniority


@view.column(float, minimum=0, maximum=1, nulls=1.0, source=RANKS)
def is_rank_met(fit__rank_gap: Floats) -> Floats:
    """1 where the person has exactly the rank asked for."""
    return np.where(np.isnan(fit__rank_gap), np.nan, fit__rank_gap == 0)


@view.column(float, minimum=0, maximum=1, nulls=1.0, source=RANKS)
def rank_alignment(fit__rank_gap: Floats) -> Floats:
    """1 at the rank asked for, 0 six ranks from it."""
    alignment: Floats = 1 - np.abs(fit__rank_gap) / 6
    return alignment


@view.column(float, minimum=0, maximum=3, nulls=1.0, source=RANKS)
def years_ratio(profile__experience_years: Floats, job__minimum_years: Floats) -> Floats:
    """Years of work over the least asked for, at most 3."""
    ratio: Floats = np.minimum(profile__experience_years / np.maximum(job__minimum_years, 0.5), 3.0)
    return ratio


@view.column(float, unit="years", minimum=0, maximum=60, nulls=1.0, source=RANKS)
def missing_years(profile__experience_years: Floats, job__minimum_years: Floats) -> Floats:
    """How many years of work the person lacks."""
    lacking: Floats = np.maximum(job__minimum_years - profile__experience_years, 0.0)
    return lacking


@view.column(float, unit="years", minimum=0, maximum=60, nulls=1.0, source=RANKS)
def surplus_years(profile__experience_years: Floats, job__maximum_years: Floats) -> Floats:
    """How many years of work the person has beyond the most asked for."""
    surplus: Floats = np.maximum(profile__experience_years - job__maximum_years, 0.0)
    return surplus


@view.column(float, unit="km", minimum=0, maximum=20_100, nulls=1.0, source=PEOPLE)
def distance_km(
    talent__latitude: Floats, talent__longitude: Floats, job__latitude: Floats, job__longitude: Floats
) -> Floats:
    """Great-circle distance from the person to the job.

    Source: haversine formula on a sphere of the Earth's mean radius; within 0.6% of the ellipsoid's.
    """
    here, there = np.radians(talent__latitude), np.radians(job__latitude)
    across = np.sin(np.radians(job__longitude - talent__longitude) / 2) ** 2
    chord = np.sin((there - here) / 2) ** 2 + np.cos(here) * np.cos(there) * across
    distance: Floats = 2 * EARTH_KM * np.arcsin(np.sqrt(np.minimum(chord, 1.0)))
    return distance


@view.column(float, minimum=0, maximum=1, nulls=1.0, source=PEOPLE)
def remote_fit(talent__wants_remote: Floats, job__is_remote: Floats) -> Floats:
    """1 where the job can be done from anywhere, or the person wants no such job; 0 where only the person wants it."""
    fits: Floats = np.maximum(job__is_remote, 1 - talent__wants_remote)
    return fits


@view.column(float, unit="h", minimum=0, maximum=8, nulls=1.0, source=PEOPLE)
def shared_hours(talent__utc_offset_hours: Floats, job__utc_offset_hours: Floats) -> Floats:
    """Hours of a working day that both would share, going by their time zones; 25 hours apart is 1 on the clock."""
    apart = np.abs(talent__utc_offset_hours - job__utc_offset_hours) % 24
    shared: Floats = np.maximum(WORKING_HOURS - np.minimum(apart, 24 - apart), 0.0)
    return shared


@view.column(float, minimum=0, maximum=1, nulls=1.0, source=PEOPLE)
def salary_overlap(
    talent__salary_low: Floats, talent__salary_high: Floats, job__salary_low: Floats, job__salary_high: Floats
) -> Floats:
    """Pay that both accept over pay that either accepts (intersection over union)."""
    shared = np.minimum(talent__salary_high, job__salary_high) - np.maximum(talent__salary_low, job__salary_low)
    whole = np.maximum(talent__salary_high, job__salary_high) - np.minimum(talent__salary_low, job__salary_low)
    overlap: Floats = np.maximum(shared, 0.0) / np.maximum(whole, 1.0)
    return overlap


@view.column(float, minimum=0, maximum=5, nulls=1.0, source=PEOPLE)
def salary_ratio(
    talent__salary_low: Floats, talent__salary_high: Floats, job__salary_low: Floats, job__salary_high: Floats
) -> Floats:
    """The middle of what the job pays over the middle of what the person asks for, at most 5."""
    paid, asked = job__salary_low + job__salary_high, talent__salary_low + talent__salary_high
    ratio: Floats = np.minimum(paid / np.maximum(asked, 1.0), 5.0)
    return ratio


@view.column(float, unit="degrees", minimum=-4, maximum=4, nulls=1.0, source=PEOPLE)
def education_gap(talent__education: Floats, job__education: Floats) -> Floats:
    """The person's degree less the one asked for: below 0 where it is missing."""
    return talent__education - job__education


@view.column(float, minimum=0, maximum=1, nulls=1.0, source=PEOPLE)
def education_met(fit__education_gap: Floats) -> Floats:
    """1 where the person has the degree asked for, or a higher one."""
    return np.where(np.isnan(fit__education_gap), np.nan, fit__education_gap >= 0)


@view.column(float, minimum=0, maximum=1, nulls=1.0, source=RANKS)
def same_department(profile__department_id: Texts, job__department_id: Texts) -> Floats:
    """1 where the person works in the kind of department that the job is in."""
    return are_equal(profile__department_id, job__department_id)


@view.column(float, minimum=-1, maximum=1, nulls=1.0, source=TEXTS)
def text_similarity(talent__vector: Lists, posting__vector: Lists) -> Floats:
    """Cosine between the person's headline and the posting (all-MiniLM-L6-v2)."""
    return cosine_of(talent__vector, posting__vector)
