"""The synthetic world (REQUIREMENTS section 7) into the source databases. The same arguments give the same world."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl

from feature_repo.errors import DataError
from feature_repo.extract import silent
from feature_repo.seed import (
    applications,
    career_frames,
    careers,
    declared,
    demand,
    details,
    document_frames,
    frames,
    graph_frames,
    learning,
    learning_frames,
    market,
    market_frames,
    memory,
    outcomes,
    people,
    tasks,
    texts,
    writers,
)
from feature_repo.seed.applications import Views
from feature_repo.seed.frames import Clock, Known
from feature_repo.seed.outcomes import History
from feature_repo.seed.people import People
from feature_repo.seed.tasks import SECONDS_PER_DAY, Tasks
from feature_repo.seed.writers import Relation
from feature_repo.settings import Settings
from feature_repo.sources import schema
from feature_repo.sources.stream import Stream
from feature_repo.sources.streams import contents, engagements, feedback, postings, user_skills, workloads

DAYS = 3 * 365
UNTIL = datetime(2026, 1, 1, tzinfo=UTC)
TASKS_PER_PERSON = 5
FEWEST_PEOPLE = 20

Counts = dict[str, int]
Written = Iterator[tuple[str, int]]


@dataclass(frozen=True)
class World:
    """Everything that happened, as arrays. What is written follows from it without further chance."""

    clock: Clock
    people: People
    tasks: Tasks
    history: History
    known: Known
    details: details.Details
    market: market.Market
    applications: applications.Applications
    views: Views
    declared: declared.Declared
    contents: learning.Contents
    slates: learning.Slates
    careers: careers.Careers
    demand: demand.Demand
    texts: texts.Texts


def world(people_count: int, task_count: int, seed: int, until: datetime) -> World:
    """The world of the three years before until, in memory. The same arguments give the same arrays."""
    clock = Clock(until - timedelta(days=DAYS), DAYS * SECONDS_PER_DAY)
    # A stream of random numbers for each part: a change to one leaves the others as they were.
    streams = np.random.default_rng(seed).spawn(12)
    everybody = people.people(people_count, DAYS, streams[0])
    work = tasks.tasks(task_count, everybody, DAYS, clock.since.weekday(), streams[1])
    past = outcomes.history(everybody, work, DAYS, streams[2])
    places = market.market(everybody, clock.seconds, streams[4])
    sent = applications.applications(places, clock.seconds, streams[6])
    said = declared.declared(places, streams[7])
    offered = learning.contents(clock.seconds, streams[8])
    paths = careers.careers(places, clock.seconds, streams[9])
    return World(
        clock=clock,
        people=everybody,
        tasks=work,
        history=past,
        known=Known.of(work, past, clock, streams[3]),
        details=details.details(everybody, task_count, DAYS, streams[5]),
        market=places,
        applications=sent,
        views=applications.views(places, sent, clock.seconds, streams[6]),
        declared=said,
        contents=offered,
        slates=learning.slates(places, said, offered, clock.seconds, streams[8]),
        careers=paths,
        demand=demand.demand(until, streams[10]),
        texts=texts.texts(places, said, offered, paths, streams[11]),
    )


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
    clock, places, words = made.clock, made.market, made.texts
    others = market_frames.outsiders(places, clock)
    return {
        "identity_service.users": pl.concat(
            [frames.users(made.people, made.details, clock), others["identity_service.users"]]
        ),
        "identity_service.user_profiles": pl.concat(
            [frames.profiles(made.people, made.details, clock), others["identity_service.user_profiles"]]
        ),
        "task_service.tasks": frames.tasks(made.tasks, made.history, made.known, clock),
        "task_service.worklogs": frames.worklogs(made.history, made.known, clock),
        "job_service.talents": market_frames.talents(places, made.declared, words, clock),
        "job_service.jobs": market_frames.jobs(places, words, clock),
        "job_service.applications": market_frames.applications(places, made.applications, clock),
        "job_service.skill_assessments": market_frames.skill_assessments(places, made.applications, clock),
        "job_service.job_views": market_frames.job_views(places, made.views, clock),
        **career_frames.tables(places, made.careers, words, clock),
        "market_service.skill_demand": career_frames.skill_demand(made.demand),
    }


def nodes(made: World) -> dict[str, pl.DataFrame]:
    """Nodes by label."""
    task_table = frames.tasks(made.tasks, made.history, made.known, made.clock)
    everybody = frames.talent_ids(np.arange(len(made.market.talents)), made.market.employees)
    return {
        **graph_frames.nodes(task_table, everybody, made.market, made.clock),
        "Occupation": career_frames.nodes(made.careers),
    }


def relations(made: World) -> dict[Relation, pl.DataFrame]:
    """Relationships by type."""
    return {
        **graph_frames.relations(made.tasks, made.history, made.known, made.details, made.clock),
        **market_frames.relations(made.market, made.declared, made.clock),
        **career_frames.relations(made.careers, made.clock),
    }


def documents(made: World) -> dict[Stream, pl.DataFrame]:
    """Documents by the stream that reads them."""
    return {
        user_skills: document_frames.user_skills(made.people, made.history, made.details, made.clock),
        workloads: document_frames.user_workloads(made.people, made.tasks, made.history, made.clock),
        feedback: document_frames.feedback(made.history, made.known, made.clock),
        postings: market_frames.postings(made.market, made.texts, made.clock),
        contents: learning_frames.contents(made.contents, made.texts, made.clock),
        engagements: learning_frames.engagements(made.market, made.slates, made.clock),
    }


def streams_of(made: World) -> dict[str, pl.DataFrame]:
    """Every stream's rows as they would be read back from the databases, by name, without any server."""
    return memory.streams(tables(made), nodes(made), relations(made), documents(made))


def _write_tables(settings: Settings, made: World) -> Written:
    for place, frame in tables(made).items():
        yield place, writers.write_table(settings, place, frame)


def _write_graph(settings: Settings, made: World) -> Written:
    for label, frame in nodes(made).items():
        yield label, writers.write_nodes(settings, label, frame)
    for relation, frame in relations(made).items():
        yield str(relation), writers.write_relations(settings, relation, frame)


def _write_documents(settings: Settings, made: World) -> Written:
    for stream, frame in documents(made).items():
        yield stream.origin, writers.write_documents(settings, stream.origin, frame, [*map(stream.path, stream.key)])
