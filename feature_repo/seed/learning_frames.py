"""The synthetic learning as documents. What became known after the last day is left out."""

import numpy as np
import polars as pl

from feature_repo.seed.frames import Clock, ids, named, talent_ids
from feature_repo.seed.learning import DAYS_TO_FINISH, Contents, Slates
from feature_repo.seed.market import Market
from feature_repo.seed.tasks import SECONDS_PER_DAY
from feature_repo.seed.texts import Texts
from feature_repo.sources.streams.learning import FORMATS


def contents(offered: Contents, words: Texts, clock: Clock) -> pl.DataFrame:
    """content_service.contents."""
    return pl.DataFrame(
        {
            "contentId": ids("k", np.arange(len(offered))),
            "title": words.content_titles,
            "text": words.contents,
            "skillName": named(offered.skill),
            "fromLevel": offered.start,
            "toLevel": offered.end,
            "hours": offered.hours,
            "format": np.array(FORMATS)[offered.format],
            "publishedAt": clock.times(offered.published),
            "recordedAt": clock.times(offered.published),
        }
    )


def engagements(places: Market, lists: Slates, clock: Clock) -> pl.DataFrame:
    """content_service.engagements: what was shown, known when the time to finish it was over."""
    known = lists.shown + DAYS_TO_FINISH * SECONDS_PER_DAY
    row = np.flatnonzero(known < clock.seconds)
    width = lists.content.shape[1]
    slate = np.repeat(row, width)
    return pl.DataFrame(
        {
            "slateId": ids("s", slate),
            "contentId": ids("k", lists.content[row].ravel()),
            "userId": talent_ids(lists.person[slate], places.employees),
            "position": np.tile(np.arange(1, width + 1), len(row)),
            "propensity": lists.propensity[row].ravel(),
            "clicked": lists.clicked[row].ravel(),
            "completed": lists.completed[row].ravel(),
            "reward": lists.reward[row].ravel(),
            "shownAt": clock.times(lists.shown[slate]),
            "recordedAt": clock.times(known[slate]),
        }
    )
