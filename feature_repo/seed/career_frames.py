"""The synthetic careers and the demand for skills as rows and relationships."""

import numpy as np
import polars as pl

from feature_repo.seed.careers import TYPES, Careers, Judgements
from feature_repo.seed.catalogue import SKILLS
from feature_repo.seed.clusters import CLUSTERS, TRAITS
from feature_repo.seed.demand import MONTHS, Demand
from feature_repo.seed.frames import SYSTEM, TIME, Clock, ids, named, talent_ids
from feature_repo.seed.market import Market
from feature_repo.seed.people import Ints
from feature_repo.seed.tasks import SECONDS_PER_DAY
from feature_repo.seed.texts import Texts
from feature_repo.seed.writers import Relation

ESSENTIAL = 0.75  # the importance from which on one cannot do without


def occupation_ids(numbers: Ints) -> pl.Series:
    """Ids such as synthetic/o000007: other catalogues stand beside this one."""
    return "synthetic/" + ids("o", numbers)


def nodes(paths: Careers) -> pl.DataFrame:
    """The occupations' nodes."""
    return occupation_ids(np.arange(len(paths.cluster))).alias("occupationId").to_frame()


def tables(places: Market, paths: Careers, words: Texts, clock: Clock) -> dict[str, pl.DataFrame]:
    """Rows by table of career_service."""
    return {
        "career_service.occupations": _occupations(paths, words, clock),
        "career_service.occupation_traits": _occupation_traits(paths, clock),
        "career_service.person_traits": _person_traits(places, paths, clock),
        "career_service.career_matches": _matches(places, paths.judgements, clock),
    }


def _occupations(paths: Careers, words: Texts, clock: Clock) -> pl.DataFrame:
    titles = np.array([cluster.titles for cluster in CLUSTERS])
    return pl.DataFrame(
        {
            "occupation_id": occupation_ids(np.arange(len(paths.cluster))),
            "title": titles[paths.cluster, paths.rank],
            "text": words.occupations,
            "cluster": np.array([cluster.name for cluster in CLUSTERS])[paths.cluster],
            "job_zone": (paths.rank + 1).astype(np.float64),
            "wage": paths.wage,
            "source": SYSTEM,
            "recorded_at": _start(len(paths.cluster), clock),
        }
    )


def _start(count: int, clock: Clock) -> pl.Series:
    return clock.times(np.zeros(count, dtype=np.int64))


def _occupation_traits(paths: Careers, clock: Clock) -> pl.DataFrame:
    count, width = paths.served.shape
    return pl.DataFrame(
        {
            "occupation_id": occupation_ids(np.repeat(np.arange(count), width)),
            "trait_id": np.tile(np.array(TRAITS), count),
            "value": paths.served.ravel(),
            "recorded_at": _start(count * width, clock),
        }
    )


def _person_traits(places: Market, paths: Careers, clock: Clock) -> pl.DataFrame:
    count, width = paths.cared.shape
    talent = np.repeat(np.arange(count), width)
    return pl.DataFrame(
        {
            "user_id": talent_ids(talent, places.employees),
            "trait_id": np.tile(np.array(TRAITS), count),
            "value": paths.cared.ravel(),
            "recorded_at": clock.times(places.joined[talent]),
        }
    )


def _matches(places: Market, judged: Judgements, clock: Clock) -> pl.DataFrame:
    """Judgements, known the day after."""
    known = judged.judged + SECONDS_PER_DAY
    row = np.flatnonzero(known < clock.seconds)
    return pl.DataFrame(
        {
            "user_id": talent_ids(judged.talent[row], places.employees),
            "occupation_id": occupation_ids(judged.occupation[row]),
            "match_type": np.array(TYPES)[judged.kind[row]],
            "similarity": judged.similarity[row],
            "is_match": judged.is_match[row].astype(np.int64),
            "judged_at": clock.times(judged.judged[row]),
            "recorded_at": clock.times(known[row]),
        }
    )


def relations(paths: Careers, clock: Clock) -> dict[Relation, pl.DataFrame]:
    """What occupations need, and which are near to each other."""
    occupation, skill = np.nonzero(paths.wanted)
    count, width = paths.related.shape
    importance = paths.importance[occupation, skill]
    return {
        Relation("Occupation", "NEEDS", "Skill"): pl.DataFrame(
            {
                "start": occupation_ids(occupation),
                "end": named(skill),
                "level": paths.wanted[occupation, skill],
                "importance": importance,
                "essential": importance >= ESSENTIAL,
                "recordedAt": _start(len(occupation), clock),
            }
        ),
        Relation("Occupation", "RELATED_TO", "Occupation"): pl.DataFrame(
            {
                "start": occupation_ids(np.repeat(np.arange(count), width)),
                "end": occupation_ids(paths.related.ravel()),
                "rank": np.tile(np.arange(1, width + 1), count),
                "recordedAt": _start(count * width, clock),
            }
        ),
    }


def skill_demand(asked: Demand) -> pl.DataFrame:
    """market_service.skill_demand, each month known when the next begins."""
    starts = pl.Series(asked.starts, dtype=TIME)
    skill, month = np.repeat(np.arange(len(SKILLS)), MONTHS), np.tile(np.arange(MONTHS), len(SKILLS))
    return pl.DataFrame(
        {
            "skill_id": named(skill),
            "period_at": starts.gather(month),
            "value": asked.share.ravel(),
            "posts": asked.posts[month],
            "months": np.ones(len(month), dtype=np.int64),
            "series": SYSTEM,
            "recorded_at": starts.gather(month + 1),
        }
    )
