"""The synthetic world (REQUIREMENTS section 7) into the source databases. The same arguments give the same world."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl

from feature_repo.errors import DataError
from feature_repo.extract import silent
from feature_repo.seed import document_frames, frames, graph_frames, market_frames, outcomes, people, tasks, writers
from feature_repo.seed.frames import Clock, Known
from feature_repo.seed.market import Market, market
from feature_repo.seed.outcomes import History
from feature_repo.seed.people import People
from feature_repo.seed.tasks import SECONDS_PER_DAY, Tasks
from feature_repo.seed.writers import Relation
from feature_repo.settings import Settings
from feature_repo.sources import schema
from feature_repo.sources.stream import Stream
from feature_repo.sources.streams import feedback, user_skills, workloads

DAYS = 3 * 365
UNTIL = datetime(2026, 1, 1, tzinfo=UTC)
TASKS_PER_PERSON = 5
FEWEST_PEOPLE = 20

Counts = dict[str, int]
Written = Iterator[tuple[str, int]]


@dataclass(frozen=True)
class World:
    """Everything that happened, as arrays, and the random numbers for what is still to be drawn."""

    clock: Clock
    people: People
    tasks: Tasks
    history: History
    known: Known
    market: Market
    rng: np.random.Generator


def world(people_count: int, task_count: int, seed: int, until: datetime) -> World:
    """The world of the three years before until, in memory. The same arguments give the same arrays."""
    clock = Clock(until - timedelta(days=DAYS), DAYS * SECONDS_PER_DAY)
    # A stream of random numbers for each part: a change to one leaves the others as they were.
    streams = np.random.default_rng(seed).spawn(6)
    everybody = people.people(people_count, DAYS, streams[0])
    work = tasks.tasks(task_count, everybody, DAYS, clock.since.weekday(), streams[1])
    past = outcomes.history(everybody, work, DAYS, streams[2])
    known = Known.of(work, past, clock, streams[3])
    return World(clock, everybody, work, past, known, market(people_count, clock.seconds, streams[4]), streams[5])


def seed_synthetic(
    settings: Settings,
    people: int = 300,
    tasks: int | None = None,
    seed: int = 42,
    until: datetime = UNTIL,
    progress: Callable[[str], None] = silent,
) -> Counts:
    """Write a world of that many people and tasks (5 per person), ending at until, into the source databases.

    Returns the rows, relationships and documents written, by place; the same arguments again change nothing.
    Raises DataError for a world that is too small, SourceError where a source cannot be written.
    """
    if people < FEWEST_PEOPLE:
        raise DataError(f"seed synthetic: {people} people, allowed {FEWEST_PEOPLE} or more")
    made = world(people, tasks if tasks is not None else people * TASKS_PER_PERSON, seed, until)
    progress(f"a world of {people:,} people and {len(made.tasks):,} tasks, until {until:%F}")
    schema.create(settings)
    counts: Counts = {}
    for write in (_write_tables, _write_graph, _write_documents):
        for place, count in write(settings, made):
            counts[place] = count
            progress(f"{place}: {count:,}")
    return counts


def tables(made: World) -> dict[str, pl.DataFrame]:
    """Rows by MySQL table."""
    clock, rng = made.clock, made.rng
    return {
        "identity_service.users": frames.users(made.people, clock, rng),
        "identity_service.user_profiles": frames.profiles(made.people, clock, rng),
        "task_service.tasks": frames.tasks(made.tasks, made.history, made.known, clock),
        "task_service.worklogs": frames.worklogs(made.history, made.known, clock),
        "job_service.talents": market_frames.talents(made.market, clock),
        "job_service.jobs": market_frames.jobs(made.market, clock),
        "job_service.applications": market_frames.applications(made.market, clock),
    }


def _write_tables(settings: Settings, made: World) -> Written:
    for place, frame in tables(made).items():
        yield place, writers.write_table(settings, place, frame)


def relations(made: World) -> dict[Relation, pl.DataFrame]:
    """Relationships by type."""
    between = graph_frames.relations(made.people, made.tasks, made.history, made.known, made.clock, made.rng)
    return {**between, **graph_frames.market_relations(made.market, made.clock)}


def _write_graph(settings: Settings, made: World) -> Written:
    task_table = frames.tasks(made.tasks, made.history, made.known, made.clock)
    for label, frame in graph_frames.nodes(made.people, task_table, made.market).items():
        yield label, writers.write_nodes(settings, label, frame)
    for relation, frame in relations(made).items():
        yield str(relation), writers.write_relations(settings, relation, frame)


def documents(made: World) -> dict[Stream, pl.DataFrame]:
    """Documents by the stream that reads them."""
    return {
        user_skills: document_frames.user_skills(made.people, made.history, made.clock, made.rng),
        workloads: document_frames.user_workloads(made.people, made.tasks, made.history, made.clock),
        feedback: document_frames.feedback(made.history, made.known, made.clock),
    }


def _write_documents(settings: Settings, made: World) -> Written:
    for stream, frame in documents(made).items():
        yield stream.origin, writers.write_documents(settings, stream.origin, frame, [*map(stream.path, stream.key)])
