"""What is known of a role or a person, as one sparse row: skills held, letters of the title, words, group."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import polars as pl
from numpy.typing import NDArray

from feature_repo.errors import DataError
from training.learners.terms import Terms

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

Texts = NDArray[np.str_]
Floats = NDArray[np.float64]
PARTS = ("skills", "title", "description", "group")
# Weights of the parts, how far frequent skills are damped, and completion.RIDGE: the best of 26 settings on a fifth of
# the known skills of 2,879 ESCO occupations, hidden once more. Recall@20 there, on another draw: .570; with the skills
# alone .545, and undamped .536.
TITLE, DESCRIPTION, GROUP = 1.0, 2.0, 0.5
DAMPING = 0.2
LEVELS = 4  # an ISCO code has four digits, each a narrower group


@dataclass(frozen=True)
class Traits:
    """skills: names in order, each with its weight. letters, words: the texts' terms. groups: code prefixes."""

    skills: Texts
    weights: Floats
    letters: Terms
    words: Terms
    groups: Texts

    @staticmethod
    def of(roles: pl.DataFrame) -> "Traits":
        """The traits that roles have.

        roles: role_id, skills (list of names), title, description and group (texts; null where unknown).
        Raises DataError where a column is missing or no role has a skill.
        """
        _check(roles)
        skills, counts = np.unique(_members(roles)["skills"].to_numpy().astype(str), return_counts=True)
        if not len(skills):
            raise DataError("roles: no role has a skill, allowed: at least one")
        letters = Terms.fit(_texts(roles, "title"), "letters")
        words = Terms.fit(_stories(roles), "words")
        groups = np.unique(_prefixes(roles)["group"].to_numpy().astype(str))
        return Traits(skills, np.power(counts, -DAMPING, dtype=np.float64), letters, words, groups)

    def parts(self, roles: pl.DataFrame) -> dict[str, "csr_matrix"]:
        """Per part the rows, shape (roles, traits of the part), scaled so that their products are comparable."""
        from scipy.sparse import csr_matrix, diags

        _check(roles)
        held = _incidence(_members(roles), "skills", self.skills, roles.height)
        return {
            "skills": csr_matrix(held @ diags(self.weights)),
            "title": self.letters.rows(_texts(roles, "title")) * TITLE**0.5,
            "description": self.words.rows(_stories(roles)) * DESCRIPTION**0.5,
            "group": _incidence(_prefixes(roles), "group", self.groups, roles.height) * (GROUP / LEVELS) ** 0.5,
        }

    def save(self, folder: Path, name: str) -> None:
        """Write <name>.json, the names, and <name>.npz, the weights."""
        terms = {part: [each.analysis, each.vocabulary] for part, each in self._terms.items()}
        facts = {"skills": self.skills.tolist(), "groups": self.groups.tolist(), "terms": terms}
        (folder / f"{name}.json").write_text(json.dumps(facts, ensure_ascii=False))
        np.savez(folder / f"{name}.npz", skills=self.weights, letters=self.letters.weights, words=self.words.weights)

    @staticmethod
    def load(folder: Path, name: str) -> "Traits":
        """Read what save wrote."""
        facts = json.loads((folder / f"{name}.json").read_text())
        with np.load(folder / f"{name}.npz", allow_pickle=False) as weights:
            terms = {
                part: Terms(analysis, tuple(vocabulary), weights[part])
                for part, (analysis, vocabulary) in facts["terms"].items()
            }
            return Traits(
                np.array(facts["skills"], str), weights["skills"], **terms, groups=np.array(facts["groups"], str)
            )

    @property
    def _terms(self) -> dict[str, Terms]:
        return {"letters": self.letters, "words": self.words}


def _check(roles: pl.DataFrame) -> None:
    missing = sorted({"skills", "title", "description", "group"} - set(roles.columns))
    if missing:
        raise DataError(f"roles: column {missing[0]} is missing, found: {', '.join(roles.columns)}")


def _texts(roles: pl.DataFrame, column: str) -> list[str]:
    return roles[column].cast(pl.String).fill_null("").to_list()


def _stories(roles: pl.DataFrame) -> list[str]:
    return [f"{title} {text}" for title, text in zip(_texts(roles, "title"), _texts(roles, "description"), strict=True)]


def _members(roles: pl.DataFrame) -> pl.DataFrame:
    """A row per role and skill: row (the role's place), skills (the name)."""
    rows = roles.select(pl.col("skills").cast(pl.List(pl.String))).with_row_index("row")
    return rows.explode("skills").drop_nulls().unique(maintain_order=True)


def _prefixes(roles: pl.DataFrame) -> pl.DataFrame:
    """A row per role and level of its group: row, group (the code's first one, two, ... letters)."""
    code = pl.col("group").cast(pl.String)
    rows = roles.select(code).with_row_index("row").drop_nulls()
    levels = [
        rows.with_columns(code.str.head(level)).filter(code.str.len_chars() >= level) for level in range(1, LEVELS + 1)
    ]
    return pl.concat(levels)


def _incidence(pairs: pl.DataFrame, column: str, names: Texts, rows: int) -> "csr_matrix":
    """Shape (rows, names): 1 where a pair says so; names that are not known are left out."""
    from scipy.sparse import csr_matrix

    if not len(names):
        return csr_matrix((rows, 0))
    wanted = pairs[column].to_numpy().astype(str)
    places = np.minimum(np.searchsorted(names, wanted), len(names) - 1)
    found = names[places] == wanted
    shape = (rows, len(names))
    return csr_matrix((np.ones(found.sum()), (pairs["row"].to_numpy()[found], places[found])), shape=shape)


def places_of(names: Texts, wanted: Sequence[str]) -> NDArray[np.int64]:
    """Where the wanted names are. Raises DataError that names the first unknown one."""
    places = np.minimum(np.searchsorted(names, list(wanted)), len(names) - 1)
    for name, place in zip(wanted, places, strict=True):
        if names[place] != name:
            raise DataError(f"skills: {name!r} is unknown, allowed: one of the {len(names)} that the roles have")
    return places
