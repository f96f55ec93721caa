"""What people did, by person, by kind of task, and by both: the same running sums under different keys.

A sum marked 30d lets an event of age d weigh exp(-d / 30) at the row's own instant; pair columns let it fade further to
the instant of the question. Which families of columns a kind has is what was measured to help on SiP (see docs).
"""

from collections.abc import Callable

import polars as pl

from feature_repo import entities as entity
from feature_repo.column import View
from feature_repo.entities import Entity, person
from feature_repo.features.events import DAY, Events, by

WORK = "neo4j.worked_on"
GIVEN = "neo4j.assignments"
ENDED = "mysql.completions, mysql.worklogs"
Family = Callable[[View], None]


def _starts(view: View) -> None:
    @view.column(float, unit="days since 1970", source=WORK, minimum=0)
    def day(_: Events) -> pl.Expr:
        """The instant of the last event, from which sums fade."""
        return DAY

    @view.column(float, unit="tasks", source=WORK, minimum=0)
    def started(events: Events) -> pl.Expr:
        """Tasks started, by people: two people on one task count twice."""
        return events.total("started")

    @view.column(float, unit="tasks", source=WORK, minimum=0)
    def started_180d(events: Events) -> pl.Expr:
        """Tasks started, fading by 180 days."""
        return events.decayed("started", 180)


def _recency(view: View) -> None:
    @view.column(float, unit="days since 1970", source=WORK, minimum=0, nulls=1.0)
    def last_started(events: Events) -> pl.Expr:
        """The last instant at which a start was known."""
        return events.latest("started")


def _short(view: View) -> None:
    @view.column(float, unit="tasks", source=WORK, minimum=0)
    def started_30d(events: Events) -> pl.Expr:
        """Tasks started, fading by 30 days."""
        return events.decayed("started", 30)


def _yearly(view: View) -> None:
    @view.column(float, unit="tasks", source=WORK, minimum=0)
    def started_365d(events: Events) -> pl.Expr:
        """Tasks started, fading by 365 days."""
        return events.decayed("started", 365)


def _own(view: View) -> None:
    @view.column(float, unit="tasks", source=WORK, minimum=0)
    def own_180d(events: Events) -> pl.Expr:
        """Tasks started by the person who raised them, fading by 180 days."""
        return events.decayed("own", 180)


def _assigned(view: View) -> None:
    @view.column(float, unit="tasks", source=GIVEN, minimum=0)
    def assigned_180d(events: Events) -> pl.Expr:
        """Tasks assigned, fading by 180 days."""
        return events.decayed("assigned", 180)


def _outcomes(view: View) -> None:
    @view.column(float, unit="tasks", source=ENDED, minimum=0)
    def finished_365d(events: Events) -> pl.Expr:
        """Tasks finished, by people, fading by 365 days."""
        return events.decayed("finished", 365)

    @view.column(float, source=ENDED)
    def log_ratio_365d(events: Events) -> pl.Expr:
        """Sum of ln((1 + actual) / (1 + estimated hours)) over finished tasks, fading by 365 days."""
        return events.decayed("log_ratio", 365)

    @view.column(float, source=ENDED)
    def log_error_365d(events: Events) -> pl.Expr:
        """Sum of the absolute values of the same."""
        return events.decayed("log_error", 365)

    @view.column(float, unit="tasks", source=ENDED)
    def exact_365d(events: Events) -> pl.Expr:
        """Finished tasks that took exactly what was estimated, fading by 365 days."""
        return events.decayed("exact", 365)

    @view.column(float, source=ENDED)
    def log_days_365d(events: Events) -> pl.Expr:
        """Sum of ln(1 + days from specification to completion) over finished tasks, fading by 365 days."""
        return events.decayed("log_days", 365)

    @view.column(float, unit="tasks", source=ENDED, minimum=0)
    def finished_60d(events: Events) -> pl.Expr:
        """Tasks finished, by people, fading by 60 days."""
        return events.decayed("finished", 60)

    @view.column(float, source=ENDED)
    def log_days_60d(events: Events) -> pl.Expr:
        """As log_days_365d, fading by 60 days: how fast work is done lately."""
        return events.decayed("log_days", 60)


def _sizes(view: View) -> None:
    @view.column(float, source=ENDED)
    def log_hours_365d(events: Events) -> pl.Expr:
        """Sum of ln(1 + actual hours) over finished tasks, fading by 365 days."""
        return events.decayed("log_hours", 365)


def _view(*of: Entity, families: tuple[Family, ...]) -> View:
    view = View("_".join(each.name for each in of), of, by(*(each.key for each in of)))
    for family in families:
        family(view)
    return view


Kind = tuple[Entity, ...]
KINDS: tuple[Kind, ...] = (
    (entity.everybody,),
    (entity.project,),
    (entity.project, entity.breakdown),
    (entity.subcategory,),
    (entity.raiser,),
    (entity.raiser, entity.subcategory),
    (entity.raiser, entity.project),
    (entity.raiser, entity.category),
    (entity.priority,),
    (entity.raiser, entity.priority),
    (entity.raiser, entity.project, entity.breakdown),
    (entity.priority, entity.subcategory),
    (entity.head,),
    (entity.title,),
    (entity.estimate,),
)
"""What makes tasks alike: the same project, the same raiser and kind of work, and so on."""

OWN = {(entity.raiser,), (entity.raiser, entity.subcategory), (entity.raiser, entity.project)} | {
    (entity.raiser, entity.category)
}
ASSIGNED = {(entity.raiser,), (entity.raiser, entity.subcategory), (entity.project, entity.breakdown)}
OUTCOMES_OF_ALL = {(entity.subcategory,), (entity.project,), (entity.raiser,), (entity.title,), (entity.estimate,)}
OUTCOMES_OF_PEOPLE = {(entity.subcategory,), (entity.project,), (entity.raiser,), (entity.priority,)} | {
    (entity.title,),
    (entity.head,),
}
SIZES = {(entity.title,), (entity.head,), (entity.subcategory,)}


def _of_all(kind: Kind) -> View:
    """Everybody's tasks of a kind."""
    chosen = ((_own, kind in OWN), (_assigned, kind in ASSIGNED), (_outcomes, kind in OUTCOMES_OF_ALL),
              (_sizes, kind in OUTCOMES_OF_ALL & SIZES), (_short, kind == (entity.everybody,)),
              (_yearly, kind == (entity.everybody,)))  # fmt: skip
    return _view(*kind, families=(_starts, *(family for family, wanted in chosen if wanted)))


def _of_person(kind: Kind) -> View:
    """A person's tasks of a kind."""
    chosen = ((_assigned, kind in ASSIGNED), (_outcomes, kind in OUTCOMES_OF_PEOPLE),
              (_sizes, kind in OUTCOMES_OF_PEOPLE & SIZES))  # fmt: skip
    return _view(person, *kind, families=(_starts, _recency, *(family for family, wanted in chosen if wanted)))


kinds = tuple(_of_all(kind) for kind in KINDS)
people_in_kinds = tuple(_of_person(kind) for kind in KINDS if kind not in {(entity.everybody,), (entity.estimate,)})
words = tuple(_view(word, families=(_starts, _yearly)) for word in entity.words)
people_and_words = tuple(_view(person, word, families=(_starts, _yearly)) for word in entity.words)
people = _view(person, families=(_starts, _recency, _short, _outcomes))


@people.column(str, source=WORK)
def id(_: Events) -> pl.Expr:
    """The person's own id, to compare with other people's."""
    return pl.col("person_id")


@people.column(float, unit="tasks", source=f"{GIVEN}, mysql.completions", minimum=0)
def open_tasks(events: Events) -> pl.Expr:
    """Tasks assigned, not finished and not older than 90 days."""
    return events.total("opened").round(6).clip(lower_bound=0)


@people.column(float, unit="h", source=f"{GIVEN}, mysql.completions", minimum=0)
def open_hours(events: Events) -> pl.Expr:
    """Estimated hours of these tasks."""
    return events.total("open_hours").round(6).clip(lower_bound=0)


@people.column(float, source=WORK, minimum=0)
def start_priority_180d(events: Events) -> pl.Expr:
    """Sum of the priorities of started tasks, fading by 180 days."""
    return events.decayed("start_priority", 180)


@people.column(float, source=WORK, minimum=0)
def start_log_estimate_180d(events: Events) -> pl.Expr:
    """Sum of ln(1 + estimated hours) of started tasks, fading by 180 days."""
    return events.decayed("start_log_estimate", 180)


@people.column(float, source=ENDED)
def effort_rating_365d(events: Events) -> pl.Expr:
    """Sum of effort ratings, 1 to 5, of finished tasks, fading by 365 days."""
    return events.decayed("effort_rating", 365)


VIEWS = (people, *kinds, *people_in_kinds, *words, *people_and_words)
BY_NAME = {view.name: view for view in VIEWS}
