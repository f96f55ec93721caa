"""Which occupation a person's skills and answers speak for: boosted trees and a linear model, half and half.

Both give log-odds, and log-odds add up, so an answer is explained by what each thing said added to it.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from feature_repo.errors import DataError
from training.learners.marks import Inputs, Marks

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

Floats = NDArray[np.float64]
LINEAR = 0.5  # share of the linear model
# Chosen by three-fold cross-validation within the training rows of the survey check (top-1 there: trees .520, linear
# .515, linear with pairs of technologies .518, both .522; extremely random trees .517). Faster rates cost nothing and
# gain nothing; nor do pairs of wanted technologies or of answers (.524), bagging (.525) or smaller trees (.523).
PENALTY = 0.03  # C of the logistic regression
TREES = {"learning_rate": 0.05, "num_leaves": 15, "feature_fraction": 0.4, "min_data_in_leaf": 40}
ROUNDS = 250
# A class's tree leaves little to share: 32,000 people took 15 s on one thread, 98 s on two of four busy cores.
THREADS = 1
FEWEST = 100  # people; below it nothing is learnt


@dataclass(frozen=True)
class Occupations:
    """classes: occupations in order. booster: log-odds from marks and numbers.

    weights: shape (classes, marks and pairs). centre: the mean of each mark and pair. intercept: per class, there.
    """

    classes: tuple[str, ...]
    marks: Marks
    booster: Any
    weights: Floats
    centre: Floats
    intercept: Floats

    @staticmethod
    def fit(people: pl.DataFrame, target: str, inputs: Inputs, seed: int) -> "Occupations":
        """Learn P(target | inputs). Rows without a target are left out.

        Raises DataError where a column is missing, fewer than 100 people remain, or all have the same occupation.
        """
        known = people.filter(pl.col(target).is_not_null())
        names, codes = np.unique(known[target].cast(pl.String).to_numpy().astype(str), return_inverse=True)
        if known.height < FEWEST or len(names) < 2:
            found = f"{known.height} people of {len(names)} occupations"
            raise DataError(f"{target}: found {found}, allowed: at least {FEWEST} of 2")
        marks = Marks.of(known, inputs)
        rows = marks.rows(known)
        booster = _boosted(_sparse(marks, known, rows), codes, len(names), seed)
        return Occupations(
            tuple(map(str, names)), marks, booster, *_linear(_with_pairs(marks, rows), codes, len(names))
        )

    def log_odds(self, people: pl.DataFrame) -> Floats:
        """Shape (people, classes); their softmax is the probabilities."""
        rows = self.marks.rows(people)
        trees = self.booster.predict(_sparse(self.marks, people, rows), raw_score=True)
        linear = (_with_pairs(self.marks, rows) @ self.weights.T) - self.weights @ self.centre + self.intercept
        return np.asarray(LINEAR * linear + (1 - LINEAR) * np.asarray(trees))

    def probabilities(self, people: pl.DataFrame) -> Floats:
        """Shape (people, classes); each row sums to one."""
        from scipy.special import softmax

        return np.asarray(softmax(self.log_odds(people), axis=1))

    def best(self, people: pl.DataFrame, limit: int) -> pl.DataFrame:
        """The most probable occupations: row (place in people), rank from 1, occupation, probability."""
        found = self.probabilities(people)
        order = np.argsort(-found, axis=1, kind="stable")[:, :limit]
        return pl.DataFrame(
            {
                "row": np.repeat(np.arange(len(order)), order.shape[1]),
                "rank": np.tile(np.arange(1, order.shape[1] + 1), len(order)),
                "occupation": np.array(self.classes)[order.ravel()],
                "probability": np.take_along_axis(found, order, axis=1).ravel(),
            }
        )

    def contributions(self, people: pl.DataFrame, of: Sequence[str]) -> pl.DataFrame:
        """What each thing said adds to the log-odds of an occupation, and `expected`: they sum to it.

        of: the occupation to explain, one per person. A list has a column per thing in it, named list=thing; other
        inputs have one each. Raises DataError for an occupation that the model does not know.
        """
        unknown = sorted(set(of) - set(self.classes))
        if unknown:
            raise DataError(f"occupation: {unknown[0]!r} is unknown, allowed: {', '.join(self.classes)}")
        places = np.searchsorted(self.classes, list(of))
        rows = self.marks.rows(people)
        owners = [*self.marks.owners, *self.marks.edges, "expected"]
        trees = self._tree_parts(_sparse(self.marks, people, rows), places)
        parts = (1 - LINEAR) * trees
        width = len(self.marks.names)
        parts[:, :width] += LINEAR * self._linear_parts(rows, places)
        parts[:, -1] += LINEAR * self.intercept[places]
        names = list(dict.fromkeys(owners))
        totals = np.zeros((len(names), len(owners)))
        totals[[names.index(owner) for owner in owners], np.arange(len(owners))] = 1
        return pl.from_numpy(parts @ totals.T, schema=names)

    def _tree_parts(self, matrix: "csr_matrix", places: NDArray[np.int64]) -> Floats:
        """LightGBM's SHAP values for a class per row, shape (rows, marks + numbers + 1)."""
        of_classes = self.booster.predict(matrix, pred_contrib=True)  # a sparse matrix per class
        parts = np.zeros((matrix.shape[0], matrix.shape[1] + 1))
        for place in np.unique(places):
            parts[places == place] = of_classes[place][places == place].toarray()
        return parts

    def _linear_parts(self, rows: "csr_matrix", places: NDArray[np.int64]) -> Floats:
        """Weight times distance from the mean; a pair's is shared by its two marks. Shape (rows, marks)."""
        away = _with_pairs(self.marks, rows).toarray() - self.centre
        parts = away * self.weights[places]
        width = len(self.marks.names)
        single: Floats = parts[:, :width]
        for side in (0, 1):
            marks = np.array([pair[side] for pair in self.marks.pairs], np.int64)
            np.add.at(single.T, marks, parts[:, width:].T / 2)
        return single

    def save(self, folder: Path, name: str = "occupations") -> None:
        """Write <name>.txt, LightGBM's text, <name>.npz, the linear model, <name>.json and <name>_marks.json."""
        (folder / f"{name}.txt").write_text(self.booster.model_to_string())
        (folder / f"{name}.json").write_text(json.dumps({"classes": self.classes}, ensure_ascii=False))
        self.marks.save(folder / f"{name}_marks.json")
        np.savez(folder / f"{name}.npz", weights=self.weights, centre=self.centre, intercept=self.intercept)

    @staticmethod
    def load(folder: Path, name: str = "occupations") -> "Occupations":
        """Read what save wrote."""
        import lightgbm

        classes = tuple(json.loads((folder / f"{name}.json").read_text())["classes"])
        booster = lightgbm.Booster(model_str=(folder / f"{name}.txt").read_text())
        with np.load(folder / f"{name}.npz", allow_pickle=False) as linear:
            arrays = {key: linear[key] for key in linear.files}
        return Occupations(classes, Marks.load(folder / f"{name}_marks.json"), booster, **arrays)


def _sparse(marks: Marks, people: pl.DataFrame, rows: "csr_matrix") -> "csr_matrix":
    """What the trees read: marks and numbers."""
    from scipy.sparse import csr_matrix, hstack

    return csr_matrix(hstack([rows, csr_matrix(marks.numbers(people))]))


def _with_pairs(marks: Marks, rows: "csr_matrix") -> "csr_matrix":
    """What the linear model reads: marks and pairs of marks."""
    from scipy.sparse import csr_matrix, hstack

    return csr_matrix(hstack([rows, marks.paired(rows)]))


def _boosted(matrix: "csr_matrix", codes: NDArray[np.int64], classes: int, seed: int) -> Any:
    import lightgbm

    settings = {"objective": "multiclass", "num_class": classes, "seed": seed, **TREES}
    settings |= {"deterministic": True, "force_row_wise": True, "num_threads": THREADS, "verbosity": -1}
    return lightgbm.train(settings, lightgbm.Dataset(matrix, codes), ROUNDS)


def _linear(matrix: "csr_matrix", codes: NDArray[np.int64], classes: int) -> tuple[Floats, Floats, Floats]:
    """Weights, the mean of each column and the log-odds there; for two classes the first one's are the negative."""
    from sklearn.linear_model import LogisticRegression

    model = LogisticRegression(C=PENALTY, max_iter=300, tol=1e-3).fit(matrix, codes)
    weights, constant = np.asarray(model.coef_), np.asarray(model.intercept_)
    if classes == 2:
        weights, constant = np.vstack([-weights, weights]) / 2, np.concatenate([-constant, constant]) / 2
    centre = np.asarray(matrix.mean(axis=0)).ravel()
    return weights, centre, constant + weights @ centre
