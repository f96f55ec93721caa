"""Every stream that the source systems give. REQUIREMENTS section 2 names the databases."""

from feature_repo.errors import DataError
from feature_repo.sources.stream import Stream
from feature_repo.sources.streams import careers, demand, learning, market, work
from feature_repo.sources.streams.careers import (
    career_matches,
    occupation_skills,
    occupation_traits,
    occupations,
    person_traits,
    related_occupations,
)
from feature_repo.sources.streams.demand import skill_demand
from feature_repo.sources.streams.fields import EDUCATIONS, SENIORITIES
from feature_repo.sources.streams.learning import contents, engagements
from feature_repo.sources.streams.market import (
    applications,
    job_skills,
    job_views,
    jobs,
    postings,
    prerequisites,
    skill_assessments,
    skills,
    talent_skills,
    talents,
    wanted_skills,
)
from feature_repo.sources.streams.work import (
    assignments,
    completions,
    feedback,
    people,
    profiles,
    requirements,
    tasks,
    user_skills,
    worked_on,
    workloads,
    worklogs,
)

__all__ = [
    "EDUCATIONS",
    "SENIORITIES",
    "STREAMS",
    "Stream",
    "applications",
    "assignments",
    "career_matches",
    "completions",
    "contents",
    "engagements",
    "feedback",
    "job_skills",
    "job_views",
    "jobs",
    "occupation_skills",
    "occupation_traits",
    "occupations",
    "people",
    "person_traits",
    "postings",
    "prerequisites",
    "profiles",
    "related_occupations",
    "requirements",
    "skill_assessments",
    "skill_demand",
    "skills",
    "stream",
    "talent_skills",
    "talents",
    "tasks",
    "user_skills",
    "wanted_skills",
    "worked_on",
    "workloads",
    "worklogs",
]

STREAMS = (*work.STREAMS, *market.STREAMS, *learning.STREAMS, *careers.STREAMS, *demand.STREAMS)


def stream(name: str) -> Stream:
    """The stream of that name. Raises DataError, which lists the names, when there is none."""
    for each in STREAMS:
        if each.name == name:
            return each
    raise DataError(f"stream {name!r}: unknown, allowed: {', '.join(each.name for each in STREAMS)}")
