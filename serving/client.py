"""A client of the service for other Python programs."""

from collections.abc import Sequence
from types import TracebackType
from typing import Any, Self
from urllib.parse import quote

import httpx

from feature_repo.errors import ServingError

API = "/api/v1"
ASSIGNMENT = f"{API}/recommendations/task-assignment"
PERFORMANCE = f"{API}/recommendations/task-performance"
LIMIT = 10
Answer = dict[str, Any]
Names = Sequence[str] | None


class Client:
    """Speaks to one service. Use it as a context manager, or close it.

    url: such as http://127.0.0.1:8700. timeout: seconds for each request. http: what speaks instead.
    limit: how many to answer with, the best first; explain: whether with the strongest factors. Answers are as the
    service's OpenAPI document declares them.
    Every method raises ServingError, which names the route, the status and what the service said.
    """

    def __init__(self, url: str, timeout: float = 5.0, http: httpx.Client | None = None) -> None:
        self._http = http or httpx.Client(base_url=url, timeout=timeout)

    def rank(
        self,
        task_id: str | None = None,
        task: dict[str, Any] | None = None,
        candidates: Names = None,
        limit: int = LIMIT,
        explain: bool = True,
    ) -> Answer:
        """People for a task, best first. task: a task that is not stored, by its columns."""
        return self._post(ASSIGNMENT, task_id=task_id, task=task, candidates=candidates, limit=limit, explain=explain)

    def estimate(self, pairs: Sequence[tuple[str, str | dict[str, Any]]], explain: bool = True) -> Answer:
        """Hours, timeliness and quality for each person and task, a stored one's id or a new one's columns."""
        named = [{"person_id": person, "task_id" if isinstance(task, str) else "task": task} for person, task in pairs]
        return self._post(PERFORMANCE, pairs=named, explain=explain)

    def jobs_for(
        self,
        person_id: str,
        jobs: Names = None,
        min_score: float | None = None,
        limit: int = LIMIT,
        explain: bool = True,
    ) -> Answer:
        """Jobs for a person. jobs: the open ones that are nearest if None; min_score: 0 to 100."""
        options = {"min_score": min_score, "limit": limit, "explain": explain}
        return self._post(f"{API}/match/talent-to-jobs", person_id=person_id, jobs=jobs, **options)

    def talents_for(
        self,
        job_id: str,
        talents: Names = None,
        min_score: float | None = None,
        limit: int = LIMIT,
        explain: bool = True,
    ) -> Answer:
        """People for a job. talents: those that are nearest if None; min_score: 0 to 100."""
        options = {"min_score": min_score, "limit": limit, "explain": explain}
        return self._post(f"{API}/match/job-to-talents", job_id=job_id, talents=talents, **options)

    def skill_gaps(
        self, person_id: str, target_id: str, skills: Names = None, limit: int = LIMIT, explain: bool = True
    ) -> Answer:
        """Skills that a person probably lacks for a job or an occupation."""
        about = {"person_id": person_id, "target_id": target_id, "skills": skills}
        return self._post(f"{API}/skill-gaps/analyze", **about, limit=limit, explain=explain)

    def gap_impacts(
        self,
        person_id: str,
        target_id: str | None = None,
        skills: Names = None,
        limit: int = LIMIT,
        explain: bool = True,
    ) -> Answer:
        """What learning each of some skills would do for a person's job matches."""
        about = {"person_id": person_id, "target_id": target_id, "skills": skills}
        return self._post(f"{API}/skill-gaps/predict", **about, limit=limit, explain=explain)

    def learning(
        self,
        person_id: str,
        target_id: str | None = None,
        contents: Names = None,
        limit: int = LIMIT,
        explain: bool = True,
    ) -> Answer:
        """What a person might study next, and in which order. target_id: a job or an occupation to study for."""
        about = {"person_id": person_id, "target_id": target_id, "contents": contents}
        return self._post(f"{API}/recommendations/generate", **about, limit=limit, explain=explain)

    def careers(self, person_id: str, occupations: Names = None, limit: int = LIMIT, explain: bool = True) -> Answer:
        """Occupations that suit a person."""
        about = {"person_id": person_id, "occupations": occupations}
        return self._post(f"{API}/careers/recommend", **about, limit=limit, explain=explain)

    def forecast(self, skill_id: str, horizon: int = 6, explain: bool = True) -> Answer:
        """How much a skill will be asked for, 1 to 12 periods ahead."""
        query = {"horizon": horizon, "explain": str(explain).lower()}
        return self._call("GET", f"{API}/trends/forecast/{quote(skill_id, safe='')}", params=query)

    def trends(self, skills: Names = None, horizon: int = 6, limit: int = LIMIT, explain: bool = True) -> Answer:
        """Which skills rise and which fall, what changes most first."""
        return self._post(f"{API}/trends/analyze", skills=skills, horizon=horizon, limit=limit, explain=explain)

    def batch(self, path: str, requests: Sequence[Answer]) -> list[Answer]:
        """The answers to up to 100 requests. path: of the batch form, such as /api/v1/careers/recommend/batch."""
        found: list[Answer] = self._post(path, requests=list(requests))["answers"]
        return found

    def health(self) -> Answer:
        """Whether models answer, or rules."""
        return self._call("GET", f"{API}/health")

    def models(self) -> Answer:
        """Which version answers for each product."""
        return self._call("GET", f"{API}/models/status")

    def close(self) -> None:
        """Let go of the connection."""
        self._http.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _post(self, route: str, **body: Any) -> Answer:
        """What is None is left out of the body."""
        return self._call("POST", route, json={name: value for name, value in body.items() if value is not None})

    def _call(self, method: str, route: str, **sent: Any) -> Answer:
        try:
            answer = self._http.request(method, route, **sent)
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
