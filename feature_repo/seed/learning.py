"""The synthetic learning: contents, lists of them as a logging policy showed them, and what people made of these.

The policy knows declared skills and wishes. Clicks and completions depend on the true level, the appeal of the skill,
a taste for formats and kinds of content that people share in groups, quality, and the place in the list.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from feature_repo.seed.catalogue import COMMON_SKILLS, CORE, SKILLS
from feature_repo.seed.declared import Declared
from feature_repo.seed.market import Market
from feature_repo.seed.people import Floats, Ints
from feature_repo.seed.tasks import SECONDS_PER_DAY
from feature_repo.sources.streams.learning import FORMATS, SLATE

BANDS = ((1.0, 2.5), (2.0, 3.5), (3.0, 5.0))  # from and to level of the three contents of each skill
BAND_HOURS = (4.0, 8.0, 14.0)
FORMAT_HOURS = (1.5, 0.5, 0.25, 2.0)
LATER = 0.25  # the share of contents that are published during the history
SLATES_PER_PERSON = 4 / 3
EPSILON = 0.15  # of the logging policy: the chance that a place is filled by any item
TEMPERATURE = 0.5
TASTES = 3
PATIENCE = 0.12  # each place further down makes an item 12% harder to notice than the first
DAYS_TO_FINISH = 14
REWARD_NOISE = 0.08
GAIN = 2.0  # levels that are worth everything


@dataclass(frozen=True)
class Contents:
    """Arrays over contents. quality: standard normal; taste: shape (contents, TASTES); both seen by nobody."""

    skill: Ints
    band: Ints
    start: Floats
    end: Floats
    hours: Floats
    format: Ints
    published: Ints
    quality: Floats
    taste: Floats

    def __len__(self) -> int:
        return len(self.skill)


@dataclass(frozen=True)
class Slates:
    """Lists of SLATE contents shown to a person. person, shown: over slates; the rest: shape (slates, SLATE).

    content: by place. propensity: the policy's probability of that content for the place, given those above it.
    """

    person: Ints
    shown: Ints
    content: Ints
    propensity: Floats
    clicked: NDArray[np.bool_]
    completed: NDArray[np.bool_]
    reward: Floats


def contents(seconds: int, rng: np.random.Generator) -> Contents:
    """Three contents for each skill of the catalogue, a quarter of them published during the history."""
    skill, band = np.repeat(np.arange(len(SKILLS)), len(BANDS)), np.tile(np.arange(len(BANDS)), len(SKILLS))
    count, kind = len(skill), rng.choice(len(FORMATS), len(skill), p=(0.35, 0.3, 0.2, 0.15))
    bounds = np.array(BANDS)[band]
    hours = np.array(BAND_HOURS)[band] * np.array(FORMAT_HOURS)[kind] * rng.lognormal(0, 0.35, count)
    days = rng.integers(1, seconds // SECONDS_PER_DAY * 4 // 5, count)
    return Contents(
        skill=skill,
        band=band,
        start=bounds[:, 0],
        end=np.clip(bounds[:, 1] + np.round(rng.normal(0, 0.25, count), 1), bounds[:, 0] + 0.5, 5.0),
        hours=np.round(np.maximum(hours, 0.5) * 2) / 2,
        format=kind,
        published=np.where(rng.random(count) < LATER, days * SECONDS_PER_DAY, 0),
        quality=rng.normal(size=count),
        taste=rng.normal(size=(count, TASTES)),
    )


def slates(places: Market, said: Declared, offered: Contents, seconds: int, rng: np.random.Generator) -> Slates:
    """What was shown to the people at work, some of whom come often, and what they did with it."""
    count, people = round(places.employees * SLATES_PER_PERSON), places.employees
    activity = rng.lognormal(0, 0.8, people)
    person = rng.choice(people, count, p=activity / activity.sum())
    first = places.joined[person]
    shown = first + (rng.random(count) * (seconds - 1 - first)).astype(np.int64)
    order = np.argsort(shown, kind="stable")
    person, shown = person[order], shown[order]
    content, propensity = _shown(_merit(places, said, offered, person), offered.published <= shown[:, None], rng)
    gap = _gap(places, offered, person)
    gains = np.take_along_axis(gap, content, axis=1)
    clicked, completed = _responses(places, said, offered, person, content, gains, rng)
    worth = np.clip(gains / GAIN + rng.normal(0, REWARD_NOISE, gains.shape), 0, 1)
    reward = np.asarray(np.round(np.where(completed, worth, 0.0), 4), dtype=np.float64)
    return Slates(person, shown, content, propensity, clicked, completed, reward)


def _merit(places: Market, said: Declared, offered: Contents, person: Ints) -> Floats:
    """The logging policy's heuristic: own work, wishes, and contents that start near the declared level."""
    department = places.talents.department[person]
    own = offered.skill // CORE == department[:, None]
    common = offered.skill >= len(SKILLS) - len(COMMON_SKILLS)
    wished = np.zeros(said.levels.shape, dtype=np.bool_)
    wished[said.wishes[:, 0], said.wishes[:, 1]] = True
    level = np.maximum(said.levels[person][:, offered.skill], 1.0)
    return np.asarray(
        1.2 * own + 0.5 * common + 1.0 * wished[person][:, offered.skill] - 0.5 * np.abs(level - offered.start)
    )


def _shown(merit: Floats, may_show: NDArray[np.bool_], rng: np.random.Generator) -> tuple[Ints, Floats]:
    """Fill the places one after the other: by softmax of merit, or with EPSILON by chance. Shapes (slates, SLATE)."""
    weight = np.exp((merit - merit.max(axis=1, keepdims=True)) / TEMPERATURE) * may_show
    left, rows = may_show.copy(), np.arange(len(merit))
    content, propensity = np.zeros((len(merit), SLATE), dtype=np.int64), np.zeros((len(merit), SLATE))
    for place in range(SLATE):
        by_merit = weight * left
        chance = (1 - EPSILON) * by_merit / by_merit.sum(axis=1, keepdims=True)
        chance += EPSILON * left / left.sum(axis=1, keepdims=True)
        bounds = chance.cumsum(axis=1)
        drawn = rng.random(len(merit)) * bounds[:, -1]
        chosen = np.minimum((bounds <= drawn[:, None]).sum(axis=1), merit.shape[1] - 1)
        content[:, place], propensity[:, place] = chosen, chance[rows, chosen]
        left[rows, chosen] = False
    return content, propensity


def _gap(places: Market, offered: Contents, person: Ints) -> Floats:
    """Levels that the person would gain and can use: up to what own work asks for. Shape (slates, contents)."""
    talents = places.talents
    level = places.levels[person][:, offered.skill]
    own = offered.skill // CORE == talents.department[person][:, None]
    common = offered.skill >= len(SKILLS) - len(COMMON_SKILLS)
    target = np.where(own, 2.5, np.where(common, 2.0, 1.0)) + 0.5 * talents.seniority[person][:, None]
    too_hard = np.clip(offered.start - np.maximum(level, 1.0), 0, None)
    return np.asarray(np.clip(np.minimum(offered.end, target) - level, 0, None) * np.clip(1 - too_hard / 1.5, 0, 1))


def _responses(
    places: Market,
    said: Declared,
    offered: Contents,
    person: Ints,
    content: Ints,
    gains: Floats,
    rng: np.random.Generator,
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Whether each item was opened, and whether it was finished. Shape (slates, SLATE)."""
    tastes = (
        rng.normal(size=(places.employees, TASTES))
        + rng.normal(size=(8, TASTES))[places.talents.department[: places.employees]]
    )
    formats = rng.normal(0, 0.7, (places.employees, len(FORMATS)))
    shared = (tastes[person][:, None, :] * offered.taste[content]).sum(axis=2)
    appeal = said.appeal[person[:, None], offered.skill[content]]
    wanted = 0.5 * shared + 0.5 * appeal + formats[person[:, None], offered.format[content]] + 0.9 * gains
    noticed = 1 / (1 + PATIENCE * np.arange(SLATE))
    clicked = rng.random(content.shape) < noticed * _logistic(wanted - 2.4)
    effort = offered.hours[content] / 12
    finishing = 0.4 + 0.6 * offered.quality[content] + 0.3 * shared + 0.3 * gains - effort
    return clicked, clicked & (rng.random(content.shape) < _logistic(finishing))


def _logistic(values: Floats) -> Floats:
    return np.asarray(1 / (1 + np.exp(-values)))
