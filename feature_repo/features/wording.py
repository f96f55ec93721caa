"""Keys that are read off a task's own columns, by the same functions for stored tasks and for those in a request."""

import re
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from feature_repo.column import View
from feature_repo.entities import task
from feature_repo.once import once, shared

Floats = NDArray[np.float64]
WORD = r"\p{L}+"
LONG_WORD = r"\p{L}{3,}"
ASCII_WORD = re.compile(r"[a-z]+")
WORDS = 4

view = View("wording", (task,))


@view.column(str, source="mysql.tasks")
def everybody_key(task__priority: Floats) -> pl.Series:
    """The same for every task: what all people have in common."""
    return pl.Series(["all"]).new_from_index(0, len(task__priority))


@view.column(str, source="mysql.tasks")
def priority_key(task__priority: Floats) -> pl.Series:
    """The priority as text."""
    return pl.Series(task__priority, nan_to_null=True).cast(pl.Int64).cast(pl.String)


@view.column(str, source="mysql.tasks")
def estimate_key(task__estimate_hours: Floats) -> pl.Series:
    """The estimate to a hundredth of an hour: people use few values, each with its own habits."""
    hours = pl.Series(task__estimate_hours, nan_to_null=True)
    return (hours * 100).round().cast(pl.Int64).cast(pl.String)


@view.column(str, source="mysql.tasks", nulls=1.0)
def title_key(task__title: pl.Series) -> pl.Series:
    """The title's words in lower case, without figures and signs: recurring tasks differ only in these."""
    return _read(task__title)["title"]


@view.column(str, source="mysql.tasks", nulls=1.0)
def head_key(task__title: pl.Series) -> pl.Series:
    """The title's first two words."""
    return _read(task__title)["head"]


@once
def _read(task__title: pl.Series) -> Mapping[str, pl.Series]:
    """Every key of the titles. The one of a request is mostly ASCII, and then read by Python: 60 us, by Polars 780."""
    one = task__title[0] if len(task__title) == 1 else None
    if one is not None and one.isascii():
        return {name: pl.Series([key], dtype=pl.String) for name, key in _read_one(one).items()}
    lower = task__title.str.to_lowercase()
    words = lower.str.extract_all(WORD)
    long = lower.str.extract_all(LONG_WORD).list.unique(maintain_order=True)
    numbered = {_name(n): long.list.get(n - 1, null_on_oob=True) for n in range(1, WORDS + 1)}
    return {"title": _joined(words), "head": _joined(words.list.head(2)), **numbered}


def _read_one(title: str) -> dict[str, str | None]:
    """The same of one title in ASCII: other alphabets are those that Polars knows, not Python's."""
    words = ASCII_WORD.findall(title.lower())
    long = list(dict.fromkeys(word for word in words if len(word) >= 3))
    numbered = {_name(n): long[n - 1] if n <= len(long) else None for n in range(1, WORDS + 1)}
    return {"title": " ".join(words) or None, "head": " ".join(words[:2]) or None, **numbered}


def _joined(words: pl.Series) -> pl.Series:
    joined = words.list.join(" ")
    return joined.set(joined == "", None)


def _name(n: int) -> str:
    return f"word_{n}_key"


def _word(n: int) -> Callable[[pl.Series], pl.Series]:
    def word(task__title: pl.Series) -> pl.Series:
        return _read(task__title)[_name(n)]

    word.__name__ = _name(n)
    word.__doc__ = f"Word {n} of the title, of three letters or more, each counted once."
    return word


words = tuple(view.column(str, source="mysql.tasks", nulls=1.0)(_word(n)) for n in range(1, WORDS + 1))


def keys(tasks: pl.DataFrame) -> pl.DataFrame:
    """task_id, recorded_at and every column above, from the columns of the stream `tasks`."""
    given: dict[str, Any] = {"task__title": tasks["title"]}
    for name in ("priority", "estimate_hours"):
        given[f"task__{name}"] = tasks[name].cast(pl.Float64).fill_null(float("nan")).to_numpy()
    with shared():
        found = {column.name: column(*(given[name] for name in column.reads)) for column in view.columns}
    return tasks.select("task_id", "recorded_at").with_columns(**found)
