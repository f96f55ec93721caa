"""Every view, in one list: Feast, checks and retrieval read it."""

from feature_repo.column import View
from feature_repo.features import affinity, effort, history, match, pair, person, task, wording

PAIR_COLUMNS = (affinity, effort, match)
"""The modules that declare the pair view's columns; importing them is what fills it."""

VIEWS: tuple[View, ...] = (
    task.view,
    person.profile,
    person.skill_set,
    *history.VIEWS,
    wording.view,
    pair.view,
)
