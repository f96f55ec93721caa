"""Who does tasks like this one: shares, recency and evidence, by what makes tasks alike."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from feature_repo.column import Column, View
from feature_repo.features import history
from feature_repo.features.pair import alike, by_name, declared, faded, known, remaining
from feature_repo.features.standing import one_more, rarity, standing
from feature_repo.once import once

Floats = NDArray[np.float64]
FAMILIES: dict[str, float] = {"started": np.inf, "started_30d": 30, "started_180d": 180, "assigned_180d": 180}
"""Counts that shares are taken of, and the days by which they fade."""

A_SHARE: dict[str, Any] = {"minimum": 0, "maximum": 1, "source": history.WORK}


_people = {view.name: view for view in (history.people, *history.people_in_kinds)}


def _mine(kind: View) -> View:
    """The person's own part of a kind of tasks."""
    return _people["person" if kind.name == "everybody" else f"person_{kind.name}"]


def _share(kind: View, amount: str, prior: Column | None = None) -> Column:
    """The person's share of a count. prior: the share that stands in where few tasks of the kind are known, else 0."""

    def share(mine: Floats, all_: Floats, instead: Floats | float = 0) -> Floats:
        shares: Floats = (mine + instead) / (all_ + 1)
        return shares

    inputs = [standing(of, amount, FAMILIES[amount]).qualified for of in (_mine(kind), kind)]
    words = f"The person's share of tasks {amount.split('_')[0]} with the same {alike(kind)}"
    if prior is not None:
        inputs, words = [*inputs, prior.qualified], f"{words}, or of all where few are"
    return declared(f"{kind.name}_{amount}_share", f"{words}.", share, inputs, **A_SHARE)


def _own_share(kind: View) -> Column:
    def share(own: Floats, started: Floats, day: Floats, at: Floats) -> Floats:
        left = remaining(day, at, 180)
        shares: Floats = (known(own) * left + 0.5) / (known(started) * left + 1)
        return shares

    inputs = (f"{kind.name}__own_180d", f"{kind.name}__started_180d", f"{kind.name}__day", "at")
    words = f"The share of tasks with the same {alike(kind)} that their raisers took themselves."
    return declared(f"{kind.name}_own_share", words, share, inputs, **A_SHARE)


def _idle(of: View) -> Column:
    def idle(last: Floats, at: Floats) -> Floats:
        return at - last

    words = f"Days since the person last started a task with the same {alike(of)}."
    facts: dict[str, Any] = {"unit": "days", "minimum": 0, "nulls": 1.0, "source": history.WORK}
    return declared(f"{of.name}_idle_days", words, idle, (f"{of.name}__last_started", "at"), **facts)


def _evidence(of: View) -> Column:
    def evidence(started: Floats, day: Floats, at: Floats) -> Floats:
        return faded(started, day, at, 180)

    inputs = (f"{of.name}__started_180d", f"{of.name}__day", "at")
    words = f"Tasks started with the same {alike(of)}, fading by 180 days."
    return declared(f"{of.name}_evidence", words, evidence, inputs, unit="tasks", minimum=0, source=history.WORK)


@once
def _by_words(*inputs: Floats) -> tuple[Floats, Floats]:
    """The person's share of tasks with the same words in the title: the mean, rare words first, and the greatest.

    inputs: by word the person's tasks; by word everybody's and one more; by word its rarity. A missing word has
    rarity 0.
    """
    words = len(inputs) // 3
    weight: Any = 0.0
    total: Any = 0.0
    best: Any = -np.inf
    for mine, others, rare in zip(inputs[:words], inputs[words:-words], inputs[-words:], strict=True):
        share, weighs = mine / np.where(np.isnan(others), 1.0, others), known(rare)
        weight, total, best = weight + weighs, total + share * weighs, np.maximum(best, share)
    return np.where(weight > 0, total / np.where(weight > 0, weight, 1.0), 0.0), best


def _title_share(*inputs: Floats) -> Floats:
    return _by_words(*inputs)[0]


def _best_word_share(*inputs: Floats) -> Floats:
    return _by_words(*inputs)[1]


_everybody, *_kinds = history.kinds
_shared = [kind for kind in _kinds if kind.name not in {"title", "estimate"}]
everybody_shares = {amount: _share(_everybody, amount) for amount in ("started_30d", "started_180d", "started")}
shares = by_name(
    _share(kind, amount, everybody_shares[amount]) for amount in ("started_180d", "started") for kind in _shared
)
assigned_shares = by_name(_share(kind, "assigned_180d") for kind in _kinds if kind.has("assigned_180d"))
lately = declared(
    "person_started_lately", "Tasks that the person started, fading by 30 days.",
    lambda started, day, at: faded(started, day, at, 30), ("person__started_30d", "person__day", "at"),
    unit="tasks", minimum=0, source=history.WORK,
)  # fmt: skip
own_shares = by_name(_own_share(kind) for kind in _kinds if kind.has("own_180d"))
idle_days = by_name(_idle(of) for of in (history.people, *history.people_in_kinds) if of.name != "person_title")
evidence = by_name(_evidence(of) for of in (history.people, *_shared))


_words = tuple(
    column.qualified
    for column in (
        *(standing(of, "started_365d", 365) for of in history.people_in_titles),
        *(one_more(of, "started_365d", 365) for of in history.titles),
        *(rarity(of, _everybody, "started_365d", 365) for of in history.titles),
    )
)
title_share = declared(
    "title_share", "The person's share of tasks with the same words in the title, rare words first.",
    _title_share, _words, **A_SHARE,
)  # fmt: skip
best_word_share = declared(
    "best_word_share", "The same for the word that speaks most for the person.",
    _best_word_share, _words, **A_SHARE,
)  # fmt: skip
