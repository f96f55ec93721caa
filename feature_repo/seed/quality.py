"""Checks of the data that the source databases hold, each a score from 0 to 1 that must reach a floor.

They read the databases back, so they judge what was written, and real data as well as made-up data. What a source does
not have (SiP knows no ratings, no ranks, no declared skills) is left out of the score, and the row says what was in it.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

import polars as pl

from feature_repo.errors import DataError
from feature_repo.extract import silent, window_rows
from feature_repo.seed import honesty
from feature_repo.seed.catalogue import SENIORITY_LEVELS
from feature_repo.settings import Settings
from feature_repo.sources.stream import Stream
from feature_repo.sources.streams import (
    assignments,
    career_matches,
    completions,
    feedback,
    occupation_skills,
    occupation_traits,
    person_traits,
    profiles,
    requirements,
    talent_skills,
    tasks,
    user_skills,
    workloads,
    worklogs,
)
from feature_repo.window import BEGINNING, Window

FLOOR = 0.7
ALWAYS = Window(BEGINNING, datetime(9999, 1, 1, tzinfo=UTC))
STREAMS = (tasks, completions, worklogs, assignments, requirements, profiles, user_skills, workloads, feedback)
CAREERS = (career_matches, talent_skills, occupation_skills, person_traits, occupation_traits)
FEWEST = 30  # pairs that a correlation needs
HIGHEST_LEVEL = 5.0

Rows = Mapping[str, pl.DataFrame]


@dataclass(frozen=True)
class QualityCheck:
    """One row of the answer. measured: what went into the score, in words with numbers."""

    name: str
    score: float
    floor: float
    passed: bool
    measured: str


@dataclass(frozen=True)
class Link:
    """Two quantities that go together: sign +1 or -1; goal: the correlation that counts as fully there."""

    name: str
    left: str
    right: str
    sign: int
    goal: float


LINKS = (
    Link("estimated and actual hours", "log_estimate", "log_actual", 1, 0.5),
    Link("skill match and hours over estimate", "match", "log_ratio", -1, 0.15),
    Link("skill match and rating", "match", "rating", 1, 0.2),
    Link("load and rating", "utilization", "rating", -1, 0.05),
)


def quality(settings: Settings, progress: Callable[[str], None] = silent) -> list[QualityCheck]:
    """The checks over all that the source databases hold; that of careers only where some were judged.

    Raises DataError when there are no assigned tasks, SourceError where a source cannot be read.
    """
    rows = {stream.name: _rows(settings, stream) for stream in STREAMS}
    progress(", ".join(f"{name} {frame.height:,}" for name, frame in rows.items()))
    if not (rows["tasks"].height and rows["assignments"].height):
        raise DataError("quality: the sources hold no assigned tasks, allowed: some; run `talentml seed` first")
    checks = {"skills": skills, "assignments": assigned, "outcomes": outcomes, "coverage": coverage}
    found = [_check(name, parts(rows)) for name, parts in checks.items()]
    return [*found, *career_honesty({stream.name: _rows(settings, stream) for stream in CAREERS})]


def _rows(settings: Settings, stream: Stream) -> pl.DataFrame:
    return pl.DataFrame(window_rows(settings, stream, ALWAYS))


def _check(name: str, parts: Mapping[str, float]) -> QualityCheck:
    score = sum(parts.values()) / len(parts) if parts else 0.0
    measured = "; ".join(f"{part} {value:.2f}" for part, value in parts.items())
    return QualityCheck(name, score, FLOOR, score >= FLOOR, measured)


def career_honesty(rows: Rows) -> list[QualityCheck]:
    """How often a plain model of later judgements is right: it must lie in a band (see honesty); none without careers.

    A score above the band fails too, though it is above the floor.
    """
    found = honesty.accuracy(rows)
    if found is None:
        return []
    score, pairs = found
    measured = f"accuracy {score:.3f} of {pairs:,} later pairs, allowed {honesty.LOWEST:.2f} to {honesty.HIGHEST:.2f}"
    is_honest = honesty.LOWEST <= score <= honesty.HIGHEST
    return [QualityCheck("career_honesty", score, honesty.LOWEST, is_honest, measured)]


def skills(rows: Rows) -> dict[str, float]:
    """Have those who get tasks skills, has somebody the skills that tasks ask for, do the senior know them better?"""
    known, given = rows["user_skills"], rows["assignments"].select("person_id").unique()
    wanted = rows["requirements"].select("skill_id").unique()
    parts = {
        "people with tasks who have skills": _share(given, known, "person_id"),
        "skills asked for that somebody has": _share(wanted, known, "skill_id"),
        "levels from 1 to 5": known.select(pl.col("level").is_between(1, HIGHEST_LEVEL).mean()).item() or 0.0,
    }
    rank = pl.col("seniority_level").replace_strict(SENIORITY_LEVELS, range(len(SENIORITY_LEVELS)), default=None)
    by_person = rows["profiles"].sort("valid_from").unique("person_id", keep="last").select("person_id", rank=rank)
    levels = known.group_by("person_id").agg(pl.col("level").mean()).join(by_person, on="person_id")
    return {**parts, **_links(levels, (Link("rank and level", "rank", "level", 1, 0.3),))}


def assigned(rows: Rows) -> dict[str, float]:
    """Do tasks go to people who can do them: is the chosen one's match above that of somebody who got another task?"""
    chosen = rows["assignments"].sort("task_id", "person_id")
    others = chosen.with_columns(person_id=pl.col("person_id").shuffle(seed=1))
    both = _match(chosen, rows).join(_match(others, rows), on="task_id", suffix="_other")
    wins = (pl.col("match") > pl.col("match_other")) + 0.5 * (pl.col("match") == pl.col("match_other"))
    return {"chosen person matches better than another": float(both.select(wins.mean()).item() or 0.0)}


def _match(pairs: pl.DataFrame, rows: Rows) -> pl.DataFrame:
    """How far each assigned person's skills of that time reach what the task asks for, 0 to 1."""
    states = rows["user_skills"].select("person_id", "skill_id", "as_of", has="level").sort("as_of")
    asked = pairs.join(rows["requirements"].select("task_id", "skill_id", "level"), on="task_id").sort("assigned_at")
    found = asked.join_asof(
        states, left_on="assigned_at", right_on="as_of", by=["person_id", "skill_id"], check_sortedness=False
    )
    reach = (pl.col("has").fill_null(0) / pl.col("level").fill_null(HIGHEST_LEVEL)).clip(0, 1)
    return found.group_by("task_id", "person_id").agg(reach.mean().alias("match"))


def outcomes(rows: Rows) -> dict[str, float]:
    """Do outcomes depend on what they should? Links that this source has no numbers for are left out."""
    given = rows["assignments"]
    done = given.join(rows["tasks"].select("task_id", "estimate_hours"), on="task_id").join(
        rows["completions"].select("task_id", "actual_hours"), on="task_id"
    )
    loads = rows["workloads"].select("person_id", "day", "utilization").sort("day")
    done = done.sort("assigned_at").join_asof(
        loads, left_on="assigned_at", right_on="day", by="person_id", check_sortedness=False
    )
    rated = done.join(
        rows["feedback"].select("task_id", "person_id", "rating"), on=["task_id", "person_id"], how="left"
    )
    estimate, actual = pl.col("estimate_hours").log(), pl.col("actual_hours").log()
    facts = rated.with_columns(
        log_estimate=estimate,
        log_actual=actual,
        log_ratio=actual - estimate,
        utilization=pl.col("utilization").fill_null(0),
    )
    match = _match(given, rows)
    if rows["requirements"]["level"].null_count() == rows["requirements"].height:
        match = match.clear()  # Nothing says how much of a skill a task asks for.
    return _links(facts.join(match, on=["task_id", "person_id"], how="left"), LINKS)


def _links(frame: pl.DataFrame, links: tuple[Link, ...]) -> dict[str, float]:
    """Of each link, the share of its goal that the correlation reaches, 0 to 1."""
    found = {}
    for link in links:
        pairs = frame.select(pl.col(link.left, link.right).cast(pl.Float64)).drop_nulls()
        finite = pairs.filter(pl.all_horizontal(pl.all().is_finite()))
        if finite.height >= FEWEST:
            correlation = float(finite.select(pl.corr(link.left, link.right)).item() or 0.0)
            found[f"{link.name} (r {correlation:+.2f}, goal {link.sign * link.goal:+.2f})"] = min(
                max(link.sign * correlation / link.goal, 0.0), 1.0
            )
    return found


def coverage(rows: Rows) -> dict[str, float]:
    """How many tasks have what a complete record has?"""
    every, ended = rows["tasks"], rows["completions"]
    return {
        "tasks given to somebody": _share(every, rows["assignments"], "task_id"),
        "tasks that ask for skills": _share(every, rows["requirements"], "task_id"),
        "tasks that ended": _share(every, ended, "task_id"),
        "ended tasks with hours of people": _share(ended, rows["worklogs"], "task_id"),
        "people with tasks whose load is known": _share(rows["assignments"], rows["workloads"], "person_id"),
    }


def _share(every: pl.DataFrame, some: pl.DataFrame, key: str) -> float:
    """The share of rows whose key is also in the other frame."""
    return every.join(some, on=key, how="semi").height / every.height if every.height else 0.0
