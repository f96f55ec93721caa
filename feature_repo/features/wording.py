"""Keys that are read off a task's own columns, by the same functions for stored tasks and for those in a request."""

from collections.abc import Callable
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from feature_repo.column import View
from feature_repo.entities import task
from feature_repo.once import once

Floats = NDArray[np.float64]
WORD = r"\p{L}+"
LONG_WORD = r"\p{L}{3,}"
WORDS = 4

view = View("wording", (task,))


@view.column(str, source="mysql.tasks")
def everybody_key(task__priority: Floats) -> pl.Series:
    """The same for every task: what all people have in common."""
    return pl.Series(["all"]).new_from_index(0, len(task__priority))


@view.column(str, source="mysql.tasks")
def priority_key(task__priority: Floats) -> pl.Series:
    """The priority as text."""
    return pl.Series(task__priority).fill_nan(None).cast(pl.Int64).cast(pl.String)


@view.column(str, source="mysql.tasks")
def estimate_key(task__estimate_hours: Floats) -> pl.Series:
    """The estimate to a hundredth of an hour: people use few values, each with its own habits."""
    return (pl.Series(task__estimate_hours).fill_nan(None) * 100).round().cast(pl.Int64).cast(pl.String)


@view.column(str, source="mysql.tasks", nulls=1.0)
def title_key(task__title: pl.Series) -> pl.Series:
    """The title's words in lower case, without figures and signs: recurring tasks differ only in these."""
    return _joined(_words(task__title))


@view.column(str, source="mysql.tasks", nulls=1.0)
def head_key(task__title: pl.Series) -> pl.Series:
    """The title's first two words."""
    return _joined(_words(task__title).list.head(2))


@once
def _lower(task__title: pl.Series) -> pl.Series:
    return task__title.str.to_lowercase()


@once
def _words(task__title: pl.Series) -> pl.Series:
    return _lower(task__title).str.extract_all(WORD)


@once
def _long_words(task__title: pl.Series) -> pl.Series:
    return _lower(task__title).str.extract_all(LONG_WORD).list.unique(maintain_order=True)


def _joined(words: pl.Series) -> pl.Series:
    joined = words.list.join(" ")
    return joined.set(joined == "", None)


def _word(n: int) -> Callable[[pl.Series], pl.Series]:
    def word(task__title: pl.Series) -> pl.Series:
        return _long_words(task__title).list.get(n - 1, null_on_oob=True)

    word.__name__ = f"word_{n}_key"
    word.__doc__ = f"Word {n} of the title, of three letters or more, each counted once."
    return word


words = tuple(view.column(str, source="mysql.tasks", nulls=1.0)(_word(n)) for n in range(1, WORDS + 1))


def keys(tasks: pl.DataFrame) -> pl.DataFrame:
    """task_id, recorded_at and every column above, from the columns of the stream `tasks`."""
    given: dict[str, Any] = {"task__title": tasks["title"]}
    for name in ("priority", "estimate_hours"):
        given[f"task__{name}"] = tasks[name].cast(pl.Float64).fill_null(float("nan")).to_numpy()
    found = {column.name: column(*(given[name] for name in column.reads)) for column in view.columns}
    return tasks.select("task_id", "recorded_at").with_columns(**found)
