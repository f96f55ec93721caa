"""POST /api/v1/recommendations/{prediction_id}/feedback: who may say what of which answer, and that it is kept."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine

from feature_repo.platform import database
from serving.access.caller import Caller, Role
from serving.limits import LIMITS
from serving.routes import feedback as served
from serving.routes.judgement import PATH, Noted
from tests.feature_repo.postgres import fresh_database
from tests.patience import LONG, await_day
from tests.serving.conftest import Service
from tests.serving.judging import HR, MANY, NOTHING, ONE, PAIRS, TREND, Desk, desk, limited, logged, stored, wrong
from tests.serving.questions import ASKED, Asking

GAPS = "/api/v1/skill-gaps/analyze"
"""Names likely gaps only, and a tiny model finds none; the other route of that product answers in the same form."""
P1 = Caller("P1", Role.TALENT)


@pytest.fixture(params=["sqlite", "postgresql"])
def engine(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Engine]:
    yield from logged(tmp_path, fresh_database() if request.param == "postgresql" else None)


@pytest.fixture
def plain(tmp_path: Path) -> Iterator[Engine]:
    """The embedded database alone, for what does not depend on it."""
    yield from logged(tmp_path)


def test_feedback_is_stored_before_it_is_answered_and_a_second_one_takes_its_place(engine: Engine) -> None:
    at = desk(engine)
    first = at.post(ONE, {"accepted": True, "comment": "Fine,\n\U0001f600 ok'; drop table match_feedback; --"})
    assert (first.status_code, stored(engine)) == (201, [("hr", "P1", "T1", "task_assignment", True, None)])
    second = at.post(ONE, {"rating": 2})
    assert (second.status_code, stored(engine)) == (200, [("hr", "P1", "T1", "task_assignment", None, 2)])
    told = Noted.model_validate_json(second.content)
    assert (told.prediction_id, told.product, told.person_id, told.item_id) == (ONE, "task_assignment", "P1", "T1")
    assert (told.accepted, told.rating, told.replaced) == (None, 2, True)


@pytest.mark.parametrize(
    ("answer", "named", "about"),
    [
        (ONE, {}, ("P1", "T1")),
        (ONE, {"item": "P1", "person_id": "P1"}, ("P1", "T1")),
        (MANY, {"item": "P11"}, ("P11", "T1")),
        (PAIRS, {"item": "T2"}, ("P2", "T2")),
        (PAIRS, {"person_id": "P1"}, ("P1", "T1")),
        (PAIRS, {"item": "T1", "person_id": "P2"}, ("P2", "T1")),
        (TREND, {"item": "c++"}, ("hr", "c++")),
    ],
)
def test_what_is_judged_is_named_as_far_as_the_answer_leaves_it_open(
    plain: Engine, answer: str, named: dict[str, str], about: tuple[str, str]
) -> None:
    assert desk(plain).post(answer, {**named, "accepted": True}).status_code == 201
    [(_, person, item, *_)] = stored(plain)
    assert (person, item) == about


TEN = "P0, P1, P2, P3, P4, P5, P6, P7, P8, P9 and 2 more"


@pytest.mark.parametrize(
    ("answer", "named", "said"),
    [
        (MANY, {}, {"item": f"the answer names several, say which one, allowed: {TEN}"}),
        (MANY, {"item": "P99"}, {"item": f"not in the answer, allowed: {TEN}"}),
        (MANY, {"item": "T1"}, {"item": f"not in the answer, allowed: {TEN}"}),
        (ONE, {"person_id": "P2"}, {"person_id": "not clear whose, say which one, allowed: P1"}),
        (PAIRS, {"item": "T1"}, {"person_id": "not clear whose, say which one, allowed: P1, P2"}),
        (PAIRS, {"item": "T2", "person_id": "P1"}, {"person_id": "not clear whose, say which one, allowed: P2"}),
        (PAIRS, {"person_id": "P2"}, {"item": "the answer names several, say which one, allowed: T1, T2"}),
    ],
)
def test_what_the_answer_does_not_name_is_refused_with_what_it_names(
    plain: Engine, answer: str, named: dict[str, str], said: dict[str, str]
) -> None:
    refused = desk(plain).post(answer, {**named, "accepted": True})
    assert (refused.status_code, wrong(refused), stored(plain)) == (422, said, [])


def test_an_answer_that_names_nothing_cannot_be_judged(plain: Engine) -> None:
    refused = desk(plain).post(NOTHING, {"accepted": True})
    assert (refused.status_code, refused.json()["detail"]) == (422, "The answer names nothing that could be judged.")


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "body"),
        ({"item": "P1"}, "body"),
        ({"accepted": None, "rating": None}, "body"),
        ({"accepted": "yes"}, "accepted"),
        ({"accepted": 1}, "accepted"),
        ({"rating": 0}, "rating"),
        ({"rating": 6}, "rating"),
        ({"rating": 3.0}, "rating"),
        ({"rating": "3"}, "rating"),
        (b'{"rating": NaN}', "rating"),
        (b'{"rating": 1e999}', "rating"),
        ({"comment": ""}, "comment"),
        ({"comment": "x" * (LIMITS.comment_length + 1)}, "comment"),
        ({"comment": "nul \x00"}, "comment"),
        ({"comment": "bell \x07"}, "comment"),
        ({"comment": "c1 \x9b"}, "comment"),
        (b'{"comment": "lone \\ud800"}', "body"),
        ({"accepted": True, "item": {"$gt": ""}}, "item"),
        ({"accepted": True, "item": "nul \x00"}, "item"),
        ({"accepted": True, "subject": "P1"}, "subject"),
        ({"accepted": True, "given_at": "2020-01-01T00:00:00Z"}, "given_at"),
    ],
)
def test_a_body_that_breaks_the_schema_is_refused_and_the_field_named(plain: Engine, body: Any, field: str) -> None:
    refused = desk(plain).post(ONE, body)
    assert (refused.status_code, list(wrong(refused)), stored(plain)) == (422, [field], [])


@pytest.mark.parametrize("name", ["1", "x' or '1'='1", "%00", ONE.upper().replace("0", "A"), f"{{{ONE}}}"])
def test_what_is_no_prediction_id_is_refused_at_once(plain: Engine, name: str) -> None:
    refused = desk(plain).post(name, {"accepted": True})
    assert (refused.status_code, list(wrong(refused))) == (422, ["prediction_id"])


@pytest.mark.parametrize(
    ("answer", "named", "status", "about"),
    [
        (ONE, {}, 201, ("P1", "T1")),
        (MANY, {}, 201, ("P1", "T1")),  # of what is said of others, nothing is to be named
        (PAIRS, {}, 201, ("P1", "T1")),
        (TREND, {"item": "sql"}, 201, ("P1", "sql")),
        (MANY, {"item": "P2"}, 422, None),
        (PAIRS, {"item": "T2"}, 422, None),
    ],
)
def test_a_talent_judges_what_is_said_of_itself_only(
    plain: Engine, answer: str, named: dict[str, str], status: int, about: tuple[str, str] | None
) -> None:
    told = desk(plain).post(answer, {**named, "accepted": True}, P1)
    assert told.status_code == status
    assert [row[1:3] for row in stored(plain)] == ([about] if about else [])
    assert not {"P0", "P2", "P3", "T2"} & set(told.text.replace('"', " ").replace(",", " ").split())


@pytest.mark.parametrize("named", [{}, {"item": "P1"}, {"person_id": "P1"}, {"item": "nobody"}])
def test_a_talent_is_told_nothing_about_an_answer_about_others(plain: Engine, named: dict[str, str]) -> None:
    refused = desk(plain).post(ONE, {**named, "accepted": True}, Caller("P2", Role.TALENT))
    assert (refused.status_code, refused.json()["detail"]) == (403, served.OWN_ONLY)
    assert "P1" not in refused.text
    assert stored(plain) == []


def test_nobody_changes_what_another_subject_said_but_the_person_itself(engine: Engine) -> None:
    at = desk(engine)
    assert at.post(ONE, {"accepted": True}).status_code == 201
    assert at.post(ONE, {"accepted": False}, Caller("mallory", Role.ADMIN)).status_code == 409
    assert at.post(ONE, {"accepted": False}, P1).status_code == 200
    assert at.post(ONE, {"accepted": True}).status_code == 409
    assert stored(engine) == [("P1", "P1", "T1", "task_assignment", False, None)]


def test_a_days_words_of_a_subject_are_bounded_and_it_is_told_when_the_next_day_begins(
    plain: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    await_day(60)
    limited(monkeypatch, feedback_per_day=2)
    at = desk(plain)
    told = [at.post(MANY, {"item": f"P{number}", "accepted": True}) for number in range(3)]
    assert [each.status_code for each in told] == [201, 201, 429]
    assert 1 <= int(told[-1].headers["retry-after"]) <= 86_400
    assert at.post(MANY, {"item": "P0", "rating": 1}).status_code == 200
    assert at.post(MANY, {"item": "P2", "accepted": True}, Caller("other", Role.SERVICE)).status_code == 201


def test_the_document_names_the_body_the_answers_and_the_id(plain: Engine) -> None:
    whole = desk(plain).app.openapi()
    said = whole["paths"][PATH]["post"]
    assert [parameter["name"] for parameter in said["parameters"]] == ["prediction_id"]
    assert {"200", "201", "403", "404", "409", "415", "422", "429", "503"} <= set(said["responses"])
    schemas = whole["components"]["schemas"]
    assert set(schemas["Judgement"]["properties"]) == {"item", "person_id", "accepted", "rating", "comment"}
    assert schemas["Judgement"]["additionalProperties"] is False
    assert all(schemas[name]["examples"] for name in ("Judgement", "Noted"))


@pytest.mark.parametrize("asked", [each for each in ASKED if each.route.path != GAPS], ids=str)
def test_what_any_route_just_answered_can_be_judged(
    service: Service, asked: Asking, monkeypatch: pytest.MonkeyPatch
) -> None:
    limited(monkeypatch, feedback_log_seconds=LONG)
    answer = asked.answer(service, explain=False)
    row = answer[asked.items][-1]
    item = row[asked.route.items.key if asked.route.items else asked.route.subject[-1].key]
    told = Desk(lambda: database(service.running.settings)).post(answer["prediction_id"], {"item": item, "rating": 4})
    assert told.status_code == 201, told.text
    about = {**asked.body, **row}
    assert (told.json()["person_id"], told.json()["product"]) == (about.get("person_id", "hr"), asked.product.name)
    assert told.json()["item_id"] in {value for key, value in about.items() if key.endswith("_id")} - {"P1", "P2"}


def test_who_said_it_is_the_caller(plain: Engine) -> None:
    desk(plain).post(ONE, {"accepted": True}, HR)
    assert [row[0] for row in stored(plain)] == ["hr"]
