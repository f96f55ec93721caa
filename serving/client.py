"""A client of the service for other Python programs."""

from collections.abc import Sequence
from types import TracebackType
from typing import Any, Self

import httpx

from feature_repo.errors import ServingError

ASSIGNMENT = "/api/v1/recommendations/task-assignment"
PERFORMANCE = "/api/v1/recommendations/task-performance"


class Client:
    """Speaks to one service. Use it as a context manager, or close it.

    url: such as http://127.0.0.1:8700. timeout: seconds for each request.
    Every method raises ServingError, which names the route, the status and what the service said.
    """

    def __init__(self, url: str, timeout: float = 5.0) -> None:
        self._http = httpx.Client(base_url=url, timeout=timeout)

    def rank(
        self,
        task_id: str | None = None,
        task: dict[str, Any] | None = None,
        candidates: Sequence[str] | None = None,
        limit: int = 10,
        explain: bool = True,
    ) -> dict[str, Any]:
        """People for a task, best first. task: a task that is not stored, by its columns."""
        body = {"task_id": task_id, "task": task, "candidates": candidates, "limit": limit, "explain": explain}
        return self._call("POST", ASSIGNMENT, body)

    def estimate(self, pairs: Sequence[tuple[str, str | dict[str, Any]]], explain: bool = True) -> dict[str, Any]:
        """Hours, timeliness and quality for each person and task, a stored one's id or a new one's columns."""
        named = [{"person_id": person, "task_id" if isinstance(task, str) else "task": task} for person, task in pairs]
        return self._call("POST", PERFORMANCE, {"pairs": named, "explain": explain})

    def health(self) -> dict[str, Any]:
        """Whether models answer, or rules."""
        return self._call("GET", "/api/v1/health")

    def models(self) -> dict[str, Any]:
        """Which version answers for each product."""
        return self._call("GET", "/api/v1/models/status")

    def close(self) -> None:
        """Let go of the connection."""
        self._http.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _call(self, method: str, route: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        given = {name: value for name, value in body.items() if value is not None} if body else None
        try:
            answer = self._http.request(method, route, json=given)
            found = answer.json()
        except (httpx.HTTPError, ValueError) as error:
            raise ServingError(f"{method} {route}: no answer from {self._http.base_url}: {error!r}") from None
        if answer.is_success and isinstance(found, dict):
            return found
        raise ServingError(f"{method} {route}: {answer.status_code}, {_said(found)}")


def _said(found: Any) -> str:
    if not isinstance(found, dict):
        return "an answer that is not ours"
    faults = "; ".join(f"{fault['field']}: {fault['message']}" for fault in found.get("errors", ()))
    return f"{found.get('detail', found)} {faults}".strip()
