"""Views of every kind, and homes that hold histories of them, staged and published."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from feature_repo.column import Column, View
from feature_repo.entities import person, project, task
from feature_repo.lists import OpenLists
from feature_repo.publish import Published, publish
from feature_repo.settings import Settings
from tests.feature_repo.histories import PROJECTS, Row, frame, instant

STEPS_A_DAY = 4
KINDS = {
    "value": int,
    "odd": float,
    "name": str,
    "flag": bool,
    "names": list[str],
    "levels": list[float],
    "day": datetime,
}


def _stored(_streams: Any) -> None:
    """Rows of these views are written by the tests."""


def _view(name: str, entities: tuple[Any, ...], kinds: Mapping[str, Any], ttl_days: int = 0) -> View:
    view = View(name, entities, _stored, ttl_days)
    for column, dtype in kinds.items():
        view.columns.append(Column(name=column, dtype=dtype, view=name, function=_stored, unit="h", minimum=0))
    return view


people = _view("person", (person,), KINDS)
tasks = _view("task", (task,), {"value": int, "project_id": str})
projects = _view("project", (project,), {"value": int})
members = _view("member", (person, project), {"value": int, "names": list[str]})
badges = _view("badge", (person,), {"value": int}, ttl_days=1)
pair = View("pair", (person, task))


@pair.column(float)
def idle_days(person__day: Any, at: Any) -> Any:
    """Days since the person's day."""
    return at - person__day


@pair.column(float)
def strength(pair__idle_days: Any, person__odd: Any, project__value: Any) -> Any:
    """A pair column over a pair column, with functions that processors compute in different ways."""
    return np.exp(-np.abs(pair__idle_days) / 7) * np.log1p(np.nan_to_num(person__odd)) + np.sin(project__value)


@pair.column(float)
def common(person__names: OpenLists, member__names: OpenLists) -> Any:
    """How many names both lists hold."""
    return pl.Series(values=person__names).list.set_intersection(pl.Series(values=member__names)).list.len()


@pair.column(bool)
def flagged(person__flag: Any, person__name: pl.Series) -> Any:
    """Whether the flag is up and the name is known; null where the flag is unknown."""
    return np.where(np.isnan(person__flag), np.nan, (person__flag == 1) & person__name.is_not_null().to_numpy())


VIEWS = (people, tasks, projects, members, badges, pair)
COLUMNS = tuple(column for view in VIEWS for column in view.columns)


class Everything:
    """A product of all columns."""

    name = "everything"
    columns = COLUMNS


def column(qualified: str) -> Column:
    return next(each for each in COLUMNS if each.qualified == qualified)


def project_of(value: int | None) -> str | None:
    """The project that a task's row of this value names."""
    return None if value is None else (*PROJECTS, None)[value % 4]


def task_frame(rows: Sequence[Row]) -> pl.DataFrame:
    projects_ = pl.Series("project_id", [project_of(row.value) for row in rows], dtype=pl.String)
    return frame(rows, ["task_id"]).with_columns(projects_)


def stage(home: Path, histories: Mapping[str, Sequence[Row]]) -> None:
    """Write histories (by view, none where missing) as check would."""
    folder = home / "staged" / "views"
    folder.mkdir(parents=True, exist_ok=True)
    for view in VIEWS[:-1]:
        rows = histories.get(view.name, [])
        made = task_frame(rows) if view is tasks else frame(rows, view.keys)
        made.write_parquet(folder / f"{view.name}.parquet")


def published(home: Path, histories: Mapping[str, Sequence[Row]], as_of: int = 100) -> Published:
    stage(home, histories)
    return publish(Settings(home=home), instant(as_of), views=VIEWS, products=[Everything()])
