"""The synthetic careers: occupations, what people care for, and counsellors' judgements, which are far from certain."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from feature_repo.seed.catalogue import CORE, SKILLS
from feature_repo.seed.clusters import CLUSTERS, PER_DEPARTMENT, RANKS, TRAITS, profiles
from feature_repo.seed.market import Market
from feature_repo.seed.people import Floats, Ints
from feature_repo.seed.wordings import STYLES
from feature_repo.sources.streams.careers import MATCH_TYPES

MATCHES_PER_TALENT = 2
OWN_DEPARTMENT = 0.85
NEIGHBOURS = 5
SKILL_WEIGHT = 0.55  # of a pair's similarity; the traits have the rest
RANK_PAY = (26_000.0, 40_000.0, 58_000.0, 78_000.0, 105_000.0)
# How each style of working shows in what people value.
STYLE_VALUES = {"fast": "achievement", "careful": "support", "together": "relationships", "free": "independence"}
TYPES = MATCH_TYPES[:6]
TYPE_SHARES = (0.25, 0.20, 0.15, 0.25, 0.10, 0.05)
# How often a counsellor says yes. Whoever knew the type would be right in 80 of 100 cases, and nobody does better.
YES = (0.90, 0.72, 0.34, 0.07, 0.42, 0.22)
BANDS = {"STRONG": (0.7, 0.9), "MODERATE": (0.5, 0.7), "WEAK": (0.3, 0.5), "POOR": (0.0, 0.3)}
HALVES_APART = 0.45  # of skills and traits, for a PARTIAL pair
WRONG = (0.6, 0.35)  # at least so alike in skills, at most so alike in interests and values


@dataclass(frozen=True)
class Judgements:
    """Arrays over judged pairs of a talent and an occupation; kind: an index into TYPES, judged: in seconds."""

    talent: Ints
    occupation: Ints
    kind: Ints
    similarity: Floats
    is_match: NDArray[np.bool_]
    judged: Ints


@dataclass(frozen=True)
class Careers:
    """Occupations: arrays over them; wanted: shape (occupations, skills), 0 or 1 to 5; importance likewise, 0 to 1.

    served, cared: traits from 0 to 1, shapes (occupations, traits) and (talents, traits). related: shape (occupations,
    NEIGHBOURS), nearest first.
    """

    cluster: Ints
    rank: Ints
    wage: Floats
    wanted: Floats
    importance: Floats
    served: Floats
    cared: Floats
    related: Ints
    judgements: Judgements


def careers(places: Market, seconds: int, rng: np.random.Generator) -> Careers:
    """Occupations, traits of the market's talents, and the pairs that were judged over the history."""
    cluster, rank = np.repeat(np.arange(len(CLUSTERS)), RANKS), np.tile(np.arange(RANKS), len(CLUSTERS))
    wanted, importance = _needs(cluster, rank, rng)
    served = _shares(profiles()[cluster] + rng.normal(0, 0.05, (len(cluster), len(TRAITS))))
    cared = _cared(places, _callings(places, rng), rng)
    in_skills, in_traits = coverage(places.levels, wanted, importance), agreement(cared, served)
    own = places.talents.department[:, None] == cluster // PER_DEPARTMENT
    return Careers(
        cluster=cluster,
        rank=rank,
        wage=np.asarray(np.round(np.array(RANK_PAY)[rank] * rng.lognormal(0, 0.12, len(rank)), -2), dtype=np.float64),
        wanted=wanted,
        importance=importance,
        served=served,
        cared=cared,
        related=_related(wanted, importance, served, rank),
        judgements=_judgements(places, in_skills, in_traits, own, seconds, rng),
    )


def _judgements(
    places: Market,
    in_skills: Floats,
    in_traits: Floats,
    own: NDArray[np.bool_],
    seconds: int,
    rng: np.random.Generator,
) -> Judgements:
    """Judged pairs, of people who had joined by then. The first three: shape (talents, occupations)."""
    talent, occupation, kind = _sample(in_skills, in_traits, own, MATCHES_PER_TALENT * len(places.talents), rng)
    judged = (rng.random(len(talent)) * (seconds - 1)).astype(np.int64)
    is_match = rng.random(len(talent)) < np.array(YES)[kind]
    known = judged >= places.joined[talent]
    talent, occupation = talent[known], occupation[known]
    similarity = _shares(_blend(in_skills[talent, occupation], in_traits[talent, occupation]))
    return Judgements(talent, occupation, kind[known], similarity, is_match[known], judged[known])


def _needs(cluster: Ints, rank: Ints, rng: np.random.Generator) -> tuple[Floats, Floats]:
    """Levels and importance: five core skills of the department, more of one end for each cluster, and two common."""
    level, importance = np.zeros((2, len(cluster), len(SKILLS)))
    for row, (group, height) in enumerate(zip(cluster, rank, strict=True)):
        first = group // PER_DEPARTMENT * CORE
        core = first + np.array((0, 1, 2, 3, 4) if group % PER_DEPARTMENT == 0 else (0, 4, 5, 6, 7))
        common = np.array([SKILLS.index(skill) for skill in CLUSTERS[group].common])
        skills = np.concatenate([core, common])
        level[row, skills] = np.clip(np.round(1.2 + 0.6 * height + rng.normal(0, 0.5, len(skills)), 1), 1, 5)
        importance[row, skills] = np.round(np.linspace(0.95, 0.45, len(skills)), 2)
    return level, importance


def _callings(places: Market, rng: np.random.Generator) -> Ints:
    """The cluster that each talent is drawn to: mostly one of their department's."""
    count = len(places.talents)
    own = places.talents.department * PER_DEPARTMENT + rng.integers(0, PER_DEPARTMENT, count)
    return np.where(rng.random(count) < OWN_DEPARTMENT, own, rng.integers(0, len(CLUSTERS), count))


def _cared(places: Market, calling: Ints, rng: np.random.Generator) -> Floats:
    cared = profiles()[calling] + rng.normal(0, 0.14, (len(calling), len(TRAITS)))
    valued = np.array([TRAITS.index(STYLE_VALUES[style]) for style in STYLES])[places.talents.style]
    cared[np.arange(len(calling)), valued] += 0.2
    return _shares(cared)


def _shares(values: Floats) -> Floats:
    return np.asarray(np.round(np.clip(values, 0, 1), 3), dtype=np.float64)


def coverage(levels: Floats, wanted: Floats, importance: Floats) -> Floats:
    """How far levels reach what occupations want, weighted by importance, 0 to 1. Shape (people, occupations)."""
    found = np.zeros((len(levels), len(wanted)))
    for column, (need, weight) in enumerate(zip(wanted, importance, strict=True)):
        skills = np.flatnonzero(need)
        reach = np.minimum(levels[:, skills] / need[skills], 1.0)
        found[:, column] = reach @ weight[skills] / weight[skills].sum()
    return found


def agreement(cared: Floats, served: Floats) -> Floats:
    """Correlation over the traits, those below 0 as 0. Shape (people, occupations)."""

    def standard(values: Floats) -> Floats:
        centred = values - values.mean(axis=1, keepdims=True)
        return np.asarray(centred / np.linalg.norm(centred, axis=1, keepdims=True))

    return np.asarray(np.clip(standard(cared) @ standard(served).T, 0, 1))


def _blend(in_skills: Floats, in_traits: Floats) -> Floats:
    return SKILL_WEIGHT * in_skills + (1 - SKILL_WEIGHT) * in_traits


def _kinds(in_skills: Floats, in_traits: Floats, own: NDArray[np.bool_]) -> Ints:
    """The type of each pair, -1 for those of none."""
    both = _blend(in_skills, in_traits)
    banded = {name: (both >= low) & (both < high) for name, (low, high) in BANDS.items()}
    wrong = (in_skills >= WRONG[0]) & (in_traits <= WRONG[1])
    partial = np.abs(in_skills - in_traits) >= HALVES_APART
    conditions = [wrong, partial, banded["STRONG"], banded["MODERATE"], banded["WEAK"], banded["POOR"] & ~own]
    names = ("WRONG_INTERESTS", "PARTIAL", "STRONG", "MODERATE", "WEAK", "POOR")
    return np.select(conditions, [TYPES.index(name) for name in names], -1)


def _sample(
    in_skills: Floats, in_traits: Floats, own: NDArray[np.bool_], count: int, rng: np.random.Generator
) -> tuple[Ints, Ints, Ints]:
    """Pairs (talent, occupation, type) in the proportions of TYPE_SHARES, no pair twice."""
    kinds = _kinds(in_skills, in_traits, own).ravel()
    chosen = []
    for kind, share in enumerate(TYPE_SHARES):
        found = np.flatnonzero(kinds == kind)
        chosen.append(rng.choice(found, min(round(share * count), len(found)), replace=False))
    flat = np.sort(np.concatenate(chosen))
    talent, occupation = np.divmod(flat, in_skills.shape[1])
    return talent, occupation, kinds[flat]


def _related(wanted: Floats, importance: Floats, served: Floats, rank: Ints) -> Ints:
    """Of each occupation those nearest in skills, traits and rank."""
    near = 0.6 * coverage(wanted, wanted, importance).T + 0.4 * agreement(served, served)
    near -= 0.15 * np.abs(rank[:, None] - rank)
    np.fill_diagonal(near, -np.inf)
    return np.argsort(-near, axis=1, kind="stable")[:, :NEIGHBOURS]
