"""Every view, in one list: Feast, checks and retrieval read it."""

from feature_repo.column import View
from feature_repo.features import (
    affinity,
    career,
    content,
    demand,
    effort,
    fit,
    gap,
    history,
    job,
    match,
    occupation,
    pair,
    person,
    skill,
    standing,
    study,
    talent,
    target,
    task,
    wording,
)

PAIR_COLUMNS = (affinity, effort, match)
"""The modules that declare the columns of the views pair and standing; importing them is what fills these."""

VIEWS: tuple[View, ...] = (
    task.view,
    person.profile,
    person.skill_set,
    *history.VIEWS,
    wording.view,
    pair.view,
    standing.view,
    talent.view,
    talent.skill_set,
    job.view,
    job.posting,
    job.skill_set,
    demand.view,
    fit.view,
    target.view,
    skill.before,
    skill.after,
    gap.view,
    occupation.view,
    occupation.skill_set,
    occupation.trait_set,
    occupation.person_trait_set,
    occupation.wanted_set,
    career.view,
    content.view,
    content.engaged,
    content.groundwork,
    study.view,
)
