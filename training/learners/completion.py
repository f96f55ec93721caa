"""Completing a set of skills: what else belongs to a role or person, given what is held, the title and the group.

EASE (Steck 2019, "Embarrassingly shallow autoencoders"), a ridge regression of each skill on all the others, with the
words and the group of a role as further inputs. It is solved between roles, not between skills: 3,000 x 3,000 and not
11,000 x 11,000, with the same answer. It is linear, so a score is a sum over held skills, title, description and group.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import polars as pl
from numpy.typing import NDArray

from training.learners.traits import PARTS, Floats, Traits, places_of

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

Singles = NDArray[np.float32]
RIDGE = 10.0  # chosen with the parts' weights, see traits
HIDDEN = 0.2  # share of the known skills that is hidden to learn what a score means
BLOCK = 512  # roles at a time: their scores for 11,000 skills are 23 MB
JUDGED = 200  # best skills of a role that probabilities are learnt on
Curve = tuple[Floats, Floats]
_FREE = pl.col("score").is_finite()
UNKNOWN: Curve = (np.array([0.0, 1.0]), np.array([0.0, 1.0]))


@dataclass(frozen=True)
class Completion:
    """traits: how rows are read. rows: the known roles' traits by part. inverse: shape (roles, roles).

    leverage: per skill, how far its known holders predict themselves. scale, chance: score to probability, knots.
    """

    traits: Traits
    rows: Mapping[str, "csr_matrix"]
    inverse: Singles
    leverage: Floats
    scale: Floats
    chance: Floats

    @staticmethod
    def fit(roles: pl.DataFrame, seed: int) -> "Completion":
        """Learn from roles (see Traits.of); probabilities are learnt on a fifth of their skills, hidden by seed.

        Raises DataError where a column is missing or no role has a skill.
        """
        shown, hidden = masked(roles, HIDDEN, seed)
        rehearsal = Completion._solve(shown, UNKNOWN)
        return Completion._solve(roles, _calibrated(rehearsal, shown, hidden))

    @staticmethod
    def _solve(roles: pl.DataFrame, curve: Curve) -> "Completion":
        traits = Traits.of(roles)
        rows = traits.parts(roles)
        kernel = sum((part @ part.T).toarray() for part in rows.values())
        inverse = np.linalg.inv(kernel + RIDGE * np.eye(roles.height)).astype(np.float32)
        return Completion(traits, rows, inverse, _leverage(rows["skills"], inverse), *curve)

    @property
    def skills(self) -> list[str]:
        """The names of the skills, in the order of the scores."""
        return [str(name) for name in self.traits.skills]

    def scores(self, roles: pl.DataFrame) -> Singles:
        """How well each skill fits, shape (roles, skills); -inf where it is held already."""
        rows = self.traits.parts(roles)
        return _free(self._fits(np.add.reduce([self._likeness(rows[part], part) for part in PARTS])), rows["skills"])

    def _likeness(self, rows: "csr_matrix", part: str) -> Singles:
        """Products of a part's rows with those of the known roles, shape (rows, known roles)."""
        return np.asarray((rows @ self.rows[part].T).toarray(), np.float32)

    def _fits(self, likeness: Singles) -> Singles:
        """What likeness to the known roles adds to each score, shape (rows, skills)."""
        fits = (self._holders @ (likeness @ self.inverse).T).T
        return np.asarray(fits / ((1 - self.leverage) * self.traits.weights), np.float32)

    @cached_property
    def _holders(self) -> "csr_matrix":
        return self.rows["skills"].T.astype(np.float32).tocsr()

    def probabilities(self, scores: Singles) -> Floats:
        """The share of skills with such a score that did belong, when a fifth of a role's skills was hidden."""
        return np.interp(scores, self.scale, self.chance, left=0.0)

    def best(self, roles: pl.DataFrame, limit: int) -> pl.DataFrame:
        """The skills that fit best: row (place in roles), rank from 1, skill, score, probability, a column per part.

        roles: as for fit; title, description and group may be null and skills empty: then there is no evidence of
        that part. The parts sum to the score.
        """
        return pl.concat([self._best(block, first, limit) for first, block in _blocks(roles)])

    def _best(self, roles: pl.DataFrame, first: int, limit: int) -> pl.DataFrame:
        rows = self.traits.parts(roles)
        parts = {part: self._fits(self._likeness(rows[part], part)) for part in PARTS}
        order, found = self._first(_free(np.add.reduce(list(parts.values())), rows["skills"]), first, limit)
        chances = pl.Series("probability", self.probabilities(found["score"].to_numpy()))
        taken = {f"from_{part}": np.take_along_axis(values, order, axis=1).ravel() for part, values in parts.items()}
        return found.with_columns(chances, **{name: pl.Series(values) for name, values in taken.items()}).filter(_FREE)

    def ranked(self, roles: pl.DataFrame, limit: int) -> pl.DataFrame:
        """As `best`, without probability and parts, which cost four times as much: row, rank, skill, score."""
        blocks = [self._first(self.scores(block), first, limit)[1] for first, block in _blocks(roles)]
        return pl.concat(blocks).filter(_FREE)

    def _first(self, scores: Singles, first: int, limit: int) -> tuple[NDArray[np.int64], pl.DataFrame]:
        """The places of the highest scores, of equals the first, and who they are; rows are counted from `first`."""
        order = np.argsort(-scores, axis=1, kind="stable")[:, :limit]
        rows, width = order.shape
        found = {
            "row": np.repeat(np.arange(first, first + rows), width),
            "rank": np.tile(np.arange(1, width + 1), rows),
            "skill": self.traits.skills[order.ravel()],
            "score": np.take_along_axis(scores, order, axis=1).ravel(),
        }
        return order, pl.DataFrame(found)

    def because(self, held: list[str], skill: str) -> pl.DataFrame:
        """What each held skill adds to the score of another, most first: skill, contribution. They sum to from_skills.

        Raises DataError where a skill is unknown.
        """
        (target,) = places_of(self.traits.skills, [skill])
        places = places_of(self.traits.skills, held)
        columns = self.rows["skills"].tocsc()
        pull = self.inverse @ columns[:, [target]].toarray().ravel()
        adds = self.traits.weights[places] * (columns[:, places].T @ pull)
        adds = adds / ((1 - self.leverage[target]) * self.traits.weights[target])
        return pl.DataFrame({"skill": held, "contribution": adds}).sort(
            "contribution", descending=True, maintain_order=True
        )

    def save(self, folder: Path, name: str = "completion") -> None:
        """Write <name>_traits.json and .npz, <name>.npz and per part <name>_<part>.npz."""
        from scipy.sparse import save_npz

        self.traits.save(folder, f"{name}_traits")
        arrays = {key: getattr(self, key) for key in ("inverse", "leverage", "scale", "chance")}
        np.savez(folder / f"{name}.npz", **arrays)
        for part, rows in self.rows.items():
            save_npz(folder / f"{name}_{part}.npz", rows)

    @staticmethod
    def load(folder: Path, name: str = "completion") -> "Completion":
        """Read what save wrote."""
        from scipy.sparse import load_npz

        rows = {part: load_npz(folder / f"{name}_{part}.npz") for part in PARTS}
        with np.load(folder / f"{name}.npz", allow_pickle=False) as arrays:
            return Completion(Traits.load(folder, f"{name}_traits"), rows, **{key: arrays[key] for key in arrays.files})


def masked(roles: pl.DataFrame, share: float, seed: int) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The roles with a random share of their skills taken away, and what was taken: row, skill."""
    pairs = (
        roles.select(pl.col("skills").list.unique(maintain_order=True))
        .with_row_index("row")
        .explode("skills")
        .drop_nulls()
    )
    taken = np.random.default_rng(seed).random(pairs.height) < share
    left = pairs.filter(pl.Series(~taken)).group_by("row").agg("skills")
    shown = roles.drop("skills").with_row_index("row").join(left, on="row", how="left", maintain_order="left")
    empty = pl.col("skills").fill_null(pl.lit([], pl.List(pl.String)))
    return shown.with_columns(empty).drop("row"), pairs.filter(pl.Series(taken)).rename({"skills": "skill"})


def _calibrated(model: Completion, shown: pl.DataFrame, hidden: pl.DataFrame) -> Curve:
    """Score to the share that was hidden there: knots of an isotonic regression over the best skills of each role."""
    from sklearn.isotonic import IsotonicRegression

    truth = hidden.select(pl.col("row").cast(pl.Int64), "skill", belongs=pl.lit(1.0))
    judged = (
        model.ranked(shown, JUDGED)
        .join(truth, on=["row", "skill"], how="left")
        .with_columns(pl.col("belongs").fill_null(0.0))
    )
    curve = IsotonicRegression(y_min=0.0, y_max=1.0).fit(judged["score"].to_numpy(), judged["belongs"].to_numpy())
    return np.asarray(curve.X_thresholds_, np.float64), np.asarray(curve.y_thresholds_, np.float64)


def _free(scores: Singles, held: "csr_matrix") -> Singles:
    return np.where(held.toarray() > 0, -np.inf, scores).astype(np.float32)


def _leverage(skills: "csr_matrix", inverse: Singles) -> Floats:
    """The diagonal of skills' @ inverse @ skills, a block of skills at a time."""
    columns = skills.T.tocsr()
    blocks = [columns[start : start + BLOCK] for start in range(0, columns.shape[0], BLOCK)]
    return np.concatenate([np.asarray(block.multiply(block @ inverse).sum(axis=1)).ravel() for block in blocks])


def _blocks(roles: pl.DataFrame) -> Iterator[tuple[int, pl.DataFrame]]:
    for first in range(0, max(roles.height, 1), BLOCK):
        yield first, roles.slice(first, BLOCK)
