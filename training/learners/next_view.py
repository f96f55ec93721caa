"""What a person looks at next: a shortlist by vectors, then a ranker that learned from earlier turns of everybody."""

from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from feature_repo.column import Column
from training.learners.fields import WEIGHTS, Items
from training.learners.nearness import nearness
from training.learners.shortlist import Shortlist, shortlist
from training.learners.standing import standing
from training.learners.turns import Turns
from training.trainers.boosted import Boosted, Rows

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
VIEW = "next_view"
ENOUGH = 100  # turns before a ranker is fitted; until then the order of the vectors stands


@dataclass(frozen=True)
class NextView:
    """k: items on a shortlist. sampled: of them, those that a turn of the training has. refits: over the asked time.

    How the settings were chosen is said in suite/job_views.py.
    """

    k: int = 200
    sampled: int = 50
    refits: int = 8
    rounds: int = 100
    learning_rate: float = 0.08
    leaves: int = 7
    seed: int = 0

    def scores(self, items: Items, known: Turns, asked: Turns) -> tuple[Shortlist, Floats]:
        """The shortlists of the asked turns, and a score for each item on them, shape (asked, k); more is better.

        A turn is scored by the last ranker fitted before it, from the known turns before that.
        """
        vectors = items.vectors(WEIGHTS)
        listed = shortlist(vectors, asked, self.k)
        rows = self._columns(items, asked, listed, None)
        training = self._training(items, known, shortlist(vectors, known, self.k))
        found = listed.scores.astype(np.float64)
        for low, high in self._periods(asked.at):
            ranker = self._fitted(training, low)
            now = np.flatnonzero((asked.at >= low) & (asked.at < high))
            if ranker is not None and len(now):
                each = (now[:, None] * listed.items.shape[1] + np.arange(listed.items.shape[1])).ravel()
                found[now] = ranker.raw(rows[each]).reshape(len(now), -1)
        return listed, np.where(np.isneginf(listed.scores), -np.inf, found)  # a list longer than the unseen items

    def _periods(self, at: Ints) -> list[tuple[int, int]]:
        """Equal shares of the asked turns in time: (from, up to), in seconds."""
        edges = np.unique(np.quantile(at, np.linspace(0, 1, self.refits + 1)).astype(np.int64))
        return list(zip(edges.tolist(), [*edges[1:-1].tolist(), int(at.max()) + 1], strict=False))

    def _training(self, items: Items, known: Turns, listed: Shortlist) -> tuple[Ints, pl.DataFrame]:
        """The instants of the known turns whose answer is on their list, and `sampled` rows each, with the answer."""
        answered = np.asarray(listed.found(known.item).any(axis=1))
        turns, short = known.taken(answered), Shortlist(listed.items[answered], listed.scores[answered])
        relevant = short.found(turns.item)
        places, _ = short.sample(relevant, min(self.sampled, short.items.shape[1]), self.seed)
        rows = self._columns(items, turns, short, places)
        target = np.take_along_axis(relevant, places, axis=1).ravel().astype(np.float64)
        return turns.at, rows.with_columns(target=pl.Series(target))

    def _columns(self, items: Items, turns: Turns, short: Shortlist, places: Ints | None) -> pl.DataFrame:
        """A row per turn and place on its list (all, where none are named)."""
        if places is None:
            places = np.broadcast_to(np.arange(short.items.shape[1]), short.items.shape)
        candidates = np.take_along_axis(short.items, places, axis=1)
        scores = np.take_along_axis(short.scores, places, axis=1).astype(np.float64)
        columns = {"place": places.ravel().astype(np.float64), "score": (scores / turns.past[:, None]).ravel()}
        columns["score_below_best"] = (short.scores[:, :1] - scores).ravel()
        columns["past"] = np.repeat(turns.past, candidates.shape[1]).astype(np.float64)
        columns |= nearness(items, turns, candidates) | standing(items, turns, candidates)
        return pl.DataFrame({f"{VIEW}__{name}": values for name, values in columns.items()})

    def _fitted(self, training: tuple[Ints, pl.DataFrame], before: int) -> Boosted | None:
        at, rows = training
        past = np.flatnonzero(at < before)
        if len(past) < ENOUGH:
            return None
        size = rows.height // len(at)
        learnt = rows[(past[:, None] * size + np.arange(size)).ravel()]
        columns = [
            Column(name=name.removeprefix(f"{VIEW}__"), dtype=float, view=VIEW, function=len)
            for name in rows.columns
            if name != "target"
        ]
        ranked = Rows(learnt, learnt["target"].to_numpy(), groups=np.full(len(past), size))
        return Boosted.fit(ranked, columns, self._parameters(), self.rounds)

    def _parameters(self) -> dict[str, object]:
        return {
            "objective": "lambdarank",
            "lambdarank_truncation_level": 15,
            "learning_rate": self.learning_rate,
            "num_leaves": self.leaves,
            "min_data_in_leaf": 50,
            "feature_fraction": 0.5,
            "bagging_fraction": 0.8,
            "bagging_freq": 1,
            "lambda_l2": 5.0,
            "seed": self.seed,
        }
