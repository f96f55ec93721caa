"""How well a person and a job suit each other, asked from either side (REQUIREMENTS 3.3)."""

from datetime import datetime, timedelta
from functools import partial

import polars as pl

from feature_repo.column import Column, Field
from feature_repo.entities import job, person
from feature_repo.features import fit
from feature_repo.features import job as job_f
from feature_repo.features import talent as talent_f
from feature_repo.window import Window, last_before
from training.asking.grouping import BADGE_ABOVE, groups
from training.asking.impact import JOBS_OF_A_PERSON, MATCHES
from training.asking.pools import nearest
from training.baselines import known, scored
from training.labels import MOST_DUE, crossed
from training.metrics import absolute_error, root_squared_error
from training.product import Baseline, Drift, Facts, Gate, Label, Product, Slice, TimeSplit
from training.route import Published, Route
from training.trainers.ensemble import SPACE, BoostedEnsemble
from training.tuning.space import Search

GROUPS: dict[str, tuple[Column, ...]] = {
    "skills": (
        fit.skill_coverage,
        fit.mandatory_coverage,
        fit.skill_jaccard,
        fit.proficiency_alignment,
        fit.skill_years,
    ),
    "experience": (
        fit.rank_gap,
        fit.is_rank_met,
        fit.rank_alignment,
        fit.years_ratio,
        fit.missing_years,
        fit.surplus_years,
        fit.education_gap,
        fit.education_met,
    ),
    "location": (fit.distance_km, fit.remote_fit, fit.shared_hours),
    "salary": (fit.salary_overlap, fit.salary_ratio),
    "culture": (fit.text_similarity, fit.same_department),
}
"""What the parts of a score are made of."""


def match_rows(facts: Facts, window: Window) -> pl.DataFrame:
    """A row for each application of the window that was decided: match_score, 0 to 100, as the assessors gave it."""
    applied = facts("applications").filter(pl.col("applied_at").is_between(window.since, window.until, closed="left"))
    return (
        applied.select(
            "person_id", "job_id", pl.col("applied_at").alias("event_timestamp"), "match_score",
            group=pl.concat_str("person_id", "job_id", separator="|"),
        )
        .sort("event_timestamp", "group")
        .collect()
    )  # fmt: skip


def open_jobs(facts: Facts, at: datetime) -> pl.LazyFrame:
    """Jobs that can be applied for at an instant: job_id and posted_at, the latest first."""
    is_open = pl.col("closed_at").is_null() | (pl.col("closed_at") > at)
    rows = facts("jobs").filter(is_open, pl.col("posted_at") <= at)
    return rows.select("job_id", "posted_at").sort("posted_at", "job_id", descending=[True, False])


def due_pairs(facts: Facts, as_of: datetime) -> pl.DataFrame:
    """Everybody on the market with the latest open jobs, as many as MOST_DUE pairs hold; grouped by person."""
    people = facts("talents").select("person_id").sort("person_id").collect()
    jobs = open_jobs(facts, last_before(as_of)).select("job_id").head(max(MOST_DUE // max(people.height, 1), 1))
    return crossed(people, jobs.collect(), as_of)


def _jobs(published: Published) -> pl.Series:
    return open_jobs(published.facts, published.at).collect()["job_id"]


def _people(published: Published) -> pl.Series:
    newest = published.facts("talents").sort("recorded_at", "person_id", descending=[True, False])
    return newest.collect()["person_id"]


_score = partial(scored, most=100.0)
RULE_POINTS = {
    fit.proficiency_alignment: (40, 0.5),
    fit.rank_alignment: (20, 0.8),
    fit.salary_overlap: (15, 0.3),
    fit.remote_fit: (15, 0.5),
    fit.text_similarity: (10, 0.3),
}
"""Points of each part, and the part's value where it is not known."""

rule = Baseline(
    "rule",
    tuple(RULE_POINTS),
    lambda frame: _score(
        pl.sum_horizontal(points * known(column, missing) for column, (points, missing) in RULE_POINTS.items()), frame
    ),
)
"""Skills, rank, pay, place and words in fixed shares."""

coverage = Baseline(
    "coverage", (fit.skill_coverage,), lambda frame: _score(100 * known(fit.skill_coverage, 0.5), frame)
)
"""The share of the job's skills that the person declares."""

anything = Baseline(
    "anything",
    (),
    lambda frame: _score(pl.concat_str("person_id", "job_id").hash(42).mod(10_001).cast(pl.Float64) / 100, frame),
)
"""A number between 0 and 100 that depends on nothing but the names: what REQUIREMENTS 3.3 calls random."""

MIN_SCORE = Field(
    name="min_score",
    dtype=float,
    unit="points",
    minimum=0,
    maximum=100,
    nulls=1.0,
    description="Leave out what scores less",
)

talent_job_match = Product(
    name=MATCHES,
    title="Talent and job match",
    entities=(person, job),
    columns=tuple(column for group in GROUPS.values() for column in group),
    label=Label("match_score", match_rows),
    outputs=("score", "confidence"),
    greatest_score=100.0,
    split=TimeSplit(validation=timedelta(days=120), test=timedelta(days=182), history=timedelta(days=365 * 10)),
    trainer=BoostedEnsemble(label="match_score", greatest=100.0),
    metrics=(
        absolute_error("mae_score", "match_score", "score"),
        root_squared_error("rmse_score", "match_score", "score"),
    ),
    baselines=(rule, coverage, anything),
    fallback="rule",
    gate=Gate(metric="mae_score", beats="rule"),
    slices=(Slice("good_matches", lambda frame: frame["match_score"] >= BADGE_ABOVE),),
    search=Search(SPACE),
    drift=Drift(share=0.3),
    routes=(
        Route(
            JOBS_OF_A_PERSON,
            subject=(person,),
            items=job,
            title="Jobs for a person",
            named="jobs",
            pool=nearest(_jobs, job, job_f.vector, talent_f.vector),
            options=(MIN_SCORE,),
            extras=groups(GROUPS),
        ),
        Route(
            "/api/v1/match/job-to-talents",
            subject=(job,),
            items=person,
            title="People for a job",
            named="talents",
            pool=nearest(_people, person, talent_f.vector, job_f.vector),
            options=(MIN_SCORE,),
            extras=groups(GROUPS),
        ),
    ),
    due=due_pairs,
    units={"score": "points"},
    minimum_rows=100,
    tags={
        "question": "how well a person and a job suit each other, from 0 to 100, asked from either side",
        "audience": "people who look for a job, and recruiters",
    },
    limits=(
        "The best are underestimated: for pairs that assessors gave 80 points and more the error is two thirds "
        "larger than over all, so the badge is rarer than it should be. Almost every job is new to it, so nothing "
        "is learned about a single job. Its labels are scores of the synthetic world's assessors; public data "
        "hold what people looked at, which is another question (see the real suite). Distance is as the crow "
        "flies, and texts are compared by a model of English."
    ),
)
