"""A small world on disk: eight people, sixty finished and ten open tasks, a market, published as of 2012-01-01."""

import shutil
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from feature_repo.features import VIEWS
from feature_repo.features.texts import home_encode
from feature_repo.ingest import view_frames
from feature_repo.platform import database
from feature_repo.publish import publish
from feature_repo.settings import Settings
from feature_repo.sources.streams import STREAMS
from tests import shared
from tests.serving import market

AS_OF = datetime(2012, 1, 1, tzinfo=UTC)
START = datetime(2011, 1, 1, tzinfo=UTC)
DAY = timedelta(days=1)
PEOPLE = [f"P{number}" for number in range(8)]
SKILLS = ("go", "python", "sql")
Rows = dict[str, list[dict[str, Any]]]


def rows() -> Rows:
    """The rows of every stream. P7 has left; tasks T60 to T69 are open, T69 is known a day after the snapshot."""
    found: Rows = {stream.name: [] for stream in STREAMS}
    for number, person in enumerate(PEOPLE):
        _add_person(found, number, person)
    for number in range(70):
        _add_task(found, number)
    market.add(found)
    return found


def _add_person(found: Rows, number: int, person: str) -> None:
    status = "INACTIVE" if person == "P7" else "ACTIVE"
    found["people"].append(
        {"person_id": person, "email": None, "status": status, "created_at": START, "recorded_at": START}
    )
    found["profiles"].append(
        {
            "person_id": person, "department_id": f"D{number % 2}",
            "seniority_level": "SENIOR" if number % 3 else "JUNIOR",
            "experience_years": float(number), "valid_from": START, "recorded_at": START,
        }
    )  # fmt: skip
    for skill in SKILLS[: 1 + number % 3]:
        found["user_skills"].append(
            {
                "person_id": person, "skill_id": skill, "skill_type": "TECHNICAL", "level": 1.0 + number % 5,
                "years": 1.0, "tasks": 1, "hours": 5.0, "median_ratio": 1.0, "is_active": True,
                "as_of": START, "recorded_at": START,
            }
        )  # fmt: skip


def _add_task(found: Rows, number: int) -> None:
    task, person, at = f"T{number:02}", PEOPLE[number % 8], START + number * 5 * DAY
    at = AS_OF + DAY if number == 69 else at
    found["tasks"].append(
        {
            "task_id": task, "title": f"Task number {number}", "priority": 1 + number % 5, "difficulty": "EASY",
            "category": "Development", "subcategory_id": f"S{number % 3}", "project_id": f"J{number % 2}",
            "breakdown_id": f"B{number % 4}", "raiser_id": PEOPLE[(number + 1) % 8],
            "estimate_hours": 1.0 + number % 7, "estimated_at": at, "recorded_at": at,
        }
    )  # fmt: skip
    found["requirements"].append(
        {"task_id": task, "skill_id": SKILLS[number % 3], "level": 2, "mandatory": True, "recorded_at": at}
    )
    found["assignments"].append(
        {"task_id": task, "person_id": person, "method": "MANUAL", "assigned_at": at, "recorded_at": at + DAY}
    )
    if number < 60:
        _finish_task(found, number, task, person, at + 3 * DAY)


def _finish_task(found: Rows, number: int, task: str, person: str, at: datetime) -> None:
    hours, known = 0.5 + number % 9, at + DAY
    found["worked_on"].append({"task_id": task, "person_id": person, "started_at": at, "recorded_at": known})
    found["completions"].append(
        {"task_id": task, "actual_hours": hours, "status": "FINISHED", "completed_at": at, "recorded_at": known}
    )
    found["worklogs"].append(
        {
            "worklog_id": f"W{number}", "task_id": task, "person_id": person, "hours": hours, "worked_at": at,
            "recorded_at": known,
        }
    )  # fmt: skip
    found["workloads"].append(
        {
            "person_id": person, "day": at, "open_tasks": 1, "allocated_hours": hours, "utilization": 0.5,
            "capacity_hours": 40.0, "recorded_at": known,
        }
    )  # fmt: skip


@cache
def published() -> Path:
    """A home with the world published in it; copy it before changing anything.

    It takes 8 s of processor time, half of them to import what publishes.
    """
    return shared.built("world", build)


def copy(home: Path) -> Path:
    """The world at another place."""
    return Path(shutil.copytree(published(), home, symlinks=True))


def build(home: Path, as_of: datetime = AS_OF) -> Settings:
    """Stage and publish the world under a home."""
    from training.products import PRODUCTS

    settings = Settings(home=home, _env_file=None)
    files = dict(_staged_streams(settings.root / "staged" / "streams"))
    views = settings.root / "staged" / "views"
    views.mkdir(parents=True, exist_ok=True)
    # The real encoder, apart from the home: homes are copied, and its weights are 90 MB.
    with TemporaryDirectory(prefix="talentml-encoder-") as encoder:
        stored = [view for view in VIEWS if view.rows is not None]
        for view, frame in view_frames(files, stored, home_encode(Path(encoder))):
            frame.write_parquet(views / f"{view.name}.parquet")
    publish(settings, as_of, products=PRODUCTS.values())
    database(settings).dispose()  # migrated here, as each copy would take half a second for it
    return settings


def _staged_streams(folder: Path) -> Iterator[tuple[str, Path]]:
    folder.mkdir(parents=True, exist_ok=True)
    found = rows()
    for stream in STREAMS:
        path = folder / f"{stream.name}.parquet"
        pq.write_table(pa.Table.from_pylist(found[stream.name], schema=stream.schema()), path)
        yield stream.name, path
