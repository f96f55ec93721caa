"""A world of six years on disk: a task a day, each done by one of ten people; its last half-year can be another one."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from feature_repo.features import VIEWS, match
from feature_repo.features import task as task_f
from feature_repo.ingest import view_frames
from feature_repo.publish import publish
from feature_repo.settings import Settings
from feature_repo.sources.streams import STREAMS
from training.product import Product, TimeSplit
from training.products import PRODUCTS
from training.trainers.outcome import OutcomeForecaster

START, DAY = datetime(2010, 1, 1, tzinfo=UTC), timedelta(days=1)
HALF_YEAR, DAYS = 182 * DAY, 12 * 182
AS_OF = START + DAYS * DAY
TRAINED = AS_OF - HALF_YEAR
"""The champion's as-of date: it has not seen the half-year before, and what is planted comes after."""

Rows = dict[str, list[dict[str, Any]]]


def product(name: str) -> Product:
    """Hours from four columns that are independent of time."""
    columns = (task_f.priority, match.log_estimate, match.is_whole_hours, match.day_of_week)
    split = TimeSplit(validation=HALF_YEAR, test=HALF_YEAR, history=4 * 365 * DAY)
    trainer = OutcomeForecaster(rounds=20, tail_rounds=10, members=1)
    return replace(PRODUCTS["task_performance"], name=name, columns=columns, split=split, trainer=trainer)


def build(settings: Settings, watched: Product, factor: float = 1.0) -> None:
    """Publish the world; from TRAINED on estimates are `factor` times as large and, if they are, priorities are 10."""
    files = dict(_staged(settings.root / "staged" / "streams", _rows(factor)))
    views = settings.root / "staged" / "views"
    views.mkdir(parents=True, exist_ok=True)
    for view, frame in view_frames(files, [view for view in VIEWS if view.rows is not None]):
        frame.write_parquet(views / f"{view.name}.parquet")
    publish(settings, AS_OF + 10 * DAY, products=[watched])


def _staged(folder: Path, rows: Rows) -> Iterator[tuple[str, Path]]:
    folder.mkdir(parents=True, exist_ok=True)
    for stream in STREAMS:
        path = folder / f"{stream.name}.parquet"
        pq.write_table(pa.Table.from_pylist(rows[stream.name], schema=stream.schema()), path)
        yield stream.name, path


def _rows(factor: float) -> Rows:
    found: Rows = {stream.name: [] for stream in STREAMS}
    draws = np.random.default_rng(42).random((DAYS, 3))
    for number, (level, size, noise) in enumerate(draws):
        at = START + number * DAY
        is_new = factor != 1.0 and at >= TRAINED
        hours = round(float(1 + 19 * size) * (factor if is_new else 1.0), 1)
        _add(found, number, at, 10 if is_new else 1 + int(5 * level), hours, hours * (0.5 + float(noise)))
    return found


def _add(found: Rows, number: int, at: datetime, priority: int, estimate: float, actual: float) -> None:
    task, person = {"task_id": f"T{number}"}, {"person_id": f"P{number % 10}"}
    known = {"recorded_at": at + DAY}
    found["tasks"].append(
        {
            **task, "title": "A task", "priority": priority, "project_id": f"J{number % 3}", "raiser_id": "P0",
            "estimate_hours": estimate, "estimated_at": at, "recorded_at": at,
        }
    )  # fmt: skip
    found["assignments"].append({**task, **person, "method": None, "assigned_at": at, **known})
    found["worked_on"].append({**task, **person, "started_at": at, **known})
    found["completions"].append(
        {**task, "actual_hours": actual, "status": "FINISHED", "completed_at": at + DAY / 2, **known}
    )
