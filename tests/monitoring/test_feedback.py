"""Feedback: one word per person, item and product, capped per subject; and what follows for a product."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, insert, select, text
from sqlalchemy.exc import OperationalError

from feature_repo.platform import database
from feature_repo.platform.tables import match_feedback
from feature_repo.settings import load
from feature_repo.window import Window
from monitoring.feedback import COUNTED_PER_SUBJECT, Feedback, Taken, count, give, logged
from monitoring.judged import Judged, judged
from monitoring.outcomes import outcomes, summary
from monitoring.prediction_log import append
from tests.feature_repo.postgres import fresh_database
from tests.monitoring.said import NOON, estimate, prediction_id, ranking, record, word
from tests.patience import LONG
from tests.serving.process import until
from training.products import PRODUCTS

DAY = timedelta(days=1)
WINDOW = Window(NOON - DAY, NOON + DAY)
PRODUCT = "task_assignment"


@pytest.fixture(params=["sqlite", "postgresql"])
def engine(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Engine]:
    url = fresh_database() if request.param == "postgresql" else None
    found = database(load(home=tmp_path, database_url=url))
    yield found
    found.dispose()


def given(engine: Engine, feedback: Feedback, per_day: int = 1000, is_own: bool = False) -> Taken:
    return give(engine, feedback, per_day, seconds=LONG, is_own=is_own)


def rows(engine: Engine) -> list[tuple[Any, ...]]:
    """What is stored: who, about what, says what."""
    table = match_feedback.c
    chosen = select(table.subject, table.person_id, table.item_id, table.accepted, table.rating).order_by(table.id)
    with engine.connect() as connection:
        return [tuple(row) for row in connection.execute(chosen)]


@pytest.mark.parametrize(
    ("second", "taken", "left"),
    [
        (word("P1", subject="hr", accepted=False), Taken.REPLACED, [("hr", "P1", "T1", False, None)]),
        (word("P1", subject="hr", accepted=None, rating=2), Taken.REPLACED, [("hr", "P1", "T1", None, 2)]),
        (word("P1", subject="mallory", accepted=False), Taken.FOREIGN, [("hr", "P1", "T1", True, None)]),
        (word("P1", subject="P1", accepted=False), Taken.REPLACED, [("P1", "P1", "T1", False, None)]),
        (word("P1", "T2"), Taken.NEW, [("hr", "P1", "T1", True, None), ("hr", "P1", "T2", True, None)]),
        (word("P2"), Taken.NEW, [("hr", "P1", "T1", True, None), ("hr", "P2", "T1", True, None)]),
        (word("P1", kind="career"), Taken.NEW, [("hr", "P1", "T1", True, None), ("hr", "P1", "T1", True, None)]),
    ],
    ids=["same", "a rating", "another subject", "the person itself", "other item", "other person", "other product"],
)
def test_a_second_word_replaces_the_first_if_it_comes_from_the_same_subject_or_from_the_person(
    engine: Engine, second: Feedback, taken: Taken, left: list[tuple[Any, ...]]
) -> None:
    assert given(engine, word("P1", subject="hr")) is Taken.NEW
    assert given(engine, second, is_own=second.subject == "P1") is taken
    assert rows(engine) == left


def test_a_service_that_is_called_like_a_person_is_not_that_person(engine: Engine) -> None:
    given(engine, word("P1", subject="hr"))
    assert given(engine, word("P1", subject="P1", accepted=False)) is Taken.FOREIGN


def test_what_the_person_said_is_not_changed_by_others(engine: Engine) -> None:
    given(engine, word("P1", subject="P1"))
    assert given(engine, word("P1", subject="hr", accepted=False)) is Taken.FOREIGN
    assert rows(engine) == [("P1", "P1", "T1", True, None)]


def test_a_subject_may_say_so_many_words_a_day_and_change_them(engine: Engine) -> None:
    told = [given(engine, word("P1", f"T{number}"), per_day=3) for number in range(4)]
    assert told == [Taken.NEW, Taken.NEW, Taken.NEW, Taken.TOO_MANY]
    assert given(engine, word("P1", "T2", accepted=False), per_day=3) is Taken.REPLACED
    assert given(engine, word("P1", "T9", subject="other"), per_day=3) is Taken.NEW
    assert given(engine, word("P1", "T3", given_at=NOON + DAY), per_day=3) is Taken.NEW
    assert [(who, item) for who, _, item, *_ in rows(engine)] == [
        ("hr", "T0"), ("hr", "T1"), ("hr", "T2"), ("other", "T9"), ("hr", "T3"),
    ]  # fmt: skip


def test_of_many_at_once_each_is_stored_and_the_days_bound_is_exact(engine: Engine) -> None:
    with ThreadPoolExecutor(8) as threads:
        told = list(threads.map(lambda number: given(engine, word("P1", f"T{number}"), per_day=20), range(40)))
    assert sorted(told) == [Taken.NEW] * 20 + [Taken.TOO_MANY] * 20
    assert len(rows(engine)) == 20


def test_of_two_subjects_at_once_one_is_told_that_it_came_second(engine: Engine) -> None:
    with ThreadPoolExecutor(8) as threads:
        told = list(threads.map(lambda number: given(engine, word("P1", subject=f"s{number}")), range(8)))
    assert sorted(told) == sorted([Taken.NEW] + [Taken.FOREIGN] * 7)


def test_the_person_s_word_takes_the_place_of_one_that_is_not_committed_yet(tmp_path: Path) -> None:
    """PostgreSQL shows it to nobody before, and the person's own waits for it; SQLite has one that writes at a time."""
    engine = database(load(home=tmp_path, database_url=fresh_database()))
    blocked = text("select count(*) from pg_locks where not granted")
    with ThreadPoolExecutor(1) as threads, engine.connect() as first, engine.connect() as look:
        first.execute(insert(match_feedback).values(**asdict(word("P1", subject="hr"))))
        own = threads.submit(given, engine, word("P1", subject="P1", accepted=False), is_own=True)
        until(lambda: own.done() or bool(look.scalar(blocked)))
        first.commit()
        assert own.result() is Taken.REPLACED
    assert rows(engine) == [("P1", "P1", "T1", False, None)]
    engine.dispose()


def test_a_database_that_stays_locked_is_said_in_time_and_nothing_is_stored(tmp_path: Path) -> None:
    engine, other = (database(load(home=tmp_path)) for _ in range(2))
    with other.connect() as writer:
        writer.exec_driver_sql("BEGIN IMMEDIATE")
        with pytest.raises(OperationalError, match="locked"):
            give(engine, word("P1"), per_day=9, seconds=0.2)
    assert rows(engine) == []
    assert given(engine, word("P1")) is Taken.NEW


@pytest.mark.parametrize(
    ("labels", "counts"),
    [
        ([], 0),
        ([word("P1"), word("P2", rating=4)], 2),
        ([word("P1", accepted=None, comment="Hm.")], 0),  # says nothing that can be counted
        ([word(f"P{number}") for number in range(50)], COUNTED_PER_SUBJECT),
        ([word(f"P{number}", subject=f"s{number % 3}") for number in range(60)], 60),
        ([word("P1", given_at=WINDOW.since), word("P2", given_at=WINDOW.until)], 1),
        ([word("P1", kind="career")], 0),
    ],
)
def test_labels_count_per_product_and_window_and_only_so_many_of_one_subject(
    engine: Engine, labels: list[Feedback], counts: int
) -> None:
    for label in labels:
        given(engine, label)
    assert count(engine, PRODUCT, WINDOW) == counts


def test_a_subjects_first_words_count_whatever_it_says_later(engine: Engine) -> None:
    append(engine, [record(1, ranking({f"P{number}": 0.5 for number in range(30)}))])
    for number in range(30):
        given(engine, word(f"P{number}", given_at=NOON + timedelta(seconds=number)))
    assert outcomes(engine, PRODUCT, WINDOW)["person_id"].to_list() == [f"P{number}" for number in range(20)]


def test_outcomes_say_what_the_answer_said_and_what_became_of_it(engine: Engine) -> None:
    append(
        engine,
        [
            record(1, ranking({"P1": 0.9, "P2": 0.2}), experiment="e", arm="challenger", unit="T1"),
            record(2, ranking({"P1": None}, task=None), model_version=None, source="fallback"),
        ],
    )
    for feedback in (
        word("P1"),
        word("P2", accepted=False, rating=5),  # whether it was accepted goes before how it was rated
        word("P1", prediction_id(2), prediction_id=prediction_id(2), accepted=None, rating=4),
        word("P9"),  # was not in the answer
        word("P1", "T3", prediction_id=prediction_id(3)),  # an answer that nobody logged
    ):
        given(engine, feedback)
    found = outcomes(engine, PRODUCT, WINDOW)
    columns = ("person_id", "item_id", "model_version", "arm", "unit", "score", "accepted", "rating", "reward")
    assert found.select(columns).rows() == [
        ("P1", "T1", 3, "challenger", "T1", 0.9, True, None, 1.0),
        ("P2", "T1", 3, "challenger", "T1", 0.2, False, 5, 0.0),
        ("P1", prediction_id(2), None, None, None, None, None, 4, 0.75),
    ]
    assert set(found["given_at"]) == set(found["predicted_at"]) == {NOON}


def test_without_feedback_outcomes_have_their_columns_and_the_summary_no_numbers(engine: Engine) -> None:
    assert outcomes(engine, PRODUCT, WINDOW).filter(arm="shadow").height == 0
    found = summary(engine, PRODUCT, WINDOW)
    assert (found.judged, found.subjects, found.accepted, found.rating, found.accuracy) == (0, 0, None, None, None)


def test_the_summary_is_the_one_worked_out_by_hand(engine: Engine) -> None:
    append(engine, [record(1, ranking({"P1": 0.9, "P2": 0.2, "P3": 0.7, "P4": 0.1}))])
    for person, subject, said in (
        ("P1", "hr", {"accepted": True, "rating": 5}),  # .9 and accepted: right
        ("P2", "hr", {"accepted": True}),  # .2 and accepted: wrong
        ("P3", "hr", {"accepted": False, "rating": 2}),  # .7 and not: wrong
        ("P4", "P4", {"accepted": None, "rating": 2}),
    ):
        given(engine, word(person, subject=subject, **said))
    found = summary(engine, PRODUCT, WINDOW)
    assert (found.judged, found.subjects, found.accepted, found.rating) == (4, 2, 2 / 3, 3.0)
    assert (found.accuracy, found.largest_share) == (1 / 3, 0.75)


def test_scores_up_to_a_hundred_are_right_from_fifty_on(engine: Engine) -> None:
    jobs = [{"job_id": "J1", "score": 60.0, "source": "model"}, {"job_id": "J2", "score": 40.0, "source": "model"}]
    append(engine, [record(1, {"person_id": "P1", "jobs": jobs}, product="talent_job_match")])
    for job in ("J1", "J2"):
        given(engine, word("P1", job, kind="talent_job_match"))
    assert summary(engine, "talent_job_match", WINDOW).accuracy == 0.5


ME, ID = "me", prediction_id(7)
ONE = {"score": 0.5, "source": "model"}


@pytest.mark.parametrize(
    ("product", "answer", "rows"),
    [
        (PRODUCT, ranking({"P1": 0.9, "P2": 0.1}), [("P1", "T1", "P1", 0.9), ("P2", "T1", "P2", 0.1)]),
        (PRODUCT, ranking({"P1": 0.9}, task=None), [("P1", ID, "P1", 0.9)]),  # a task given by its columns
        ("task_performance", estimate(("P1", "T1"), ("P2", "T1")),
         [("P1", "T1", "T1", None), ("P2", "T1", "T1", None)]),
        ("task_performance", estimate(("P1", "T1"), ("P1", "T1")), [("P1", "T1", "T1", None)]),
        ("task_performance", estimate(("P1", None), ("P1", None)),
         [("P1", f"{ID}/0", f"{ID}/0", None), ("P1", f"{ID}/1", f"{ID}/1", None)]),
        ("talent_job_match", {"person_id": "P1", "jobs": [{"job_id": "J1", **ONE}]}, [("P1", "J1", "J1", 0.5)]),
        ("talent_job_match", {"job_id": "J1", "talents": [{"person_id": "P1", **ONE}]}, [("P1", "J1", "P1", 0.5)]),
        ("skill_gap", {"person_id": "P1", "target_id": None, "skills": [{"skill_id": "sql", **ONE}]},
         [("P1", "sql", "sql", 0.5)]),
        ("skill_demand", {"skills": [{"skill_id": "sql", "demand": {"expected": 2.0}, "source": "model"}]},
         [(ME, "sql", "sql", None)]),
        ("skill_demand", {"estimates": [{"skill_id": "c++", "demand": None, "source": "fallback"}]},
         [(ME, "c++", "c++", None)]),
        (PRODUCT, {"beside": ID, "outputs": {}}, []),  # what a shadow logs
        (PRODUCT, ranking({}), []),
    ],
)  # fmt: skip
def test_a_row_of_an_answer_is_about_a_person_and_an_item(
    product: str, answer: dict[str, Any], rows: list[tuple[Any, ...]]
) -> None:
    found = judged(PRODUCTS[product], ID, answer, ME)
    assert [(each.person_id, each.item_id, each.named, each.score) for each in found] == rows
    assert all(isinstance(each, Judged) for each in found)


def test_what_a_shadow_scored_was_shown_to_nobody(engine: Engine) -> None:
    append(engine, [record(1, ranking({"P1": 0.9})), record(2, ranking({"P1": 0.9}), arm="shadow")])
    assert logged(engine, prediction_id(2)) is None
    assert logged(engine, prediction_id(3)) is None
    found = logged(engine, prediction_id(1))
    assert found is not None
    assert (found.product, found.answer) == (PRODUCT, ranking({"P1": 0.9}))
