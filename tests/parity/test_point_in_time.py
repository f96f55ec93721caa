"""historical_frame, through Feast, against the rule of the join on random late and corrected histories."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from feature_repo import asof
from feature_repo.online import OnlineSnapshot
from feature_repo.retrieval import historical_frame, online_frame
from feature_repo.window import last_before
from tests.feature_repo.histories import TIME, Question, Row, expected, frame, histories, instant
from tests.feature_repo.homes import COLUMNS, KINDS, STEPS_A_DAY, VIEWS, column, project_of, published

QUICK = settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))
READ = [f"person__{kind}" for kind in KINDS] + ["task__value", "project__value", "member__value", "badge__value"]


@dataclass(frozen=True)
class World:
    """Histories of every view, and (person, task, instant) that are asked about."""

    rows: Mapping[str, Sequence[Row]]
    asked: Sequence[tuple[str, str, int]]

    def spine(self) -> pl.DataFrame:
        people, tasks, steps = zip(*self.asked, strict=True)
        times = pl.Series([instant(step) for step in steps], dtype=TIME)
        return pl.DataFrame({"person_id": people, "task_id": tasks, "event_timestamp": times})

    def winners(self) -> list[dict[str, int | None]]:
        """By the rule, per row and view the value of the row that counts."""
        return [self._winner(*asked) for asked in self.asked]

    def _winner(self, person: str, task: str, at: int) -> dict[str, int | None]:
        at_task = expected(self.rows["task"], Question((task,), at))
        project = project_of(at_task)
        return {
            "person": expected(self.rows["person"], Question((person,), at)),
            "task": at_task,
            "project": expected(self.rows["project"], Question((project,), at)),
            "member": expected(self.rows["member"], Question((person, project), at)),
            "badge": expected(self.rows["badge"], Question((person,), at), ttl=STEPS_A_DAY),
        }


def worlds() -> st.SearchStrategy[World]:
    keys = {"person": 1, "task": 1, "project": 1, "member": 2, "badge": 1}
    people = st.sampled_from(["ada", "bob", "ada1", "1ada", "ünï", "nobody"])
    asked = st.lists(st.tuples(people, people, st.integers(-4, 24)), min_size=20, max_size=60)
    rows = st.fixed_dictionaries({view: histories(count, size=60) for view, count in keys.items()})
    return st.builds(World, rows.map(_projects_first), asked)


def _projects_first(rows: dict[str, list[Row]]) -> dict[str, list[Row]]:
    """Project rows are keyed by what tasks name: the strategy's people stand for projects."""
    names = dict(zip(["ada", "bob", "ada1", "1ada", "ünï"], ["p", "1p", "", "p", "1p"], strict=True))
    renamed = [Row((names[row.keys[0]],), row.event, row.created, row.value) for row in rows["project"]]
    return rows | {"project": renamed}


def differences(world: World, home: Path) -> list[str]:
    """Where historical_frame and the rule disagree, on every row and column."""
    published(home, world.rows)
    spine = world.spine()
    found = historical_frame(home, spine, [column(name) for name in READ], views=VIEWS)
    assert found.select(spine.columns).equals(spine), "rows, or their order, changed"
    winners = pl.DataFrame(world.winners(), schema=dict.fromkeys(world.rows, pl.Int64))
    return [name for name in READ if not found[name].equals(_wanted(name, winners), check_dtypes=True)]


def _wanted(qualified: str, winners: pl.DataFrame) -> pl.Series:
    view, name = qualified.split("__")
    values = winners[view]
    filled = [Row(("x",), 0, 0, value or 0) for value in values]
    return frame(filled, ["key"])[name].set(values.is_null(), None) if name != "value" else values


@QUICK
@given(worlds())
def test_every_value_is_the_one_that_was_known(tmp_path_factory, world):
    assert differences(world, tmp_path_factory.mktemp("home")) == []


@QUICK
@given(worlds(), st.integers(0, 20))
def test_offline_equals_online_bit_for_bit(tmp_path_factory, world, as_of):
    home = tmp_path_factory.mktemp("home")
    published(home, world.rows, as_of)
    spine = world.spine().with_columns(event_timestamp=pl.lit(last_before(instant(as_of)), dtype=TIME))
    offline = historical_frame(home, spine, COLUMNS, views=VIEWS)
    online = online_frame(OnlineSnapshot.open(home), spine, COLUMNS, views=VIEWS)
    assert offline.schema == online.schema
    assert _bits(offline) == _bits(online)
    one_by_one = [online_frame(OnlineSnapshot.open(home), spine[row], COLUMNS, views=VIEWS) for row in range(5)]
    assert _bits(pl.concat(one_by_one)) == _bits(offline.head(5))


def _bits(found: pl.DataFrame) -> dict[str, list[object]]:
    exact = [pl.col(name).reinterpret(signed=True) for name, dtype in found.schema.items() if dtype == pl.Float64]
    return found.with_columns(exact).to_dict(as_series=False)


def _known_at_ignored(winner: Callable[..., object]) -> Callable[..., object]:
    return lambda index, entity, at, ttl=0, known_at=True: winner(index, entity, at, ttl, False)


def _one_step_ahead(winner: Callable[..., object]) -> Callable[..., object]:
    return lambda index, entity, at, ttl=0, known_at=True: winner(index, entity, at + 6 * 3_600_000_000, ttl, known_at)


def _strictly_before(winner: Callable[..., object]) -> Callable[..., object]:
    return lambda index, entity, at, ttl=0, known_at=True: winner(index, entity, at - 1, ttl, known_at)


def _no_ttl(winner: Callable[..., object]) -> Callable[..., object]:
    return lambda index, entity, at, ttl=0, known_at=True: winner(index, entity, at, 0, known_at)


@pytest.mark.parametrize("leak", [_known_at_ignored, _one_step_ahead, _strictly_before, _no_ttl])
def test_a_planted_leak_is_seen(leak, monkeypatch, tmp_path):
    """The same oracle must go red when the join reads what was not yet known, or not yet true, or is too old."""
    rows = [
        Row(("ada",), event, event + late, place)
        for place, (event, late) in enumerate((e, d) for e in range(0, 12, 2) for d in (0, 3))
    ]
    views = {"person": rows, "task": rows, "project": [], "member": [], "badge": rows[:4]}
    world = World(views, [("ada", "ada", at) for at in range(16)])
    assert differences(world, tmp_path) == []
    monkeypatch.setattr(asof.Index, "winner", leak(asof.Index.winner))
    assert differences(world, tmp_path) != []
