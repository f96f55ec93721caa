"""Which skills a person lacks for a job or occupation, and what closing each gap would bring (REQUIREMENTS 3.4)."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Literal

import polars as pl

from feature_repo.column import Column
from feature_repo.entities import person, skill, target
from feature_repo.features import gap
from feature_repo.features import person as person_f
from feature_repo.features import target as target_f
from feature_repo.window import Window, last_before
from training.asking.impact import Impact, impacts, likely_jobs
from training.baselines import scored
from training.metrics import accuracy, auc, calibration_error, log_loss
from training.product import Baseline, Drift, Facts, Gate, Label, Product, Slice, TimeSplit
from training.route import Answered, Choose, Extra, Ids, Published, Route, Rows, best_first
from training.trainers.ensemble import SPACE, BoostedEnsemble
from training.tuning.space import Search

SHOWN_ABOVE, MEDIUM_ABOVE, HIGH_ABOVE = 0.3, 0.5, 0.7
HOURS_PER_LEVEL = 20.0
"""Where no content teaches a skill: about what the synthetic catalogue's contents take."""
RECENT = timedelta(days=180)


def gap_rows(facts: Facts, window: Window) -> pl.DataFrame:
    """A row for each assessment of the window: whether the person fell short in a skill that the job asked for."""
    judged = facts("skill_assessments").filter(
        pl.col("assessed_at").is_between(window.since, window.until, closed="left")
    )
    return (
        judged.select(
            "person_id",
            pl.col("job_id").alias("target_id"),
            "skill_id",
            pl.col("assessed_at").alias("event_timestamp"),
            pl.col("is_gap").cast(pl.Float64),
            group=pl.concat_str("person_id", "job_id", separator="|"),
        )
        .sort("event_timestamp", "group", "skill_id")
        .collect()
    )


def due_gaps(facts: Facts, as_of: datetime) -> pl.DataFrame:
    """The skills of every job that somebody applied for lately, for who applied."""
    applied = (
        facts("applications").filter(pl.col("applied_at") >= as_of - RECENT).select("person_id", "job_id").unique()
    )
    skills = facts("job_skills").select("job_id", "skill_id")
    instant = pl.lit(last_before(as_of)).cast(pl.Datetime("us", "UTC"))
    rows = applied.join(skills, on="job_id").rename({"job_id": "target_id"})
    group = pl.concat_str("person_id", "target_id", separator="|")
    return rows.with_columns(event_timestamp=instant, group=group).sort("group", "skill_id").collect()


def _asked_for(published: Published) -> Choose:
    """The skills that the target asks for; without one those that the person's likeliest jobs ask for most often."""
    asked = published.facts("job_skills").select("job_id", "skill_id").collect()

    def choose(subject: Ids) -> Sequence[str]:
        if "target_id" in subject:
            found = published.read(pl.DataFrame({"target_id": [subject["target_id"]]}), [target_f.skills])
            skills: Sequence[str] | None = found[target_f.skills.qualified].to_list()[0]
            if skills:
                return skills
        likely = likely_jobs(published, subject["person_id"])
        of_jobs = asked.filter(pl.col("job_id").is_in(likely)) if likely else asked
        counted = of_jobs.group_by("skill_id").len().sort("len", "skill_id", descending=[True, False])
        return counted["skill_id"].to_list()

    return choose


def _likely(rows: Rows) -> list[int]:
    """The likeliest gaps first, those that are unlikely left out."""
    scores = rows.outputs["score"]
    ranked = best_first(rows._replace(limit=len(rows.items)))
    return [row for row in ranked if scores[row] > SHOWN_ABOVE][: rows.limit]


def _priorities(answered: Answered) -> list[str]:
    chances = answered.outputs["score"].to_list()
    return ["high" if one > HIGH_ABOVE else "medium" if one > MEDIUM_ABOVE else "low" for one in chances]


def _hours(answered: Answered) -> list[float]:
    """The levels that are missing (one where none are declared missing) times what contents take for a level."""
    contents = answered.published.facts("contents").filter(pl.col("to_level") > pl.col("from_level"))
    pace = (pl.col("hours") / (pl.col("to_level") - pl.col("from_level"))).median()
    known = contents.group_by("skill_id").agg(pace=pace).collect()
    rows = answered.features.select("skill_id", gap.shortfall.qualified).join(
        known, on="skill_id", how="left", maintain_order="left"
    )
    levels = pl.col(gap.shortfall.qualified).fill_null(1.0).fill_nan(1.0).clip(lower_bound=1.0)
    hours: list[float] = rows.select(levels * pl.col("pace").fill_null(HOURS_PER_LEVEL)).to_series().to_list()
    return hours


def _impacts(answered: Answered) -> list[Impact]:
    skills = answered.features["skill_id"].to_list()
    asked = answered.features[gap.asked_level.qualified].fill_nan(None).to_list()
    return impacts(answered, skills, asked)


_shortfall = pl.col(gap.shortfall.qualified).fill_nan(None)
declared = Baseline(
    "declared",
    (gap.shortfall,),
    lambda frame: scored(
        pl.when(_shortfall > 0).then(0.8).when(_shortfall <= 0).then(0.2).otherwise(0.5).cast(pl.Float64), frame
    ),
)
"""A gap is where less is declared than asked for; declarations are taken to be right four times in five."""

PRIORITY = Extra(
    "priority",
    Literal["high", "medium", "low"],
    _priorities,
    f"high above {HIGH_ABOVE}, medium above {MEDIUM_ABOVE}",
    per_row=True,
)
HOURS = Extra(
    "learning_hours", float, _hours, "How long it would take to learn what is missing, in hours", per_row=True
)
IMPACT = Extra("impact", Impact, _impacts, "What closing the gap would do for the person's job matches", per_row=True)
COLUMNS: tuple[Column, ...] = (
    gap.declared_level,
    gap.asked_level,
    gap.shortfall,
    gap.importance,
    gap.skill_years,
    gap.groundwork,
    gap.advanced_level,
    gap.target_coverage,
    gap.declared_skills,
    gap.mean_level,
    person_f.seniority,
    person_f.experience_years,
)

skill_gap = Product(
    name="skill_gap",
    title="Skill gaps",
    entities=(person, target, skill),
    columns=COLUMNS,
    label=Label("is_gap", gap_rows),
    outputs=("score", "confidence"),
    split=TimeSplit(validation=timedelta(days=120), test=timedelta(days=182), history=timedelta(days=365 * 10)),
    trainer=BoostedEnsemble(label="is_gap", objective="binary"),
    metrics=(
        log_loss("log_loss", "is_gap", "score"),
        auc("auc", "is_gap", "score"),
        accuracy("accuracy", "is_gap", "score"),
        calibration_error("calibration_error", "is_gap", "score"),
    ),
    baselines=(declared,),
    fallback="declared",
    gate=Gate(metric="log_loss", beats="declared"),
    slices=(Slice("declared_enough", lambda frame: frame[gap.shortfall.qualified].fill_null(1.0) <= 0),),
    search=Search(SPACE),
    drift=Drift(share=0.3),
    routes=(
        Route(
            "/api/v1/skill-gaps/analyze",
            subject=(person, target),
            items=skill,
            title="Skills that a person lacks for a job or an occupation",
            named="skills",
            pool=_asked_for,
            order=_likely,
            extras=(PRIORITY, HOURS, IMPACT),
        ),
        Route(
            "/api/v1/skill-gaps/predict",
            subject=(person, target),
            optional=frozenset({target.key}),
            items=skill,
            title="What closing gaps would do for a person's job matches",
            named="skills",
            pool=_asked_for,
            extras=(PRIORITY, HOURS, IMPACT),
        ),
    ),
    due=due_gaps,
    tags={
        "question": "which skills a person lacks for a job or an occupation, and what closing each gap would bring",
        "audience": "the person, and whoever plans training",
    },
    limits=(
        "Only skills that an assessor looked at for an application are labels, so nothing is known of how well it "
        "does on others, nor on occupations. What an assessor found of a person before does not change what is "
        "said later: declared levels count. Learning hours are those of the catalogue's "
        "contents, twenty a level where nothing teaches the skill. The impact of a gap is the match model's "
        "opinion with the skill added, not what employers did."
    ),
)
