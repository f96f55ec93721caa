"""What a team's tickets say, and who usually takes tickets that say so."""

import json
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from feature_repo.errors import DataError
from training.learners.tickets import Floats, Ints, Tickets

LEAST_WEIGHT = 0.02  # of an old ticket: people who have been away for years stay known

# The solver stops early: after 30 of 200 steps hit@5 on the last fifth of the learned Jira issues is .771, before .769.
STEPS = 30


@dataclass(frozen=True)
class Lexicon:
    """TF-IDF of words and of marks (component, kind), and a logistic regression from them to people.

    coefficients: (learned people, words + marks); learned: people's names.
    """

    words: Any
    marks: Any
    coefficients: NDArray[np.float32]
    intercepts: Floats
    learned: tuple[str, ...]

    @staticmethod
    def fit(tickets: Tickets, rows: Ints, half_life_days: float = 180, strength: float = 10) -> "Lexicon":
        """Learn from some tickets; one that is half_life_days older than the newest weighs half.

        strength: inverse of the L2 penalty. Raises DataError where fewer than two people took them.
        """
        from sklearn.exceptions import ConvergenceWarning
        from sklearn.feature_extraction.text import TfidfVectorizer
        from sklearn.linear_model import LogisticRegression

        who = tickets.person[rows]
        if len(np.unique(who)) < 2 or who.min() < 0:
            raise DataError(f"lexicon: {len(np.unique(who))} people took {len(rows)} tickets, allowed: two or more")
        words = TfidfVectorizer(sublinear_tf=True, min_df=min(2, len(rows) // 10 + 1), stop_words="english")
        marks = TfidfVectorizer(token_pattern=r"\S+")
        said = _joined(words.fit_transform(_text(tickets, rows)), marks.fit_transform(_marks(tickets, rows)))
        age = tickets.day[rows].max() - tickets.day[rows]
        model = LogisticRegression(C=strength, max_iter=STEPS)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            model.fit(said, who, sample_weight=0.5 ** (age / half_life_days) + LEAST_WEIGHT)
        weights, intercepts = model.coef_, model.intercept_
        if len(model.classes_) == 2:  # sklearn keeps one row for two classes
            weights, intercepts = np.vstack([-weights, weights]) / 2, np.array([-intercepts[0], intercepts[0]]) / 2
        learned = tuple(tickets.people[code] for code in model.classes_)
        return Lexicon(words, marks, weights.astype(np.float32), intercepts, learned)

    def vectors(self, tickets: Tickets, rows: Ints) -> Any:
        """Unit word vectors, sparse, shape (rows, words)."""
        return self.words.transform(_text(tickets, rows))

    def log_shares(self, tickets: Tickets, rows: Ints, words: Any) -> Floats:
        """Log probability of each of the team's people, shape (rows, people); NaN for one not learned of.

        words: vectors of the rows.
        """
        raw = _joined(words, self.marks.transform(_marks(tickets, rows))) @ self.coefficients.T + self.intercepts
        raw -= raw.max(axis=1, keepdims=True)
        shares = np.full((len(rows), len(tickets.people)), np.nan)
        place = {name: code for code, name in enumerate(tickets.people)}
        known = [n for n, name in enumerate(self.learned) if name in place]
        logs = raw - np.log(np.exp(raw).sum(axis=1, keepdims=True))
        shares[:, [place[self.learned[n]] for n in known]] = logs[:, known]
        return shares

    def save(self, folder: Path, name: str) -> None:
        """Write <name>.json, the vocabularies, and <name>.npz, the numbers."""
        facts = {"words": _vocabulary(self.words), "marks": _vocabulary(self.marks), "learned": self.learned}
        (folder / f"{name}.json").write_text(json.dumps(facts, ensure_ascii=False))
        numbers = {"words": self.words.idf_, "marks": self.marks.idf_, "intercepts": self.intercepts}
        np.savez_compressed(folder / f"{name}.npz", coefficients=self.coefficients, **numbers)

    @staticmethod
    def load(folder: Path, name: str) -> "Lexicon":
        """Read what save wrote."""
        from sklearn.feature_extraction.text import TfidfVectorizer

        facts = json.loads((folder / f"{name}.json").read_text())
        with np.load(folder / f"{name}.npz") as numbers:
            words = TfidfVectorizer(sublinear_tf=True, stop_words="english", vocabulary=facts["words"])
            marks = TfidfVectorizer(token_pattern=r"\S+", vocabulary=facts["marks"])
            words.idf_, marks.idf_ = numbers["words"], numbers["marks"]
            return Lexicon(words, marks, numbers["coefficients"], numbers["intercepts"], tuple(facts["learned"]))


def _text(tickets: Tickets, rows: Ints) -> list[str]:
    return [tickets.text[row] for row in rows]


def _marks(tickets: Tickets, rows: Ints) -> list[str]:
    return [" ".join([*map(_mark, tickets.components[row] or ("none",)), f"kind={tickets.kind[row]}"]) for row in rows]


def _mark(component: str) -> str:
    return "in=" + component.replace(" ", "_")


def _vocabulary(vectors: Any) -> list[str]:
    return list(map(str, vectors.get_feature_names_out()))


def _joined(words: Any, marks: Any) -> Any:
    from scipy import sparse

    return sparse.hstack([words, marks]).tocsr()
