"""ESCO: a fifth of every occupation's essential skills is hidden; how many come back among the first twenty?"""

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import polars as pl
from numpy.typing import NDArray

from feature_repo.errors import DataError
from training.learners.completion import Completion, masked
from training.learners.traits import Traits
from training.suite.check import Check, Measured, table

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

Floats = NDArray[np.float64]
OCCUPATIONS, SKILLS = "esco/occupations.parquet", "esco/occupation_skill.parquet"
# Essential links of occupations with ten or more: there popularity finds .057 and a plain kNN .563, as in the table.
# (With optional links as well, popularity finds .050 and the kNN .553 at its best.) Masks differ: over seeds 0 to 3
# the kNN finds .553 to .569; this one gives the table's .563.
LEAST_SKILLS = 10
SHARE, SEED, FIRST, NEIGHBOURS = 0.2, 1, 20, 20
FEWEST = NEIGHBOURS + 1
LINKS = ("occupation_uri", "relation", "skill")
TEXTS = ("occupation_uri", "occupation_name", "occupation_description", "isco_code")


def roles(folder: Path) -> pl.DataFrame:
    """A row per occupation, in order of role_id: title, description, group (ISCO code) and its essential skills.

    Raises DataError where fewer than FEWEST have LEAST_SKILLS of them.
    """
    links = table(folder / SKILLS, LINKS).filter(pl.col("relation") == "essential")
    held = links.group_by(role_id="occupation_uri").agg(skills=pl.col("skill").unique().sort())
    texts = table(folder / OCCUPATIONS, TEXTS).select(
        role_id="occupation_uri",
        title=pl.col("occupation_name").str.strip_chars(),
        description="occupation_description",
        group=pl.col("isco_code").cast(pl.String),
    )
    large = held.filter(pl.col("skills").list.len() >= LEAST_SKILLS)
    if large.height < FEWEST:
        raise DataError(f"{SKILLS}: {large.height} occupations of {LEAST_SKILLS} skills, allowed: at least {FEWEST}")
    return large.join(texts, on="role_id", how="left").sort("role_id")


def measure(folder: Path) -> Measured:
    """Recall@20 of the hidden skills, the mean over occupations that have any."""
    shown, hidden = masked(roles(folder), SHARE, SEED)
    recall = partial(_recall, hidden)
    traits = Traits.of(shown)
    held = (traits.parts(shown)["skills"] > 0).astype(np.float64)
    found = Completion.fit(shown, SEED).ranked(shown, FIRST).select("row", "skill")
    return Measured(
        ours={"recall@20": recall(found)},
        baselines={
            "popularity": {"recall@20": recall(_top(traits, held, np.tile(held.sum(axis=0), (shown.height, 1))))},
            "plain": {"recall@20": recall(_top(traits, held, _nearest(held)))},
        },
        rows=hidden["row"].n_unique(),
    )


def _nearest(held: "csr_matrix") -> Floats:
    """Per occupation and skill, the sum of the cosines of those of its 20 nearest occupations that hold it."""
    lengths = np.maximum(np.sqrt(np.asarray(held.sum(axis=1)).ravel()), 1)
    cosines = (held @ held.T).toarray() / lengths[:, None] / lengths
    np.fill_diagonal(cosines, 0)
    least = -np.partition(-cosines, NEIGHBOURS - 1, axis=1)[:, [NEIGHBOURS - 1]]
    return np.asarray(np.where(cosines >= least, cosines, 0) @ held)


def _top(traits: Traits, held: "csr_matrix", scores: Floats) -> pl.DataFrame:
    """The first 20 skills that are not held, per row."""
    free = np.where(held.toarray() > 0, -np.inf, scores)
    first = np.argsort(-free, axis=1, kind="stable")[:, :FIRST]
    return pl.DataFrame({"row": np.repeat(np.arange(len(first)), FIRST), "skill": traits.skills[first.ravel()]})


def _recall(hidden: pl.DataFrame, found: pl.DataFrame) -> float:
    hits = found.select(pl.col("row").cast(hidden["row"].dtype), "skill", hit=pl.lit(1.0))
    judged = hidden.join(hits, on=["row", "skill"], how="left").with_columns(pl.col("hit").fill_null(0.0))
    return float(judged.group_by("row").agg(pl.col("hit").mean())["hit"].to_numpy().mean())


CHECKS = (
    Check(
        name="esco_masked_skills",
        title="ESCO: find 20% masked skills, recall@20",
        product="skill_gap",
        files=(OCCUPATIONS, SKILLS),
        split="a random fifth of the essential skills of each occupation with ten or more is hidden",
        aims={"recall@20": 0.62},
        measure=measure,
        licence="This service uses the ESCO classification of the European Commission (2011/833/EU).",
    ),
)
