"""A client of the service for other Python programs."""

from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import Any, Self
from urllib.parse import quote

import httpx
from pydantic_core import from_json

from feature_repo.errors import SettingsError
from serving.client.answer import Answer
from serving.client.bearer import Bearer, Token
from serving.client.breaker import Breaker
from serving.client.cache import Cache
from serving.client.calls import Call, Calls
from serving.client.deadline import Transport
from serving.client.questions import Question, Questions
from serving.limits import LIMITS

API = "/api/v1"
ASSIGNMENT = f"{API}/recommendations/task-assignment"
PERFORMANCE = f"{API}/recommendations/task-performance"
LIMIT = 10
PATIENT_SECONDS = LIMITS.answer_seconds + 2
Names = Sequence[str] | None
Json = dict[str, Any]


class Client:
    """Speaks to one service. Use it as a context manager, or close it. Threads may share it.

    url: such as http://127.0.0.1:8700. token: a bearer token, or what gives one. timeout: seconds for each call with
    all its tries; an admin's may take 12. fallback: whether an older answer, else the product's own rule, stands in
    where the service cannot be reached. http, breaker, cache: what to use instead.
    Of a question, limit: how many to answer with, the best first; explain: whether with the strongest factors; fresh:
    whether to ask though the answer is kept from the hour before. Answers are as the service's OpenAPI document
    declares them; Answer.answered_by says who gave one.
    Every method raises ServingError: RefusedError, with status and detail, where the service says no; without a
    fallback, and by all that asks no product, UnreachableError where it cannot be reached.
    """

    def __init__(
        self,
        url: str,
        token: Token = None,
        timeout: float = 5.0,
        *,
        fallback: bool = True,
        http: httpx.Client | None = None,
        breaker: Breaker | None = None,
        cache: Cache | None = None,
    ) -> None:
        place = httpx.URL(url)
        if place.scheme not in ("http", "https") or not place.host or place.userinfo:
            raise SettingsError("the service's url: malformed, allowed: http://host:port or https://host:port")
        self._http = http or httpx.Client(base_url=place, timeout=None, transport=Transport())
        shown = Bearer(token)
        self._calls = Calls(self._http, shown, Breaker(), timeout)
        # A breaker of their own: feedback that cannot be stored must not keep anybody from an answer.
        self._questions = Questions(Calls(self._http, shown, breaker or Breaker(), timeout), cache or Cache(), fallback)

    def rank(
        self,
        task_id: str | None = None,
        task: Mapping[str, Any] | None = None,
        candidates: Names = None,
        limit: int = LIMIT,
        explain: bool = True,
        *,
        fresh: bool = False,
    ) -> Answer:
        """People for a task, best first. task: a task that is not stored, by its columns."""
        about = {"task_id": task_id, "task": task, "candidates": candidates}
        return self._post(ASSIGNMENT, fresh, **about, limit=limit, explain=explain)

    def estimate(
        self, pairs: Sequence[tuple[str, str | Mapping[str, Any]]], explain: bool = True, *, fresh: bool = False
    ) -> Answer:
        """Hours, timeliness and quality for each person and task, a stored one's id or a new one's columns."""
        named = [{"person_id": person, "task_id" if isinstance(task, str) else "task": task} for person, task in pairs]
        return self._post(PERFORMANCE, fresh, pairs=named, explain=explain)

    def jobs_for(
        self,
        person_id: str,
        jobs: Names = None,
        min_score: float | None = None,
        limit: int = LIMIT,
        explain: bool = True,
        *,
        fresh: bool = False,
    ) -> Answer:
        """Jobs for a person. jobs: the open ones that are nearest if None; min_score: 0 to 100."""
        options = {"min_score": min_score, "limit": limit, "explain": explain}
        return self._post(f"{API}/match/talent-to-jobs", fresh, person_id=person_id, jobs=jobs, **options)

    def talents_for(
        self,
        job_id: str,
        talents: Names = None,
        min_score: float | None = None,
        limit: int = LIMIT,
        explain: bool = True,
        *,
        fresh: bool = False,
    ) -> Answer:
        """People for a job. talents: those that are nearest if None; min_score: 0 to 100."""
        options = {"min_score": min_score, "limit": limit, "explain": explain}
        return self._post(f"{API}/match/job-to-talents", fresh, job_id=job_id, talents=talents, **options)

    def skill_gaps(
        self,
        person_id: str,
        target_id: str,
        skills: Names = None,
        limit: int = LIMIT,
        explain: bool = True,
        *,
        fresh: bool = False,
    ) -> Answer:
        """Skills that a person probably lacks for a job or an occupation."""
        about = {"person_id": person_id, "target_id": target_id, "skills": skills}
        return self._post(f"{API}/skill-gaps/analyze", fresh, **about, limit=limit, explain=explain)

    def gap_impacts(
        self,
        person_id: str,
        target_id: str | None = None,
        skills: Names = None,
        limit: int = LIMIT,
        explain: bool = True,
        *,
        fresh: bool = False,
    ) -> Answer:
        """What learning each of some skills would do for a person's job matches."""
        about = {"person_id": person_id, "target_id": target_id, "skills": skills}
        return self._post(f"{API}/skill-gaps/predict", fresh, **about, limit=limit, explain=explain)

    def learning(
        self,
        person_id: str,
        target_id: str | None = None,
        contents: Names = None,
        limit: int = LIMIT,
        explain: bool = True,
        *,
        fresh: bool = False,
    ) -> Answer:
        """What a person might study next, and in which order. target_id: a job or an occupation to study for."""
        about = {"person_id": person_id, "target_id": target_id, "contents": contents}
        return self._post(f"{API}/recommendations/generate", fresh, **about, limit=limit, explain=explain)

    def careers(
        self,
        person_id: str,
        occupations: Names = None,
        limit: int = LIMIT,
        explain: bool = True,
        *,
        fresh: bool = False,
    ) -> Answer:
        """Occupations that suit a person."""
        about = {"person_id": person_id, "occupations": occupations}
        return self._post(f"{API}/careers/recommend", fresh, **about, limit=limit, explain=explain)

    def forecast(self, skill_id: str, horizon: int = 6, explain: bool = True, *, fresh: bool = False) -> Answer:
        """How much a skill will be asked for, 1 to 12 periods ahead."""
        fields = {"skill_id": skill_id, "horizon": horizon, "explain": explain}
        return Answer(*self._questions.answer(Question("GET", f"{API}/trends/forecast/{{skill_id}}", fields), fresh))

    def trends(
        self, skills: Names = None, horizon: int = 6, limit: int = LIMIT, explain: bool = True, *, fresh: bool = False
    ) -> Answer:
        """Which skills rise and which fall, what changes most first."""
        options = {"horizon": horizon, "limit": limit, "explain": explain}
        return self._post(f"{API}/trends/analyze", fresh, skills=skills, **options)

    def batch(self, path: str, requests: Sequence[Mapping[str, Any]], *, fresh: bool = False) -> list[Answer]:
        """The answers to up to 100 requests. path: of the batch form, such as /api/v1/careers/recommend/batch."""
        said = self._questions.answer(Question("POST", path, {"requests": list(requests)}), fresh)
        return [Answer(each, said.by, said.age) for each in said.body["answers"]]

    def feedback(
        self,
        prediction_id: str,
        item: str | None = None,
        *,
        person_id: str | None = None,
        accepted: bool | None = None,
        rating: int | None = None,
        comment: str | None = None,
    ) -> Json:
        """Say what became of an answer's item, by the id that the answer lists it by. rating: 1 to 5, 5 is best.

        Both may be left out where the answer leaves no choice. What is said twice counts once, so it is sent again
        where it may have been lost.
        """
        said = {"item": item, "person_id": person_id, "accepted": accepted, "rating": rating, "comment": comment}
        path = f"/recommendations/{quote(prediction_id, safe='')}/feedback"
        return self._tell(path, said, is_repeatable=True)

    def retrain(self, *products: str, reason: str) -> Json:
        """Have products trained anew. For an admin; reason: for the audit log. Sent once only."""
        return self._tell("/models/retrain", {"products": products, "reason": reason}, seconds=PATIENT_SECONDS)

    def rollback(self, product: str, reason: str, version: int | None = None) -> Json:
        """Have the champion before this one serve again. For an admin; reason: for the audit log.

        version: only if that one is champion. Sent once only where it is left out: twice would go back two.
        """
        path, said = f"/models/{quote(product, safe='')}/rollback", {"reason": reason, "version": version}
        return self._tell(path, said, is_repeatable=version is not None, seconds=PATIENT_SECONDS)

    def health(self) -> Json:
        """Whether models answer, or rules. Needs no token."""
        return self._read("/health")

    def models(self) -> Json:
        """Which version answers for each product."""
        return self._read("/models/status")

    def metrics(self) -> Json:
        """How each product does: champion, verdict, drift, answers, feedback. For an engineer or an admin."""
        return self._read("/ml/metrics")

    def training_history(self, product: str | None = None, limit: int | None = None) -> Json:
        """What was trained and registered, the newest first: of one product, or of all. For an engineer or an admin."""
        return self._read("/ml/training-history", product=product, limit=limit)

    def close(self) -> None:
        """Let go of the connections."""
        self._http.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"Client({str(self._http.base_url)!r})"

    def _post(self, route: str, fresh: bool, **fields: Any) -> Answer:
        return Answer(*self._questions.answer(Question("POST", route, fields), fresh))

    def _tell(self, path: str, fields: Mapping[str, Any], *, is_repeatable: bool = False, seconds: float = 0.0) -> Json:
        body = Question("POST", API + path, fields).body
        call = Call("POST", API + path, body, is_repeatable=is_repeatable, seconds=seconds)
        found: Json = from_json(self._calls.send(call))
        return found

    def _read(self, path: str, **filters: str | int | None) -> Json:
        params = {name: str(value) for name, value in filters.items() if value is not None}
        found: Json = from_json(self._calls.send(Call("GET", API + path, params=params)))
        return found
