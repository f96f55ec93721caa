"""The two forms of requests and answers: people ranked for a task, and measures estimated for people and tasks."""

import math
import statistics
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import polars as pl

from monitoring.prediction_log import NEW_TASK
from serving.features import Asked, Published
from serving.problems import ProblemError
from serving.schemas import HIGH, LOW, is_ranking, measures, pairs_of
from serving.scoring import Scored
from training.product import Product

Pair = tuple[str, str, Mapping[str, Any] | None]
NO_LABELS = "nothing to go by: no such outcome was recorded before the model was trained"
UNITS = {"hours": "h", "days": "days", "quality": "1 to 5"}


def asked(product: Product, request: Any, published: Published | None) -> Asked:
    """The rows that a request is about.

    Raises ProblemError 404 for a task that is not stored.
    """
    _check_tasks([request] if is_ranking(product) else pairs_of(request), published)
    pairs = _candidate_pairs(request, published) if is_ranking(product) else _estimate_pairs(request)
    spine = {"person_id": [person for person, _, _ in pairs], "task_id": [task for _, task, _ in pairs]}
    return Asked(pl.DataFrame(spine, schema=dict.fromkeys(spine, pl.String)), [given for _, _, given in pairs])


def _candidate_pairs(request: Any, published: Published | None) -> list[Pair]:
    people = request.candidates or (published.candidates if published else ())
    task_id, given = _task(request)
    return [(person, task_id, given) for person in people]


def _estimate_pairs(request: Any) -> list[Pair]:
    return [(pair.person_id, *_task(pair)) for pair in pairs_of(request)]


def _task(request: Any) -> tuple[str, Mapping[str, Any] | None]:
    if request.task is None:
        return request.task_id, None
    return NEW_TASK, request.task.model_dump()


def _check_tasks(about: Sequence[Any], published: Published | None) -> None:
    named = [each.task_id for each in about if each.task_id is not None]
    unknown = [task for task in named if published and task not in published.tasks]
    if unknown:
        hint = "Give an id that is stored, or the task's columns as `task`."
        raise ProblemError(404, f"No such task: {unknown[0]}. {hint}")


def shown(product: Product, request: Any, asked: Asked, scored: Scored) -> list[int]:
    """The rows to answer with, in the order of the answer: the best ones first where people are ranked.

    Those whom the rule scored come after those whom the model did: their scores are on another scale. Sorted together,
    a stranger among six people ranked first or second for every one of 60 tasks.
    """
    if not is_ranking(product):
        return list(range(asked.spine.height))
    people = asked.spine["person_id"].to_numpy()
    order = np.lexsort((people, -scored.outputs["score"].to_numpy(), ~scored.by_model))
    return [int(row) for row in order[: request.limit]]


def reply(
    product: Product,
    head: dict[str, Any],
    asked: Asked,
    scored: Scored,
    rows: Sequence[int],
    factors: Mapping[int, Any],
) -> dict[str, Any]:
    """The whole answer, as serving.replies declares it."""
    chosen = list(rows)
    people, tasks = (asked.spine[key].gather(chosen).to_list() for key in ("person_id", "task_id"))
    sources = np.where(scored.by_model[chosen], "model", "fallback").tolist()
    outputs = [_plain(values) for values in scored.outputs[chosen].iter_rows(named=True)]
    tasks = [None if task == NEW_TASK else task for task in tasks]
    found = [factors.get(row) for row in chosen]
    if is_ranking(product):
        return _ranking(head, tasks[0] if tasks else None, list(zip(people, sources, outputs, found, strict=True)))
    rows_of = zip(people, tasks, sources, outputs, found, strict=True)
    return {**head, "estimates": [_estimate(product, *row) for row in rows_of]}


def _plain(values: dict[str, float]) -> dict[str, float | None]:
    return {name: value if math.isfinite(value) else None for name, value in values.items()}


def _ranking(head: dict[str, Any], task_id: str | None, rows: Sequence[tuple[Any, ...]]) -> dict[str, Any]:
    candidates = [
        {
            "person_id": person,
            "rank": rank,
            "source": source,
            **scores,
            "confidence": _confidence(scores),
            "factors": found,
        }
        for rank, (person, source, scores, found) in enumerate(rows, start=1)
    ]
    confidence = candidates[0]["confidence"] if candidates else None
    return {**head, "confidence": confidence, "task_id": task_id, "candidates": candidates}


def _confidence(scores: Mapping[str, float | None]) -> float | None:
    """1 - min(2 * variance of the members' scores, .5); None without two members. Source: REQUIREMENTS 3."""
    members = [value for name, value in scores.items() if name.endswith("_score") and value is not None]
    return 1 - min(2 * statistics.pvariance(members), 0.5) if len(members) > 1 else None


def _estimate(
    product: Product, person: str, task: str | None, source: str, outputs: Mapping[str, float | None], found: Any
) -> dict[str, Any]:
    intervals = {name: _interval(name, outputs) for name in measures(product)}
    reasons = {name: NO_LABELS for name, interval in intervals.items() if interval is None}
    return {"person_id": person, "task_id": task, "source": source, **intervals, "reasons": reasons, "factors": found}


def _interval(name: str, outputs: Mapping[str, float | None]) -> dict[str, Any] | None:
    if outputs[name] is None:
        return None
    low, high, unit = outputs[name + LOW], outputs[name + HIGH], UNITS.get(name.split("_")[-1], "")
    return {"expected": outputs[name], "low": low, "high": high, "unit": unit}


def without_factors(reply: Mapping[str, Any]) -> dict[str, Any]:
    """An answer without what can be computed again from the logged features."""
    rows = "candidates" if "candidates" in reply else "estimates"
    return {**reply, rows: [{name: value for name, value in row.items() if name != "factors"} for row in reply[rows]]}
