"""What people did, by person, by kind of task, and by both: the same running sums under different keys.

A sum marked 30d lets an event of age d weigh exp(-d / 30) at the row's own instant; pair columns let it fade further to
the instant of the question. Which sums a kind of task has is what helped on SiP, in years before those it is judged on.
"""

from dataclasses import dataclass

import polars as pl

from feature_repo.column import View
from feature_repo.entities import (
    Entity,
    breakdown,
    category,
    estimate,
    everybody,
    head,
    person,
    priority,
    project,
    raiser,
    subcategory,
    title,
    words,
)
from feature_repo.features.events import DAY, Events, by

WORK = "neo4j.worked_on"
GIVEN = "neo4j.assignments"
ENDED = "mysql.completions, neo4j.assignments"


@dataclass(frozen=True)
class Sum:
    """A running sum of an event's amount. days: by which it fades, None where it does not."""

    amount: str
    days: int | None
    source: str
    what: str
    unit: str = ""
    minimum: float | None = 0

    def declare(self, view: View) -> None:
        """Make it a column of the view, named after the amount and its days."""

        def column(events: Events) -> pl.Expr:
            return events.total(self.amount) if self.days is None else events.decayed(self.amount, self.days)

        column.__name__ = self.amount if self.days is None else f"{self.amount}_{self.days}d"
        column.__doc__ = f"{self.what}{'' if self.days is None else f', fading by {self.days} days'}."
        view.column(float, unit=self.unit, source=self.source, minimum=self.minimum)(column)


def _started(days: int | None) -> Sum:
    return Sum("started", days, WORK, "Tasks started, by people: two people on one task count twice", "tasks")


STARTS = (_started(None), _started(180))
LATELY, YEARLY = (_started(30),), (_started(365),)
OWN = (Sum("own", 180, WORK, "Tasks started by the person who raised them", "tasks"),)
ASSIGNED = (Sum("assigned", 180, GIVEN, "Tasks assigned", "tasks"),)
SIZES = (Sum("log_hours", 365, ENDED, "Sum of ln(1 + actual hours) over finished tasks"),)
OUTCOMES = (
    Sum("finished", 365, ENDED, "Tasks finished, by people to whom they were assigned", "tasks"),
    Sum("dated", 365, ENDED, "Of the tasks finished, those whose day of completion is known", "tasks", minimum=None),
    Sum("dated", 60, ENDED, "Of the tasks finished, those whose day of completion is known", "tasks", minimum=None),
    Sum("log_ratio", 365, ENDED, "Sum of ln((1 + actual) / (1 + estimated hours)) over finished tasks", minimum=None),
    Sum("log_error", 365, ENDED, "Sum of the sizes of ln((1 + actual) / (1 + estimated hours))", minimum=None),
    Sum("exact", 365, ENDED, "Finished tasks that took exactly what was estimated", "tasks", minimum=None),
    Sum("log_days", 365, ENDED, "Sum of ln(1 + days to completion) over finished tasks", minimum=None),
    Sum("log_days", 60, ENDED, "Sum of ln(1 + days to completion) over finished tasks", minimum=None),
)


@dataclass(frozen=True)
class Kind:
    """What makes tasks alike, and which sums there are beside starts: over everybody's tasks, and over a person's.

    of_person: None where there is no view by person.
    """

    entities: tuple[Entity, ...]
    of_all: tuple[Sum, ...] = ()
    of_person: tuple[Sum, ...] | None = ()


KINDS = (
    Kind((everybody,), of_all=(*LATELY, *YEARLY), of_person=None),
    Kind((project,), of_all=OUTCOMES, of_person=OUTCOMES),
    Kind((project, breakdown), of_all=ASSIGNED, of_person=ASSIGNED),
    Kind((subcategory,), of_all=(*OUTCOMES, *SIZES), of_person=(*OUTCOMES, *SIZES)),
    Kind((raiser,), of_all=(*OWN, *ASSIGNED, *OUTCOMES), of_person=(*ASSIGNED, *OUTCOMES)),
    Kind((raiser, subcategory), of_all=(*OWN, *ASSIGNED), of_person=ASSIGNED),
    Kind((raiser, project), of_all=OWN),
    Kind((raiser, category), of_all=OWN),
    Kind((priority,), of_person=OUTCOMES),
    Kind((raiser, priority)),
    Kind((raiser, project, breakdown)),
    Kind((priority, subcategory)),
    Kind((head,), of_person=(*OUTCOMES, *SIZES)),
    Kind((title,), of_all=(*OUTCOMES, *SIZES), of_person=(*OUTCOMES, *SIZES)),
    Kind((estimate,), of_all=OUTCOMES, of_person=None),
)


def _view(*of: Entity, sums: tuple[Sum, ...]) -> View:
    view = View("_".join(each.name for each in of), of, by(*(each.key for each in of)))

    @view.column(float, unit="days since 1970", source=WORK, minimum=0)
    def day(_: Events) -> pl.Expr:
        """The instant of the last event, from which sums fade."""
        return DAY

    @view.column(float, unit="days since 1970", source=WORK, minimum=0, nulls=1.0)
    def last_started(events: Events) -> pl.Expr:
        """The last instant at which a start was known."""
        return events.latest("started")

    for each in (*STARTS, *sums):
        each.declare(view)
    return view


kinds = tuple(_view(*kind.entities, sums=kind.of_all) for kind in KINDS)
people_in_kinds = tuple(
    _view(person, *kind.entities, sums=kind.of_person) for kind in KINDS if kind.of_person is not None
)
titles = tuple(_view(word, sums=YEARLY) for word in words)
people_in_titles = tuple(_view(person, word, sums=YEARLY) for word in words)
people = _view(
    person,
    sums=(
        *LATELY,
        *OUTCOMES,
        Sum("start_priority", 180, WORK, "Sum of the priorities of started tasks"),
        Sum("start_log_estimate", 180, WORK, "Sum of ln(1 + estimated hours) of started tasks"),
        Sum("effort_rating", 365, ENDED, "Sum of effort ratings, 1 to 5, of finished tasks", minimum=None),
    ),
)


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


VIEWS = (people, *kinds, *people_in_kinds, *titles, *people_in_titles)
