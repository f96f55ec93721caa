"""What closing a gap would do for a person: their job matches, scored again as if the skill were there."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from feature_repo.features import talent as talent_f
from training.asking.grouping import BADGE_ABOVE
from training.route import Answered, Published

MATCHES, JOBS_OF_A_PERSON = "talent_job_match", "/api/v1/match/talent-to-jobs"
"""The product that scores matches, and its route."""
JOBS = 60
"""So many of the person's likeliest jobs are scored again for each skill: 10 skills are 660 pairs, 10 ms."""
USUAL_LEVEL = 3.0


@dataclass(frozen=True)
class Impact:
    """before, after: the score of the target where it is a job, else the mean of the person's ten best matches.

    jobs_before, jobs_after: how many of the person's likeliest jobs score above 80.
    """

    before: float
    after: float
    jobs_before: int
    jobs_after: int
    sentence: str


def impacts(answered: Answered, skills: Sequence[str], levels: Sequence[float | None]) -> list[Impact]:
    """For each skill what having it at a level (the usual one where None) would change, by the match product's model.

    Ten matches stand for a person: what is beyond them is not what they would apply for.
    """
    person, target = answered.subject["person_id"], answered.subject.get("target_id")
    jobs = likely_jobs(answered.published, person)
    is_job = target is not None and _is_job(answered, target)
    named = [*([target] if is_job else []), *(job for job in jobs if job != target)]
    if not named:
        return []
    wanted = [USUAL_LEVEL if level is None else level for level in levels]
    scores = _scores(answered, person, [str(job) for job in named], skills, wanted)
    told = scores[:, 0] if is_job else np.sort(scores, axis=1)[:, -10:].mean(axis=1)
    good = (scores > BADGE_ABOVE).sum(axis=1)
    return [
        Impact(float(told[0]), float(after), int(good[0]), int(count), _sentence(skill, told[0], after, int(count)))
        for skill, after, count in zip(skills, told[1:], good[1:], strict=True)
    ]


def likely_jobs(published: Published, person: str) -> list[str]:
    """The open jobs that are nearest to the person, as the match product would rank them."""
    return list(published.candidates(JOBS_OF_A_PERSON, {"person_id": person})[:JOBS])


def _sentence(skill: str, before: float, after: float, jobs: int) -> str:
    return f"Learn {skill}: {before:.0f} -> {after:.0f}, {jobs} jobs above {BADGE_ABOVE:.0f}"


def _is_job(answered: Answered, target: str) -> bool:
    return bool(answered.published.facts("jobs").filter(pl.col("job_id") == target).select(pl.len()).collect().item())


def _scores(
    answered: Answered, person: str, jobs: Sequence[str], skills: Sequence[str], levels: Sequence[float]
) -> np.ndarray:
    """Shape (1 + skills, jobs): as things stand, then with each skill."""
    sets = _skill_sets(answered, person, skills, levels)
    count = len(jobs)
    spine = pl.DataFrame({"person_id": [person] * (count * len(sets)), "job_id": list(jobs) * len(sets)})
    given = sets[np.repeat(np.arange(len(sets)), count)]
    found = answered.ask(MATCHES, spine, given)
    return found["score"].to_numpy().reshape(len(sets), count)


def _skill_sets(answered: Answered, person: str, skills: Sequence[str], levels: Sequence[float]) -> pl.DataFrame:
    """The person's skill set as it stands, then with each skill at least at its level; alphabetical."""
    columns = (talent_f.skills, talent_f.levels, talent_f.years)
    held = answered.published.read(pl.DataFrame({"person_id": [person]}), columns)
    names, *amounts = ((held[column.qualified].to_list()[0] or []) for column in columns)
    own = dict(zip(names, zip(*amounts, strict=True), strict=True))
    variants = [own]
    for skill, level in zip(skills, levels, strict=True):
        known, years = own.get(skill, (0.0, None))
        variants.append({**own, skill: (max(known, level), years)})
    rows = [[(name, *variant[name]) for name in sorted(variant)] for variant in variants]
    parts = [[[entry[place] for entry in row] for row in rows] for place in range(3)]
    schema = [pl.List(pl.String), pl.List(pl.Float64), pl.List(pl.Float64)]
    return pl.DataFrame(
        [pl.Series(c.qualified, part, dtype=kind) for c, part, kind in zip(columns, parts, schema, strict=True)]
    )
