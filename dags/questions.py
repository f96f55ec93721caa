"""A real question to every product, and what a reader would want to know of the answer."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from feature_repo.errors import ServingError
from feature_repo.retrieval import facts
from feature_repo.settings import Settings
from feature_repo.sources.servers import address
from serving.client import Answer, Client
from training.product import Facts
from training.products import PRODUCTS

SHOWN = 5
REASONS = 3
TOKEN_LIFETIME = timedelta(minutes=15)
Row = dict[str, Any]


@dataclass(frozen=True)
class Told:
    """An answer as a table. why: sentences below it."""

    title: str
    rows: Sequence[Row]
    columns: tuple[str, ...]
    why: Sequence[str] = ()


def client_of(settings: Settings, subject: str, timeout: float = 5.0) -> Client:
    """A client of the home's service, which asks as another service would.

    With the token of the settings, or with tokens of the home's secret.
    Nothing stands in for a service that is away: whoever asks here wants to know that it answers.
    Raises SettingsError without a service, or where there is neither token nor secret.
    """
    from serving.access.auth import Role, issue

    def token() -> str:
        if settings.service_token is not None:
            return settings.service_token.get_secret_value()
        return issue(settings, subject, Role.SERVICE, TOKEN_LIFETIME)

    return Client(address(settings, "service"), token, timeout, fallback=False)


def told(settings: Settings, as_of: datetime, client: Client) -> Iterator[Told]:
    """A task in hand first; then somebody's jobs, what is missing for the best one, how to learn it, careers, trends.

    Of a home without a market only the task is told. Raises ServingError where no task is open.
    """
    known = partial(facts, settings.root, known_before=as_of)
    yield from _task(client, newest_open_task(known, as_of))
    person = _somebody(known)
    if person is not None:
        yield from _market(client, known, person)
    if known("skill_demand").head(1).collect().height:
        yield _trends(client)


def newest_open_task(known: Facts, as_of: datetime) -> str:
    """The id of the task that was opened last. Raises ServingError where none is open."""
    from training.asking.open_work import open_pairs

    tasks = open_pairs(known, as_of)
    if not tasks.height:
        raise ServingError(f"no task is open as of {as_of:%F}")
    return str(tasks["task_id"][-1])


def _somebody(known: Facts) -> str | None:
    """The talent of whom most is known: interests if anybody's are, and skills."""
    counted = known("talent_skills").group_by("person_id").len().sort("len", "person_id", descending=[True, False])
    with_interests = counted.join(known("person_traits").select("person_id").unique(), on="person_id", how="semi")
    names = [*with_interests.sort("len", "person_id", descending=[True, False]).head(1).collect()["person_id"]]
    return next(iter([*names, *counted.head(1).collect()["person_id"]]), None)


def _task(client: Client, task: str) -> Iterator[Told]:
    ranked = client.rank(task_id=task, limit=SHOWN)
    rows = ranked["candidates"]
    columns = ("rank", "person_id", *PRODUCTS["task_assignment"].outputs)
    yield Told(f"Who should take task {task}: {source(ranked)}", rows, columns, _factors(rows))
    if rows:
        best = rows[0]["person_id"]
        estimated = client.estimate([(best, task)])
        title = f"What to expect of it in the hands of {best}: {source(estimated)}"
        yield Told(title, _estimates(estimated), ("what", "expected", "low", "high", "unit"))


def _market(client: Client, known: Facts, person: str) -> Iterator[Told]:
    job_titles, occupations = _titles(known, "jobs", "job_id"), _titles(known, "occupations", "occupation_id")
    matched = client.jobs_for(person, limit=SHOWN)
    yield _jobs(matched, person, job_titles)
    job = matched["jobs"][0]["job_id"] if matched["jobs"] else None
    if job is not None:
        yield _gaps(client.skill_gaps(person, job, limit=SHOWN), f"{person} lacks for {job_titles.get(job, job)}")
    yield _path(client.learning(person, job, limit=SHOWN), person)
    yield _careers(client.careers(person, limit=SHOWN), person, occupations)


def _titles(known: Facts, stream: str, key: str) -> dict[str, str]:
    return dict(known(stream).select(key, "title").collect().iter_rows())


def _jobs(answer: Answer, person: str, titles: dict[str, str]) -> Told:
    parts = [{name: part["score"] for name, part in (row["parts"] or {}).items()} for row in answer["jobs"]]
    rows = [
        {**row, "job": titles.get(row["job_id"], row["job_id"]), **part}
        for row, part in zip(answer["jobs"], parts, strict=True)
    ]
    columns = ("rank", "job", "score", *(parts[0] if parts else ()))
    return Told(f"Jobs for {person}, with their parts: {source(answer)}", rows, columns, _reasons(rows))


def _gaps(answer: Answer, who: str) -> Told:
    rows = [{**row, "what_it_brings": (row["impact"] or {}).get("sentence")} for row in answer["skills"]]
    columns = ("skill_id", "score", "priority", "learning_hours", "what_it_brings")
    why = _factors(rows) if rows else ["nothing is likely to be missing"]
    return Told(f"What {who}: {source(answer)}", rows, columns, why)


def _path(answer: Answer, person: str) -> Told:
    rows = [{**step, "step": place, "until_h": step["hours"]} for place, step in enumerate(answer["path"] or [], 1)]
    title = f"In which order {person} might study: {source(answer)}"
    return Told(title, rows, ("step", "title", "skill_id", "until_h"), _factors(answer["contents"]))


def _careers(answer: Answer, person: str, titles: dict[str, str]) -> Told:
    rows = [
        {
            **row,
            "occupation": titles.get(row["occupation_id"], row["occupation_id"]),
            "missing": ", ".join((row["missing_skills"] or [])[:REASONS]),
            "nearest_step": (row["next_step"] or {}).get("title"),
        }
        for row in answer["occupations"]
    ]
    columns = ("rank", "occupation", "score", "missing", "nearest_step")
    return Told(f"Occupations that suit {person}: {source(answer)}", rows, columns, _reasons(rows))


def _trends(client: Client) -> Told:
    answer = client.trends(limit=SHOWN)
    rows = [{**row, **(row["demand"] or {}), "now": row["demand_now"]} for row in answer["skills"]]
    columns = ("skill_id", "now", "expected", "low", "high", "direction")
    moving = answer["movers"] or {}
    why = [f"{way}: {', '.join(names)}" for way, names in moving.items() if names]
    return Told(f"Demand for skills in half a year, in % of posts: {source(answer)}", rows, columns, why)


def _factors(rows: Sequence[Row]) -> list[str]:
    """Why the best row stands where it does."""
    return [factor["sentence"] for factor in (rows[0]["factors"] or [])[:REASONS]] if rows else []


def _reasons(rows: Sequence[Row]) -> list[str]:
    return list(rows[0]["reasons"] or []) if rows else []


def source(answer: Answer) -> str:
    """Who answered, why if it was a rule, and how fast."""
    model = answer.model
    version = f" version {model['version']}" if model["version"] else ""
    why = f" ({answer.reason})" if answer.reason else ""
    return f"{answer.source} {model['name']}{version}{why}, {answer['processing_ms']:.0f} ms"


def _estimates(answer: Answer) -> list[Row]:
    """A row for each thing that is predicted; the reason where one is not."""
    row = answer["estimates"][0]
    names = [name for name in PRODUCTS["task_performance"].outputs if name in row]
    return [{"what": name, **(row[name] or {"expected": row["reasons"].get(name)})} for name in names]
