"""Occupations that suit a person, why, what is missing for each, and the nearest step (REQUIREMENTS 3.6)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import polars as pl

from feature_repo.column import Column
from feature_repo.entities import occupation, person
from feature_repo.features import career as career_f
from feature_repo.features import occupation as occupation_f
from feature_repo.features import person as person_f
from feature_repo.features import talent as talent_f
from feature_repo.window import Window
from training.asking.grouping import said
from training.asking.pools import nearest
from training.baselines import known, scored
from training.labels import everybody_with
from training.metrics import accuracy, auc, calibration_error, log_loss
from training.product import Baseline, Drift, Facts, Gate, Label, Product, Slice, TimeSplit
from training.route import Answered, Extra, Published, Route
from training.trainers.ensemble import SPACE, BoostedEnsemble
from training.tuning.space import Search

STRANGERS = 3
"""So many occupations of the same catalogue stand against the one that a person reports of themselves."""
COLUMNS: tuple[Column, ...] = (
    career_f.skill_coverage,
    career_f.level_coverage,
    career_f.missing_skills,
    career_f.wanted_share,
    career_f.interest_similarity,
    career_f.value_similarity,
    career_f.preparation_gap,
    career_f.text_similarity,
    occupation_f.job_zone,
    person_f.seniority,
    person_f.experience_years,
)


def match_rows(facts: Facts, window: Window) -> pl.DataFrame:
    """A row for each judged pair of the window: is_match, 1 where the occupation was found to suit the person.

    An occupation that people report of themselves is a match; STRANGERS others of its catalogue, drawn by the names,
    are taken for none, as whoever chose one passed the others by. match_type says which kind the pair is of.
    """
    judged = facts("career_matches").filter(pl.col("judged_at").is_between(window.since, window.until, closed="left"))
    pairs = judged.select(
        "person_id",
        "occupation_id",
        "match_type",
        event_timestamp="judged_at",
        is_match=pl.col("is_match").cast(pl.Float64),
    )
    reported = pairs.filter(pl.col("match_type") == "REPORTED")
    rows = pl.concat([pairs, _strangers(facts, reported).select(pl.col(pairs.collect_schema().names()))])
    return (
        rows.unique(["person_id", "occupation_id"], keep="first", maintain_order=True)
        .with_columns(group="person_id")
        .sort("event_timestamp", "person_id", "occupation_id")
        .collect()
    )


def _strangers(facts: Facts, reported: pl.LazyFrame) -> pl.LazyFrame:
    catalogue = facts("occupations").select("occupation_id", "source").sort("occupation_id")
    listed = catalogue.group_by("source").agg("occupation_id")
    own = reported.join(catalogue, on="occupation_id").join(listed, on="source", suffix="_listed")
    draws = own.with_columns(draw=pl.int_ranges(0, STRANGERS)).explode("draw")
    place = pl.concat_str("person_id", "draw").hash(42) % pl.col("occupation_id_listed").list.len()
    drawn = draws.with_columns(other=pl.col("occupation_id_listed").list.get(place))
    others = drawn.filter(pl.col("other") != pl.col("occupation_id"))
    return others.with_columns(occupation_id="other", is_match=pl.lit(0.0))


def due_pairs(facts: Facts, as_of: datetime) -> pl.DataFrame:
    """Everybody with the occupations of the catalogue, as many people as MOST_DUE pairs hold."""
    occupations = facts("occupations").select("occupation_id").sort("occupation_id").collect()
    return everybody_with(occupations, facts, as_of)


def _catalogue(published: Published) -> pl.Series:
    return published.facts("occupations").sort("occupation_id").collect()["occupation_id"]


@dataclass(frozen=True)
class About:
    """An occupation of the catalogue. wage: a year, in the catalogue's currency. source: such as onet or esco."""

    title: str
    cluster: str
    wage: float | None
    source: str


def _abouts(answered: Answered) -> list[About]:
    names = answered.features.select("occupation_id")
    known = answered.published.facts("occupations").select("occupation_id", "title", "cluster", "wage", "source")
    rows = names.lazy().join(known, on="occupation_id", how="left", maintain_order="left").collect()
    return [About(*row[1:]) if row[1] is not None else None for row in rows.iter_rows()]  # type: ignore[misc]


@dataclass(frozen=True)
class Step:
    """An occupation near the one that is recommended. missing: how many of its skills the person does not declare."""

    occupation_id: str
    title: str
    missing: int


def _missing(answered: Answered) -> list[list[str]]:
    """For each occupation the needed skills that the person does not declare, the most important first."""
    return [skills for _, skills in _gaps(answered, answered.features["occupation_id"].to_list())]


def _gaps(answered: Answered, occupations: Sequence[str]) -> list[tuple[str, list[str]]]:
    person_id = answered.subject["person_id"]
    columns = (occupation_f.skills, occupation_f.weights, talent_f.skills)
    spine = pl.DataFrame({"person_id": [person_id] * len(occupations), "occupation_id": list(occupations)})
    found = []
    for row in answered.published.read(spine, columns).iter_rows(named=True):
        held = set(row[talent_f.skills.qualified] or ())
        needed = zip(row[occupation_f.weights.qualified] or (), row[occupation_f.skills.qualified] or (), strict=True)
        lacking = sorted((-weight, skill) for weight, skill in needed if skill not in held)
        found.append((row["occupation_id"], [skill for _, skill in lacking]))
    return found


def _steps(answered: Answered) -> list[Step | None]:
    """For each occupation the related one of which the person lacks least: the nearest step towards it."""
    names = answered.features.select("occupation_id")
    related = answered.published.facts("related_occupations").select("occupation_id", "related_id", "rank")
    titles = answered.published.facts("occupations").select(related_id="occupation_id", title="title")
    near = names.lazy().join(related, on="occupation_id").join(titles, on="related_id").collect()
    if not near.height:
        return [None] * names.height
    lacking = {name: len(skills) for name, skills in _gaps(answered, near["related_id"].unique().sort().to_list())}
    counted = near.with_columns(missing=pl.col("related_id").replace_strict(lacking, return_dtype=pl.Int64))
    best = counted.sort("missing", "rank", "related_id").unique("occupation_id", keep="first", maintain_order=True)
    steps = {row["occupation_id"]: Step(row["related_id"], row["title"], row["missing"]) for row in best.to_dicts()}
    return [steps.get(name) for name in names["occupation_id"]]


rule = Baseline(
    "rule",
    (career_f.level_coverage, career_f.interest_similarity, career_f.value_similarity),
    lambda frame: scored(
        0.55 * known(career_f.level_coverage, 0.3)
        + 0.30 * known(career_f.interest_similarity, 0.0).clip(0, 1)
        + 0.15 * known(career_f.value_similarity, 0.0).clip(0, 1),
        frame,
    ),
)
"""Skills, interests and values in fixed shares."""

skills_only = Baseline(
    "skills_only", (career_f.skill_coverage,), lambda frame: scored(known(career_f.skill_coverage, 0.3), frame)
)
"""The share of the needed skills that the person declares."""

career = Product(
    name="career",
    title="Careers",
    entities=(person, occupation),
    columns=COLUMNS,
    label=Label("is_match", match_rows),
    outputs=("score", "confidence"),
    split=TimeSplit(validation=timedelta(days=182), test=timedelta(days=365), history=timedelta(days=365 * 10)),
    trainer=BoostedEnsemble(label="is_match", objective="binary", leaves=7, learning_rate=0.03),
    metrics=(
        log_loss("log_loss", "is_match", "score"),
        accuracy("accuracy", "is_match", "score"),
        auc("auc", "is_match", "score"),
        calibration_error("calibration_error", "is_match", "score"),
    ),
    baselines=(rule, skills_only),
    fallback="rule",
    gate=Gate(metric="log_loss", beats="rule"),
    slices=(Slice("partial", lambda frame: frame["match_type"].is_in(["PARTIAL", "WRONG_INTERESTS"])),),
    search=Search(SPACE),
    drift=Drift(share=0.3),
    routes=(
        Route(
            "/api/v1/careers/recommend",
            subject=(person,),
            items=occupation,
            title="Occupations that suit a person",
            named="occupations",
            pool=nearest(_catalogue, occupation, occupation_f.vector, talent_f.vector),
            extras=(
                Extra("about", About, _abouts, "What the catalogue says of it", per_row=True),
                Extra("missing_skills", list[str], _missing, "What the person does not declare yet", per_row=True),
                Extra("next_step", Step, _steps, "The related occupation of which least is missing", per_row=True),
                said({"all": COLUMNS}),
            ),
        ),
    ),
    due=due_pairs,
    minimum_rows=100,
    tags={
        "question": "which occupations suit a person, why, and what is missing for each",
        "audience": "the person, and career advisers",
    },
    limits=(
        "Where skills and interests disagree, as in the slice `partial`, it does little better than chance, and "
        "its chances are too sure there: who has the skills without the interests looks alike to both rules and "
        "the model. Without interests and values, which real profiles seldom hold, skills alone decide. That a "
        "person reports an occupation is taken as a match, which says what they do and not what would suit them "
        "better."
    ),
)
