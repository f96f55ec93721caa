"""The synthetic world's words: headlines, postings, contents and occupations, put together from varied phrases."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from feature_repo.seed import wordings
from feature_repo.seed.careers import Careers
from feature_repo.seed.catalogue import CITY_NAMES
from feature_repo.seed.clusters import CLUSTERS, LETTERS, PER_DEPARTMENT
from feature_repo.seed.declared import Declared
from feature_repo.seed.learning import Contents
from feature_repo.seed.market import Market
from feature_repo.seed.people import Ints

Words = NDArray[np.str_]

BY_NAME = 0.5  # of the mentions of a skill name it; the others say it in other words
NO_HEADLINE = 0.04
WORDY = 0.5
HEADLINE_SKILLS = 3
OCCUPATION_SKILLS = 4
RANK_WORDS = np.array(["Trainee", "Junior", "Experienced", "Senior", "Leading", "Principal"])
STEPS = np.array(["first steps", "in practice", "for experts"])
LESSONS = np.array(
    [
        "A course in weekly lessons with exercises",
        "A video with worked examples",
        "An article to read at one sitting",
        "A project to do with a mentor",
    ]
)
READERS = np.array(
    [
        "It is meant for people who are new to it",
        "It suits those who use it now and then",
        "It asks for confidence and takes nothing for granted",
    ]
)
DOINGS = {
    "R": "works with machines and things",
    "I": "looks for causes in evidence",
    "A": "creates and gives form",
    "S": "helps and teaches people",
    "E": "persuades and leads",
    "C": "keeps order in records",
}


@dataclass(frozen=True)
class Texts:
    """A text for each talent (null for some), job, content and occupation; titles of jobs and contents."""

    headlines: pl.Series
    job_titles: pl.Series
    postings: pl.Series
    content_titles: pl.Series
    contents: pl.Series
    occupations: pl.Series


def texts(places: Market, said: Declared, offered: Contents, paths: Careers, rng: np.random.Generator) -> Texts:
    """All texts of a world."""
    titles = job_titles(places, rng)
    content_titles, content_texts = _contents(offered, rng)
    return Texts(
        headlines=_headlines(places, said, rng),
        job_titles=titles,
        postings=_postings(places, titles, rng),
        content_titles=content_titles,
        contents=content_texts,
        occupations=_occupations(paths, rng),
    )


def _joined(*parts: Any) -> pl.Series:
    """Texts put together by the row; a part is a column of words or a word for all rows."""
    columns = [pl.lit(part) if isinstance(part, str) else pl.Series(part) for part in parts]
    return pl.select(pl.concat_str(columns)).to_series()


def _drawn(words: Sequence[str], count: int, rng: np.random.Generator) -> Words:
    return np.array(words)[rng.integers(0, len(words), count)]


def _skills(skills: Ints, rng: np.random.Generator) -> Words:
    """Skills by name or in other words."""
    names, phrases = np.array(wordings.names()), np.array(wordings.phrases())
    return np.where(rng.random(skills.shape) < BY_NAME, names[skills], phrases[skills])


def _styled(words: Sequence[Sequence[str]], styles: Ints, rng: np.random.Generator) -> Words:
    found: Words = np.array(words)[styles, rng.integers(0, len(words[0]), len(styles))]
    return found


def _capitalised(words: Words) -> list[str]:
    return [word[:1].upper() + word[1:] for word in words.tolist()]


def job_titles(places: Market, rng: np.random.Generator) -> pl.Series:
    """Of one of the department's clusters, by rank."""
    titles = np.array([cluster.titles for cluster in CLUSTERS])
    jobs = places.jobs
    cluster = jobs.department * PER_DEPARTMENT + rng.integers(0, PER_DEPARTMENT, len(jobs))
    return pl.Series(titles[cluster, np.minimum(jobs.seniority, titles.shape[1] - 1)])


def _headlines(places: Market, said: Declared, rng: np.random.Generator) -> pl.Series:
    """Rank, city, the best declared skills, and how the talent likes to work."""
    talents, count = places.talents, len(places.talents)
    best = _skills(np.argsort(-said.levels, axis=1, kind="stable")[:, :HEADLINE_SKILLS], rng)
    wish = _styled(wordings.WISHES, talents.style, rng)
    line = _joined(
        RANK_WORDS[talents.seniority], " professional in ", np.array(CITY_NAMES)[talents.city], ": ",
        best[:, 0], ", ", best[:, 1], " and ", best[:, 2], "; ", wish, ".",
    )  # fmt: skip
    return pl.select(pl.when(pl.Series(rng.random(count) >= NO_HEADLINE)).then(line)).to_series()


def employers(places: Market) -> pl.Series:
    """The employers' names, by job."""
    names = [f"{stem} {end}" for stem in wordings.EMPLOYER_STEMS for end in wordings.EMPLOYER_ENDS]
    return pl.Series(np.array(names)[places.employer])


def _postings(places: Market, titles: pl.Series, rng: np.random.Generator) -> pl.Series:
    """Employer, title, each skill with the depth asked for, and style of work; half of them in fewer words."""
    jobs, count = places.jobs, len(places.jobs)
    depth = np.array(wordings.DEPTHS)[places.wanted_levels - 1]
    skill = _skills(places.wanted, rng)
    asked = [_joined(depth[:, place], " ", skill[:, place]) for place in range(skill.shape[1])]
    city, post = np.array(CITY_NAMES)[jobs.city], titles.str.to_lowercase()
    where = np.where(jobs.is_remote, " or from anywhere", "")
    style = _styled(wordings.PLACES, jobs.style, rng)
    long = _joined(
        employers(places), " builds for ", _drawn(wordings.PURPOSES, count, rng), " and looks for its next ", post,
        " in ", city, where, ". You bring ", asked[0], " and ", asked[1], "; welcome are ", asked[2], " and ",
        skill[:, 3], ". ", style, ".",
    )  # fmt: skip
    short = _joined(
        titles, ", ", city, where, ". We ask for ", asked[0], "; ", asked[1], "; also ", skill[:, 2], " and ",
        skill[:, 3], ". ", style, ". ", _drawn(wordings.PERKS, count, rng),
    )  # fmt: skip
    return pl.select(pl.when(pl.Series(rng.random(count) < WORDY)).then(long).otherwise(short)).to_series()


def _contents(offered: Contents, rng: np.random.Generator) -> tuple[pl.Series, pl.Series]:
    """Titles and texts: the skill by name and in other words, format, and for whom."""
    names, phrases = np.array(wordings.names())[offered.skill], np.array(wordings.phrases())[offered.skill]
    depth = np.array(wordings.DEPTHS)
    reach = depth[np.clip(np.round(offered.end).astype(np.int64), 1, 5) - 1]
    fill = _drawn(["step by step", "with cases from practice", "at your own pace"], len(offered), rng)
    title = _joined(_capitalised(names), ": ", STEPS[offered.band])
    text = _joined(
        LESSONS[offered.format], " about ", phrases, ", ", fill, ". ", READERS[offered.band],
        " and leads to ", reach, " ", names, ".",
    )  # fmt: skip
    return title, text


def _occupations(paths: Careers, rng: np.random.Generator) -> pl.Series:
    """What one does, in the words of the most important skills and of the cluster's interests."""
    top = np.argsort(-paths.importance, axis=1, kind="stable")[:, :OCCUPATION_SKILLS]
    skill = _skills(top, rng)
    doing = np.array([[DOINGS[letter] for letter in cluster.interests] for cluster in CLUSTERS])[paths.cluster]
    groups = np.array([cluster.name.lower() for cluster in CLUSTERS])[paths.cluster]
    assert set(DOINGS) == set(LETTERS)
    return _joined(
        "One who ", doing[:, 0], ", ", doing[:, 1], " and ", doing[:, 2], ", in ", groups, ". The days go to ",
        skill[:, 0], ", ", skill[:, 1], ", ", skill[:, 2], " and ", skill[:, 3], ".",
    )  # fmt: skip
