"""The synthetic world: its proportions, its repeatability, and the checks of its quality."""

from collections.abc import Iterator
from datetime import UTC, datetime

import numpy as np
import polars as pl
import pytest

from feature_repo.errors import DataError
from feature_repo.extract import extract, window_rows
from feature_repo.seed import quality as checks
from feature_repo.seed.catalogue import DIFFICULTY_SHARES, PRIORITY_SHARES, SENIORITY_SHARES
from feature_repo.seed.quality import quality
from feature_repo.seed.synthetic import UNTIL, World, documents, relations, seed_synthetic, streams_of, tables, world
from feature_repo.settings import Settings
from feature_repo.sources.stream import Stream
from feature_repo.sources.streams import STREAMS, stream
from feature_repo.window import Window, instant
from tests.feature_repo.worlds import own_servers

ALWAYS = Window(instant("1970-01-01"), instant("2100-01-01"))


@pytest.fixture(scope="module")
def made() -> World:
    return world(300, 1_500, seed=42, until=UNTIL)


@pytest.fixture(scope="module")
def seeded() -> Iterator[Settings]:
    with own_servers("synthetic") as settings:
        seed_synthetic(settings, people=60)
        yield settings


def frames(made: World) -> dict[str, pl.DataFrame]:
    by_relation = {str(relation): frame for relation, frame in relations(made).items()}
    return {**tables(made), **by_relation, **{each.name: frame for each, frame in documents(made).items()}}


def test_the_world_is_as_large_as_asked_for(made: World) -> None:
    rows = {name: frame.height for name, frame in frames(made).items()}
    interactions = rows["(User)-[ASSIGNED_TO]->(Task)"] + rows["(User)-[WORKED_ON]->(Task)"]
    assert (rows["identity_service.users"], rows["job_service.jobs"], rows["job_service.talents"]) == (
        1_500,
        300,
        1_500,
    )
    assert 1_490 <= rows["task_service.tasks"] <= 1_500  # Some become known only after the end.
    assert interactions >= 3_000
    assert rows["job_service.applications"] >= 5_000
    assert sum(frame.height for frame in documents(made).values()) <= 20_000  # what nx-27017 bears


@pytest.mark.parametrize(
    ("part", "shares"),
    [("seniority", SENIORITY_SHARES), ("priority", PRIORITY_SHARES), ("difficulty", DIFFICULTY_SHARES)],
)
def test_proportions_are_those_of_the_requirements(made: World, part: str, shares: tuple[float, ...]) -> None:
    values = {
        "seniority": made.people.seniority,
        "priority": made.tasks.priority - 1,
        "difficulty": made.tasks.difficulty,
    }[part]
    found = np.bincount(values, minlength=len(shares)) / len(values)
    assert np.abs(found - shares).max() <= 0.005


def test_outcomes_depend_on_match_load_and_ability(made: World) -> None:
    past = made.history
    rated = past.rating > 0
    log_ratio = np.log(past.actual / made.tasks.estimate)
    ability = made.people.ability[past.assignee]
    assert np.corrcoef(past.match[rated], past.rating[rated])[0, 1] > 0.3
    assert np.corrcoef(past.utilization[rated], past.rating[rated])[0, 1] < -0.05
    assert np.corrcoef(ability[rated], past.rating[rated])[0, 1] > 0.3
    assert np.corrcoef(past.match, log_ratio)[0, 1] < -0.3
    assert 0.5 < (past.rating[rated] >= 4).mean() < 0.8


def test_noise_keeps_outcomes_from_being_a_formula(made: World) -> None:
    past, rated = made.history, made.history.rating > 0
    inputs = np.stack([past.match, past.utilization, made.people.ability[past.assignee], made.tasks.difficulty], axis=1)
    design = np.column_stack([np.ones(rated.sum()), inputs[rated]])
    fitted = design @ np.linalg.lstsq(design, past.rating[rated], rcond=None)[0]
    explained = np.corrcoef(fitted, past.rating[rated])[0, 1] ** 2
    assert 0.2 < explained < 0.8


def test_nobody_gets_a_task_of_their_own_or_before_they_were_hired(made: World) -> None:
    hired = made.people.hired[made.history.assignee] * 86_400
    assert (made.history.assignee != made.tasks.raiser).all()
    assert (made.tasks.raised + 86_400 > hired).all()


def test_nothing_is_known_from_the_end_on_or_before_what_it_follows(made: World) -> None:
    for name, frame in frames(made).items():
        for column in ("recorded_at", "completion_recorded_at", "recordedAt"):
            if column in frame.columns:
                assert frame.filter(pl.col(column) >= UNTIL).height == 0, name
    known = made.known
    assert (
        np.diff(np.stack([known.task, known.assigned, known.started, known.completed, known.rated]), axis=0) >= 0
    ).all()


def test_keys_are_unique(made: World) -> None:
    found = streams_of(made)
    assert [each.name for each in STREAMS if found[each.name].select(each.version).is_duplicated().any()] == []


def test_the_same_seed_gives_the_same_world_and_another_another(made: World) -> None:
    again, other = world(300, 1_500, 42, UNTIL), world(300, 1_500, 43, UNTIL)
    twin = frames(world(300, 1_500, 42, UNTIL))
    assert all(frame.equals(twin[name]) for name, frame in frames(again).items())
    assert not np.array_equal(made.history.assignee, other.history.assignee)


def test_reading_a_world_does_not_change_it(made: World) -> None:
    first, second = streams_of(made), streams_of(made)
    assert all(frame.equals(second[name]) for name, frame in first.items())


def test_ten_thousand_people_have_fifty_thousand_tasks() -> None:
    assert len(world(10_000, 50_000, 42, UNTIL).tasks) == 50_000


def test_a_second_seeding_changes_nothing(seeded: Settings) -> None:
    first = {manifest.stream: (manifest.rows, manifest.sha256) for manifest in extract(seeded, STREAMS, ALWAYS)}
    seed_synthetic(seeded, people=60)
    second = {manifest.stream: (manifest.rows, manifest.sha256) for manifest in extract(seeded, STREAMS, ALWAYS)}
    assert first == second
    assert all(rows > 0 for rows, _ in first.values())


@pytest.mark.parametrize("declared", STREAMS, ids=lambda each: each.name)
def test_what_is_read_back_is_what_the_world_has_in_memory(seeded: Settings, declared: Stream) -> None:
    in_memory = streams_of(world(60, 300, 42, UNTIL))[declared.name]
    assert pl.DataFrame(window_rows(seeded, declared, ALWAYS)).equals(in_memory)


def test_what_is_read_back_keeps_the_declarations(seeded: Settings) -> None:
    for declared in STREAMS:
        frame = pl.DataFrame(window_rows(seeded, declared, ALWAYS))
        for field in declared.fields:
            values = frame[field.name]
            assert values.null_count() <= field.nulls * frame.height, f"{declared.name}.{field.name}"
            assert not field.allowed or set(values.drop_nulls()) <= set(field.allowed)
            low, high = field.minimum, field.maximum
            assert low is None or values.drop_nulls().ge(low).all(), f"{declared.name}.{field.name}"
            assert high is None or values.drop_nulls().le(high).all(), f"{declared.name}.{field.name}"


def test_the_quality_checks_pass_on_what_is_read_back(seeded: Settings) -> None:
    found = quality(seeded)
    assert [check.name for check in found] == ["skills", "assignments", "outcomes", "coverage", "career_honesty"]
    assert all(check.passed and 0.7 <= check.score <= 1 for check in found), found


def test_assignments_at_random_fail_their_check(seeded: Settings) -> None:
    rows = {each.name: pl.DataFrame(window_rows(seeded, each, ALWAYS)) for each in checks.STREAMS}
    shuffled = rows["assignments"].with_columns(pl.col("person_id").shuffle(seed=7))
    [score] = checks.assigned({**rows, "assignments": shuffled}).values()
    assert 0.4 < score < 0.6


def test_outcomes_at_random_fail_their_check(seeded: Settings) -> None:
    rows = {each.name: pl.DataFrame(window_rows(seeded, each, ALWAYS)) for each in checks.STREAMS}
    ended = rows["completions"].with_columns(pl.col("actual_hours").shuffle(seed=7))
    rated = rows["feedback"].with_columns(pl.col("rating").shuffle(seed=7))
    parts = checks.outcomes({**rows, "completions": ended, "feedback": rated})
    assert sum(parts.values()) / len(parts) < checks.FLOOR


def test_missing_records_fail_the_coverage_check(seeded: Settings) -> None:
    rows = {each.name: pl.DataFrame(window_rows(seeded, each, ALWAYS)) for each in checks.STREAMS}
    parts = checks.coverage({**rows, "assignments": rows["assignments"].head(10), "worklogs": rows["worklogs"].clear()})
    assert sum(parts.values()) / len(parts) < checks.FLOOR


def test_a_tiny_world_is_refused(home: Settings) -> None:
    with pytest.raises(DataError, match="19 people, allowed 20 or more"):
        seed_synthetic(home, people=19)


def test_a_world_may_end_at_any_date() -> None:
    early = world(50, 250, 42, datetime(2020, 3, 1, tzinfo=UTC))
    assert frames(early)["task_service.tasks"]["estimated_at"].max() < datetime(2020, 3, 1, tzinfo=UTC)
    assert stream("tasks").key == ("task_id",)
