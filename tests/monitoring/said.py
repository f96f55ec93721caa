"""Logged answers to judge, and words about them."""

import uuid
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import polars as pl

from monitoring.feedback import Feedback
from monitoring.prediction_log import Record

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
"""When answers are given and judged."""


def prediction_id(number: int) -> str:
    """The id of an answer."""
    return str(uuid.UUID(int=number))


def ranking(scores: Mapping[str, float | None], task: str | None = "T1") -> dict[str, Any]:
    """An answer of task_assignment: people with their scores."""
    rows = [{"person_id": name, "score": score, "source": "model"} for name, score in scores.items()]
    return {"task_id": task, "candidates": rows}


def estimate(*pairs: tuple[str, str | None]) -> dict[str, Any]:
    """An answer of task_performance: hours, and so no score, for people and tasks."""
    interval = {"expected": 3.0, "low": 1.0, "high": 6.0, "unit": "h"}
    return {"estimates": [{"person_id": p, "task_id": t, "hours": interval, "source": "model"} for p, t in pairs]}


def record(number: int, answer: Mapping[str, Any], product: str = "task_assignment", **facts: Any) -> Record:
    """An answer as the log takes it."""
    given = {
        "prediction_id": prediction_id(number), "request_id": None, "product": product, "model_version": 3,
        "source": "model", "snapshot": None, "as_of": None, "request": {}, "features": pl.DataFrame(),
        "answer": answer, "milliseconds": 1.0, "predicted_at": NOON,
    }  # fmt: skip
    return Record(**{**given, **facts})


def word(person: str, item: str = "T1", subject: str = "hr", **facts: Any) -> Feedback:
    """One word about an answer of task_assignment."""
    given: dict[str, Any] = {"kind": "task_assignment", "prediction_id": prediction_id(1), "given_at": NOON}
    return Feedback(person, item, subject=subject, **{"accepted": True, **given, **facts})
