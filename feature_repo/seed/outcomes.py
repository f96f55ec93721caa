"""How the synthetic tasks went: who was chosen, how long it took, how good it was. Day by day, as load and skill move.

The choice of a person weighs skill match, load, past work on the project and ability, with noise; the outcome depends
on the same things with weights of its own, so that what is good to predict one is not all there is to the other.
"""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from feature_repo.seed.people import Floats, Ints, People
from feature_repo.seed.tasks import SECONDS_PER_DAY, Tasks

CANDIDATES = 48
FOREIGN_CANDIDATES = 4
TEAM = 6  # people of a project who are considered again
HELPERS = 2
HELPER_SHARES = (0.67, 0.25, 0.08)
CANCELLED = 0.03
RATED = 0.88
EASE = 0.75  # the match at which neither hours nor quality suffer
SLACK = 0.4  # the utilization above which they do
GROWTH = 0.06  # levels gained per task in each skill that it asks for


@dataclass
class History:
    """Arrays over tasks; times in seconds since the history began. helpers: shape (tasks, 2), -1 for none.

    match, utilization: of the chosen person at that time; not written anywhere, they explain the outcome.
    growth: (day, person, skill, level) whenever a skill grew.
    """

    assignee: Ints
    helpers: Ints
    assigned: Ints
    started: Ints
    completed: Ints
    actual: Floats
    is_cancelled: NDArray[np.bool_]
    rating: Ints
    rated: Ints
    match: Floats
    utilization: Floats
    growth: list[tuple[Ints, Ints, Ints, Floats]] = field(default_factory=list)


@dataclass
class State:
    """What a day leaves to the next: levels, open hours by person, the last people of each project."""

    levels: Floats
    open_hours: Floats
    team: Ints
    turns: Ints


def match_of(levels: Floats, wanted: Ints, mandatory: NDArray[np.bool_]) -> Floats:
    """How far levels reach what is wanted, 0 to 1, mandatory skills counting twice. Shapes: (..., skills)."""
    reach = np.minimum(levels / np.maximum(wanted, 1), 1.0)
    weight = np.where(wanted > 0, 1.0 + mandatory, 0.0)
    share: Floats = (reach * weight).sum(axis=-1) / np.maximum(weight.sum(axis=-1), 1.0)
    return share


def history(everybody: People, tasks: Tasks, days: int, rng: np.random.Generator) -> History:
    """Assign and finish every task; what happens after the history's last day is for the caller to leave out."""
    count = len(tasks)
    found = _empty(count)
    projects = int(tasks.project.max(initial=-1)) + 1
    state = State(
        levels=everybody.levels.copy(),
        open_hours=np.zeros(len(everybody)),
        team=np.full((projects, TEAM), -1),
        turns=np.zeros(projects, dtype=np.int64),
    )
    members = _members(everybody)
    ending: list[list[Ints]] = [[] for _ in range(days)]
    bounds = np.searchsorted(tasks.raised, np.arange(days + 1) * SECONDS_PER_DAY)
    for day in range(days):
        _finish(found, tasks, state, ending[day], day)
        rows = np.arange(bounds[day], bounds[day + 1])
        if len(rows):
            _assign(found, everybody, tasks, state, rows, _candidates(tasks, state, members, rows, rng), day, rng)
            _complete(found, everybody, tasks, rows, rng)
            _schedule(found, rows, ending)
    return found


def _empty(count: int) -> History:
    def zeros() -> Ints:
        return np.zeros(count, dtype=np.int64)

    return History(
        assignee=zeros(),
        helpers=np.full((count, HELPERS), -1),
        assigned=zeros(),
        started=zeros(),
        completed=zeros(),
        actual=np.zeros(count),
        is_cancelled=np.zeros(count, dtype=np.bool_),
        rating=zeros(),
        rated=zeros(),
        match=np.zeros(count),
        utilization=np.zeros(count),
    )


def _members(everybody: People) -> list[Ints]:
    return [np.flatnonzero(everybody.department == number) for number in range(int(everybody.department.max()) + 1)]


def _candidates(tasks: Tasks, state: State, members: list[Ints], rows: Ints, rng: np.random.Generator) -> Ints:
    """People who are considered: the project's last people, some of its department, a few of anywhere."""
    team = state.team[tasks.project[rows]]
    people = len(state.open_hours)
    foreign = rng.integers(0, people, (len(rows), FOREIGN_CANDIDATES))
    sizes = np.array([len(group) for group in members])
    starts = np.concatenate([[0], np.cumsum(sizes)[:-1]])
    everyone = np.concatenate(members)
    department = tasks.department[rows][:, None]
    drawn = rng.random((len(rows), CANDIDATES - TEAM - FOREIGN_CANDIDATES))
    own = everyone[np.minimum(starts[department] + (drawn * sizes[department]).astype(np.int64), len(everyone) - 1)]
    return np.concatenate([np.where(team >= 0, team, foreign[:, :1]), own, foreign], axis=1)


def _assign(
    found: History,
    everybody: People,
    tasks: Tasks,
    state: State,
    rows: Ints,
    candidates: Ints,
    day: int,
    rng: np.random.Generator,
) -> None:
    """Choose for each task the candidate of the highest utility; its noise is Gumbel, so shares are a logit's."""
    skills = np.maximum(tasks.skills[rows], 0)
    wanted = np.where(tasks.skills[rows] >= 0, tasks.levels[rows], 0)
    levels = state.levels[candidates[:, :, None], skills[:, None, :]]
    match = match_of(levels, wanted[:, None, :], tasks.mandatory[rows][:, None, :])
    utilization = state.open_hours[candidates] / everybody.capacity[candidates]
    is_team = (candidates[:, :, None] == state.team[tasks.project[rows]][:, None, :]).any(axis=2)
    utility = 5.0 * match - 1.0 * np.minimum(utilization, 3.0) + 0.6 * is_team + 0.2 * everybody.ability[candidates]
    utility += 0.6 * rng.gumbel(size=utility.shape)
    utility[(everybody.hired[candidates] > day) | (candidates == tasks.raiser[rows][:, None])] -= 100.0
    each, best = np.arange(len(rows)), utility.argmax(axis=1)
    found.assignee[rows] = candidates[each, best]
    found.match[rows] = match[each, best]
    found.utilization[rows] = utilization[each, best]
    utility[candidates == found.assignee[rows][:, None]] -= 200.0
    found.helpers[rows] = _helpers(candidates, utility, rng)
    np.add.at(state.open_hours, found.assignee[rows], tasks.estimate[rows])
    _remember(state, tasks.project[rows], found.assignee[rows])


def _helpers(candidates: Ints, utility: Floats, rng: np.random.Generator) -> Ints:
    """The next best people for tasks that need more than one; -1 for none. Shape (tasks, HELPERS)."""
    count = rng.choice(len(HELPER_SHARES), len(candidates), p=HELPER_SHARES)
    next_best = candidates[np.arange(len(candidates)), utility.argmax(axis=1)]
    utility = np.where(candidates == next_best[:, None], utility - 400.0, utility)
    third = candidates[np.arange(len(candidates)), utility.argmax(axis=1)]
    return np.stack([np.where(count > 0, next_best, -1), np.where(count > 1, third, -1)], axis=1)


def _remember(state: State, projects: Ints, people: Ints) -> None:
    """Each project's team is the ring of its last people. Of several on one day the last in a seat stays."""
    state.team[projects, state.turns[projects] % TEAM] = people
    np.add.at(state.turns, projects, 1)


def _complete(found: History, everybody: People, tasks: Tasks, rows: Ints, rng: np.random.Generator) -> None:
    """Draw times, hours and quality from match, load, ability and difficulty, plus noise."""
    count, who = len(rows), found.assignee[rows]
    strain = np.clip(found.utilization[rows] - SLACK, 0, 2.0)
    gap, ability, hard = EASE - found.match[rows], everybody.ability[who], tasks.difficulty[rows] - 1
    log_ratio = 0.05 + 0.70 * gap + 0.20 * strain - 0.11 * ability + 0.05 * hard + rng.normal(0, 0.20, count)
    found.actual[rows] = np.maximum(np.round(tasks.estimate[rows] * np.exp(log_ratio) * 4) / 4, 0.25)
    quality = 3.45 - 2.6 * gap - 0.60 * strain + 0.42 * ability - 0.12 * hard + rng.normal(0, 0.50, count)
    found.rating[rows] = np.where(rng.random(count) < RATED, np.clip(np.round(quality), 1, 5), 0)
    found.is_cancelled[rows] = rng.random(count) < CANCELLED
    found.assigned[rows] = tasks.raised[rows] + rng.lognormal(np.log(4 * 3600), 0.8, count).astype(np.int64)
    found.started[rows] = found.assigned[rows] + rng.integers(3 * 3600, 3 * SECONDS_PER_DAY, count)
    # An eighth of a person's week goes to any one task; urgent ones get more.
    weeks = (
        found.actual[rows]
        / (0.125 * everybody.capacity[who])
        * np.array([1.2, 1.0, 0.8, 0.5])[tasks.priority[rows] - 1]
    )
    seconds = weeks * (1 + 0.3 * strain) * rng.lognormal(0, 0.25, count) * 7 * SECONDS_PER_DAY
    found.completed[rows] = found.started[rows] + np.maximum(seconds, 1800).astype(np.int64)
    found.rated[rows] = found.completed[rows] + rng.integers(3600, 7 * SECONDS_PER_DAY, count)


def _schedule(found: History, rows: Ints, ending: list[list[Ints]]) -> None:
    """Put the tasks under the day after which they are over."""
    day = found.completed[rows] // SECONDS_PER_DAY + 1
    for number in np.unique(day[day < len(ending)]):
        ending[number].append(rows[day == number])


def _finish(found: History, tasks: Tasks, state: State, ended: list[Ints], day: int) -> None:
    """Free the people whose tasks ended the day before, and let them have learned from them."""
    if not ended:
        return
    rows = np.concatenate(ended)
    np.subtract.at(state.open_hours, found.assignee[rows], tasks.estimate[rows])
    done = rows[~found.is_cancelled[rows]]
    person = np.repeat(found.assignee[done], tasks.skills.shape[1])
    skill = tasks.skills[done].ravel()
    is_skill = skill >= 0
    person, skill = person[is_skill], skill[is_skill]
    room = np.clip((6.0 - state.levels[person, skill]) / 5.0, 0, 1)
    np.add.at(state.levels, (person, skill), np.where(state.levels[person, skill] > 0, GROWTH * room, 1.0))
    state.levels[person, skill] = np.minimum(state.levels[person, skill], 5.0)
    found.growth.append((np.full(len(person), day), person, skill, state.levels[person, skill].copy()))
