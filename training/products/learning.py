"""What to learn next, and in which order (REQUIREMENTS 3.5)."""

from collections.abc import Sequence
from datetime import datetime, timedelta

import polars as pl

from feature_repo.column import Column
from feature_repo.entities import content, person, target
from feature_repo.features import content as content_f
from feature_repo.features import study
from feature_repo.features import talent as talent_f
from feature_repo.features import target as target_f
from feature_repo.window import Window
from training.asking.diversity import diverse
from training.asking.learning_path import Step, path
from training.asking.pools import nearest
from training.baselines import known, scored
from training.labels import everybody_with
from training.metrics import hit_at, ndcg_at
from training.off_policy import bounds, dr_value, ips_value
from training.product import Baseline, Drift, Facts, Gate, Label, Product, TimeSplit
from training.route import Answered, Choose, Extra, Ids, Published, Route
from training.trainers.bandit import EngagementBandit
from training.tuning.space import Range, Search

MOST_LISTS = 2_000
"""Of a window: each stands with every item that could have been shown, and a sample tells as much."""
COLUMNS: tuple[Column, ...] = (
    study.level_before,
    study.step_up,
    study.gain,
    study.gain_per_hour,
    study.is_wanted,
    study.readiness,
    study.usual_worth,
    study.text_similarity,
    content_f.from_level,
    content_f.to_level,
    content_f.hours,
    content_f.skill_id,
    content_f.format,
)


def list_rows(facts: Facts, window: Window) -> pl.DataFrame:
    """For each list that was shown in the window, a row for every item that could have been.

    position, propensity and reward: null for items that were not shown. relevance: 1 for those that were worth
    something. group is the list.
    """
    shown = facts("engagements").filter(pl.col("shown_at").is_between(window.since, window.until, closed="left"))
    lists = shown.select("slate_id", "person_id", "shown_at").unique("slate_id").sort(pl.col("slate_id").hash(42))
    published = facts("contents").select("content_id", "published_at")
    rows = lists.head(MOST_LISTS).join(published, how="cross").filter(pl.col("published_at") <= pl.col("shown_at"))
    told = shown.select("slate_id", "content_id", "position", "propensity", "reward")
    return (
        rows.join(told, on=["slate_id", "content_id"], how="left")
        .select(
            "person_id", "content_id", pl.col("shown_at").alias("event_timestamp"), pl.col("slate_id").alias("group"),
            pl.col("content_id").alias("item"), pl.col("position").cast(pl.Float64), "propensity", "reward",
            relevance=(pl.col("reward") > 0).fill_null(False).cast(pl.Float64), is_candidate=True,
        )
        .sort("event_timestamp", "group", "content_id")
        .collect()
    )  # fmt: skip


def due_lists(facts: Facts, as_of: datetime) -> pl.DataFrame:
    """Everybody with every content, as many people as MOST_DUE rows hold."""
    contents = facts("contents").select("content_id").sort("content_id").collect()
    return everybody_with(contents, facts, as_of)


def _teaching(published: Published) -> Choose:
    """What teaches the target's skills, then what these build on; without a target what is nearest to the person."""
    contents = published.facts("contents").select("content_id", "skill_id").sort("content_id").collect()
    before = published.facts("prerequisites").select("skill_id", "prerequisite_id").collect()
    near = nearest(lambda _: contents["content_id"], content, content_f.vector, talent_f.vector)(published)

    def choose(subject: Ids) -> Sequence[str]:
        if "target_id" not in subject:
            return near(subject)
        found = published.read(pl.DataFrame({"target_id": [subject["target_id"]]}), [target_f.skills])
        skills = found[target_f.skills.qualified].to_list()[0] or []
        needed = before.filter(pl.col("skill_id").is_in(skills))["prerequisite_id"].to_list()
        wanted = pl.DataFrame({"skill_id": [*dict.fromkeys([*skills, *needed])]}, {"skill_id": pl.String})
        teaching: list[str] = wanted.join(contents, on="skill_id", maintain_order="left_right")["content_id"].to_list()
        return teaching or near(subject)

    return choose


def _titles(answered: Answered) -> list[str]:
    names = answered.features.select("content_id").lazy()
    titles = answered.published.facts("contents").select("content_id", "title")
    return names.join(titles, on="content_id", how="left", maintain_order="left").collect()["title"].to_list()


def _score(score: pl.Expr, frame: pl.DataFrame) -> pl.DataFrame:
    return scored(score, frame).with_columns(content_score="score", collaborative_score=pl.lit(0.5))


heuristic = Baseline(
    "heuristic",
    (study.gain, study.step_up, study.is_wanted),
    lambda frame: _score(
        0.25 * known(study.gain, 0.5) * (1 - known(study.step_up, 0.0).clip(0, 2) / 2)
        + 0.25 * known(study.is_wanted, 0.0),
        frame,
    ),
)
"""What would be gained, less where it is too hard, more where it is wanted."""

popular = Baseline("popular", (study.usual_worth,), lambda frame: _score(known(study.usual_worth, 0.1), frame))
"""What was worth most to others."""

learning = Product(
    name="learning",
    title="Learning",
    entities=(person, content),
    columns=COLUMNS,
    label=Label("reward", list_rows),
    outputs=("score", "content_score", "collaborative_score", "confidence"),
    split=TimeSplit(validation=timedelta(days=182), test=timedelta(days=365), history=timedelta(days=365 * 10)),
    trainer=EngagementBandit(attributes=(content_f.skill_id.qualified, content_f.format.qualified)),
    metrics=(dr_value(), *bounds(dr_value()), ips_value(), *bounds(ips_value()), ndcg_at(10), hit_at(10)),
    baselines=(heuristic, popular),
    fallback="heuristic",
    gate=Gate(metric="dr_value", beats="heuristic"),
    search=Search({"factors": Range(4, 64, log=True)}, trials=10),
    drift=Drift(share=0.3),
    routes=(
        Route(
            "/api/v1/recommendations/generate",
            subject=(person, target),
            optional=frozenset({target.key}),
            items=content,
            title="What to learn next, and in which order",
            named="contents",
            pool=_teaching,
            order=diverse(content_f.vector, relevance=0.7),
            reads=(content_f.vector,),
            extras=(
                Extra("title", str, _titles, "The content in a line", per_row=True),
                Extra("path", list[Step], path, "In which order to study what is recommended"),
            ),
            batch="/api/v1/recommendations/batch",
        ),
    ),
    due=due_lists,
    tags={
        "question": "what to learn next, and in which order",
        "audience": "the person who learns",
    },
    limits=(
        "The lists that people were shown are few, so the intervals are wide: neither policy can be told from the "
        "other with confidence, and the order by what was worth most to others is ahead on this world. As a "
        "ranking of what people did finish it is behind the heuristic, since the gate asks for reward per place "
        "and not for hits. Off-policy values hold for lists like those that were shown; weights above 30 are cut, "
        "which pulls them towards the policy that showed them. No public set holds learning, so no real data "
        "stand behind this page."
    ),
)
