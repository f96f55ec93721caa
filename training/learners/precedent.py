"""Who took tickets like this one, as it was known when the ticket was raised."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from training.learners.lexicon import Lexicon
from training.learners.tickets import Floats, Ints, Tickets

EVER = np.inf
FADES: dict[str, tuple[float, ...]] = {
    "share": (7, 30, 90, 365, EVER),
    "component_share": (30, 180, EVER),
    "kind_share": (180,),
    "text_share": (60, 365, EVER),
    "text_component_share": (365,),
}
"""What makes tickets alike, and the half-lives in days by which likeness fades."""

NEAREST = 20


@dataclass(frozen=True)
class Question:
    """Rows that are asked about, each as of a day.

    What was raised until delay_days before `at`, and before the row, has a known taker. at: shape (rows,).
    """

    rows: Ints
    at: Floats
    delay_days: float

    @staticmethod
    def when_raised(tickets: Tickets, rows: Ints, delay_days: float) -> "Question":
        """Each row as of its own day: columns are current, as a feature store serves them."""
        return Question(rows, tickets.day[rows], delay_days)

    @staticmethod
    def all_at(tickets: Tickets, rows: Ints, row: int) -> "Question":
        """All rows as of the day of an earlier row, with everything until then known: columns are stale."""
        return Question(rows, np.full(len(rows), tickets.day[row]), 0.0)


@dataclass(frozen=True)
class Candidates:
    """Pairs of a ticket and a person who has taken one before. row, person: (pairs,); values: by column, (pairs,)."""

    row: Ints
    person: Ints
    values: dict[str, Floats]


def candidates(tickets: Tickets, lexicon: Lexicon, asked: Question) -> Candidates:
    """Columns about each person who is known to have taken a ticket. Memory grows with asked times earlier tickets."""
    history = int(asked.rows.max()) + 1
    past = tickets.before(history)
    is_known = (past.day <= asked.at[:, None] - asked.delay_days) & (past.person >= 0)
    is_known &= np.arange(history) < asked.rows[:, None]
    known = Known(is_known.astype(np.float64), np.maximum(asked.at[:, None] - past.day, 0), past)
    tables = dict(_tables(known, lexicon, asked))
    row, person = np.nonzero(tables["taken"] > 0)
    return Candidates(asked.rows[row], person, {name: table[row, person] for name, table in tables.items()})


@dataclass(frozen=True)
class Known:
    """mask: 1 where the taker of an earlier ticket is known, (asked, earlier); age: days since it was raised, alike."""

    mask: Floats
    age: Floats
    past: Tickets

    def faded(self, likeness: Floats | float, half_life: float) -> Floats:
        """Weights of earlier tickets."""
        weights: Floats = self.mask * likeness * 0.5 ** (self.age / half_life)
        return weights

    def sums(self, weights: Floats) -> Floats:
        """Weights by person, shape (asked, people)."""
        from scipy import sparse

        place = np.flatnonzero(self.past.person >= 0)
        ones = (np.ones(len(place)), (place, self.past.person[place]))
        sums: Floats = weights @ sparse.csr_array(ones, shape=(len(self.past), len(self.past.people)))
        return sums

    def shares(self, weights: Floats, instead: Floats | float = 0.0) -> Floats:
        """Sums as shares. instead: the share that stands in where little is known."""
        shares: Floats = (self.sums(weights) + instead) / (weights.sum(axis=1, keepdims=True) + 1)
        return shares

    def greatest(self, values: Floats, otherwise: float = 0.0) -> Floats:
        """The greatest value of a person's tickets, shape (asked, people)."""
        order = np.argsort(self.past.person, kind="stable")
        codes, starts = np.unique(self.past.person[order], return_index=True)
        best = np.maximum.reduceat(values[:, order], starts, axis=1)
        greatest = np.full((len(values), len(self.past.people)), otherwise)
        greatest[:, codes[codes >= 0]] = best[:, codes >= 0]
        return greatest


def _tables(known: Known, lexicon: Lexicon, asked: Question) -> Iterator[tuple[str, Floats]]:
    """Columns by name, each (asked, people)."""
    past = known.past
    words = lexicon.vectors(past, np.arange(len(past)))
    text = (words[asked.rows] @ words.T).toarray()
    component = _overlap(past.components, asked.rows)
    kind = _overlap([(kind,) for kind in past.kind], asked.rows)
    yield from _by_fade(known, "share", 1.0)
    popular = known.shares(known.faded(1.0, 90))
    yield from _by_fade(known, "component_share", component, popular)
    yield from _by_fade(known, "kind_share", kind, popular)
    # squared: many faintly alike tickets otherwise outvote the few that are
    yield from _by_fade(known, "text_share", text**2)
    yield from _by_fade(known, "text_component_share", text * (component + 0.1))
    yield from _by_person(known)
    yield from _by_text(known, text)
    yield "log_share", lexicon.log_shares(past, asked.rows, words[asked.rows])


def _by_fade(
    known: Known, name: str, likeness: Floats | float, instead: Floats | float = 0.0
) -> Iterator[tuple[str, Floats]]:
    for days in FADES[name]:
        label = "ever" if days == EVER else f"{days:g}d"
        yield f"{name}_{label}", known.shares(known.faded(likeness, days), instead)


def _by_person(known: Known) -> Iterator[tuple[str, Floats]]:
    taken = known.sums(known.mask)
    yield "taken", taken
    yield "idle_days", -known.greatest(np.where(known.mask > 0, -known.age, -np.inf), -np.inf)
    yield "known_days", known.greatest(np.where(known.mask > 0, known.age, -np.inf), -np.inf)
    lately = (known.sums(known.faded(1.0, 90)) > 0.3).sum(axis=1, keepdims=True)
    yield "active_people", np.broadcast_to(lately, taken.shape).astype(np.float64)


def _by_text(known: Known, text: Floats) -> Iterator[tuple[str, Floats]]:
    alike = known.mask * text
    yield "likest", known.greatest(alike)
    yield "likest_lately", known.greatest(known.faded(text, 90))
    least = np.partition(alike, -NEAREST, axis=1)[:, [-NEAREST]] if alike.shape[1] > NEAREST else 0.0
    nearest = np.where(alike >= least, alike, 0.0)
    yield "nearest_share", known.shares(nearest)
    yield "nearest_share_lately", known.shares(nearest * 0.5 ** (known.age / 180))


def _overlap(marks: Iterable[Iterable[str]], rows: Ints) -> Floats:
    """Jaccard overlap of the rows' marks with every ticket's, shape (rows, tickets); 0 where neither has any."""
    has = _incidence([list(of) for of in marks])
    sizes = np.asarray(has.sum(axis=1)).ravel()
    shared: Floats = (has[rows] @ has.T).toarray()
    either: Floats = np.maximum(sizes[rows][:, None] + sizes - shared, 1)
    return np.divide(shared, either)


def _incidence(marks: list[list[str]]) -> Any:
    from scipy import sparse

    code = {mark: n for n, mark in enumerate(sorted({mark for of in marks for mark in of}))}
    place = np.repeat(np.arange(len(marks)), [len(of) for of in marks])
    codes = [code[mark] for of in marks for mark in of]
    shape = (len(marks), max(len(code), 1))
    return sparse.csr_array((np.ones(len(codes)), (place, np.array(codes, np.int64))), shape=shape)
