"""The online snapshot that requests are answered from, and who and what is in it."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from feature_repo.column import Column, View
from feature_repo.online import OnlineSnapshot
from feature_repo.retrieval import facts, online_frame
from feature_repo.views import polars_type
from monitoring.prediction_log import GIVEN
from serving.limits import LIMITS
from training.labels import active_people
from training.product import Facts

LOG = logging.getLogger("talentml.serving")
TASK = "task"
Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class Published:
    """One snapshot. candidates: who is ranked where a request names nobody, the most recently active first."""

    snapshot: OnlineSnapshot
    people: frozenset[str]
    tasks: frozenset[str]
    candidates: tuple[str, ...]


@dataclass(frozen=True)
class Asked:
    """Person and task pairs, in the order of the answer.

    spine: person_id and task_id, strings. given: for rows about a task that is not stored, its columns by plain
    name; None for the others.
    """

    spine: pl.DataFrame
    given: Sequence[Mapping[str, Any] | None]


@dataclass(frozen=True)
class Read:
    """What was read for a request. snapshot: None where the features could not be read; they are null then."""

    asked: Asked
    features: pl.DataFrame
    known: Mask
    snapshot: OnlineSnapshot | None


class Features:
    """Reads the published snapshot, and reopens when a new one is published."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.current: Published | None = None
        self.error: str | None = "not opened yet"

    def refresh(self) -> bool:
        """Open what is published now; whether that was anything new. On a failure the open one stays."""
        try:
            if self.current and self.current.snapshot.is_current():
                return False
            self.current, self.error = _published(self.home), None
        except Exception as error:  # noqa: BLE001  the store's border: the snapshot that is open stays
            self.error = f"{type(error).__name__}: {error}"
            return False
        return True


def _published(home: Path) -> Published:
    snapshot = OnlineSnapshot.open(home)
    # Of the version that the snapshot was packed from: a publish moves the two links one after the other.
    known = partial(facts, home, known_before=snapshot.as_of, version=snapshot.offline_version)
    return Published(
        snapshot,
        frozenset(known("people").select("person_id").collect()["person_id"]),
        frozenset(known("tasks").select("task_id").collect()["task_id"]),
        _candidates(known, snapshot),
    )


def _candidates(known: Facts, snapshot: OnlineSnapshot) -> tuple[str, ...]:
    """Those whom training would rank at that instant, less those whose account is not ACTIVE: they cannot take a task.

    The most recently active first, and no more than a request may name.
    """
    open_accounts = known("people").filter(pl.col("status") == "ACTIVE")
    active = active_people(known, snapshot.at).join(open_accounts, on="person_id", how="semi")
    ranked = active.sort("recorded_at", "person_id", descending=[True, False]).head(LIMITS.candidates)
    return tuple(ranked.collect()["person_id"])


def read_for(published: Published | None, asked: Asked, columns: Sequence[Column]) -> Read:
    """The features of the asked rows. Where they cannot be read, the columns that were not given are null."""
    if published is None or not asked.spine.height:
        return Read(asked, empty_frame(asked, columns), np.ones(asked.spine.height, dtype=np.bool_), None)
    known = np.array([person in published.people for person in asked.spine["person_id"]], dtype=np.bool_)
    try:
        return Read(asked, frame(published, asked, columns), known, published.snapshot)
    except Exception:
        LOG.exception("the online features cannot be read")
        return Read(asked, empty_frame(asked, columns), known, None)


def frame(published: Published, asked: Asked, columns: Sequence[Column]) -> pl.DataFrame:
    """The spine with one column per qualified name, as the model was trained on, in the spine's order."""
    rows = asked.spine.with_row_index("row")
    stored = [place for place, given in enumerate(asked.given) if given is None]
    if len(stored) == rows.height:
        return online_frame(published.snapshot, asked.spine, columns)
    new = [place for place, given in enumerate(asked.given) if given is not None]
    parts = [_given_rows(published, asked, new, columns)]
    if stored:
        parts.append(online_frame(published.snapshot, asked.spine[stored], columns))
    together = pl.concat(parts)
    order = sorted(range(rows.height), key=(new + stored).__getitem__)
    return together[order]


def _given_rows(published: Published, asked: Asked, new: Sequence[int], columns: Sequence[Column]) -> pl.DataFrame:
    """Rows about tasks that are given: their columns replace the store's, which has none."""
    tasks = [asked.given[place] for place in new]
    same = tasks[:1] if all(task is tasks[0] for task in tasks) else tasks  # one task for all candidates
    return online_frame(published.snapshot, asked.spine[new], columns, _given(same))


def _given(rows: Sequence[Mapping[str, Any] | None]) -> pl.DataFrame:
    """The columns of given tasks, by qualified name; what a task leaves out is null."""
    columns = task_view().columns
    values = {column.qualified: [(row or {}).get(column.name) for row in rows] for column in columns}
    return pl.DataFrame(values, schema={column.qualified: polars_type(column) for column in columns})


def loggable(asked: Asked, features: pl.DataFrame) -> pl.DataFrame:
    """The features with what was given of tasks that are not stored, so that a replay can be given it too."""
    if all(task is None for task in asked.given):
        return features
    return features.hstack(_given(asked.given).select(pl.all().name.prefix(GIVEN)))


def empty_frame(asked: Asked, columns: Sequence[Column]) -> pl.DataFrame:
    """The spine with every column null but those given: what a rule sees where there is no snapshot."""
    given = _given(asked.given)
    others = [column for column in columns if column.qualified not in given.columns]
    nulls = pl.DataFrame(
        {column.qualified: pl.Series([None] * given.height, dtype=polars_type(column)) for column in others}
    )
    both = given.hstack(nulls) if others else given
    return asked.spine.hstack(both.select(column.qualified for column in columns))


def stored_task(published: Published, task_id: str) -> dict[str, Any]:
    """A stored task's columns by plain name, as a request would give them."""
    columns = task_view().columns
    found = online_frame(published.snapshot, pl.DataFrame({"task_id": [task_id]}), columns)
    return {column.name: found[column.qualified].to_list()[0] for column in columns}


def task_view() -> View:
    """The view whose columns say what a task is."""
    from feature_repo.features import VIEWS

    return next(view for view in VIEWS if view.name == TASK)
