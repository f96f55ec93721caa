"""Who may ask what: by role, and a talent about itself only. FAULTS.md row 20."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from feature_repo.entities import job, person
from feature_repo.features import talent as talent_f
from serving.access.auth import Caller, Role
from serving.access.permissions import check_own, check_role
from serving.routes.api import schema_name
from serving.schemas.problems import ProblemError
from serving.schemas.requests import batch_model, given_models, request_model
from tests.serving.questions import ASKED, Asking, asking
from training.route import Route

ME, OTHER = "P1", "P2"
TALENT = Caller(ME, Role.TALENT)
ABOUT_PEOPLE = [each for each in ASKED if person.key in each.route.keys]
ABOUT_NOBODY = [each for each in ASKED if person.key not in each.route.keys]


def requests(asking: Asking, *bodies: dict[str, Any]) -> list[Any]:
    """Valid requests, as the batch form of the route takes them."""
    name = schema_name(asking.product, asking.route)
    model = request_model(name, asking.route, given_models([asking.route]))
    many = batch_model(name, model).model_validate({"requests": bodies})
    return list(many.requests)  # type: ignore[attr-defined]


def about(asking: Asking, *people: str) -> dict[str, Any]:
    """The route's question about these people: the first is the subject, or all of them are ranked."""
    route, body = asking.route, asking.body
    if route.items is not None and route.items.key == person.key:
        return {**body, route.named: list(people)}
    return {**body, person.key: people[0]}


def foreign(asking: Asking, other: str) -> Iterator[tuple[dict[str, Any], ...]]:
    """Requests of one or many, each of which would tell of another person."""
    route, mine = asking.route, about(asking, ME)
    yield (about(asking, other),)
    yield mine, about(asking, other)
    yield (*[mine] * 99, about(asking, other))
    if route.items is not None and route.items.key == person.key:
        yield (about(asking, ME, other),)
        yield (about(asking, other, ME),)
        yield ({**mine, route.named: None},)
        yield ({name: value for name, value in mine.items() if name != route.named},)
    elif route.items is None and len(route.subject) > 1:
        pair = {entity.key: mine[entity.key] for entity in route.subject}
        yield ({"pairs": [{**pair, person.key: other}]},)
        yield ({"pairs": [pair, {**pair, person.key: other}]},)
        yield mine, {"pairs": [pair, {**pair, person.key: other}]}


def refusal(caller: Caller, route: Route, asked: list[Any]) -> ProblemError:
    """The 403 of requests that must be refused."""
    with pytest.raises(ProblemError) as refused:
        check_own(caller, route, asked)
    return refused.value


def test_the_questions_cover_people_as_subject_as_items_and_in_pairs() -> None:
    assert {each.route.items.key == person.key for each in ABOUT_PEOPLE if each.route.items} == {True, False}
    assert [each for each in ABOUT_PEOPLE if each.route.items is None]
    assert {str(each) for each in ABOUT_NOBODY} == {"/api/v1/trends/forecast/{skill_id}", "/api/v1/trends/analyze"}


@pytest.mark.parametrize("asking", ABOUT_PEOPLE, ids=str)
def test_a_talent_may_ask_every_route_about_itself(asking: Asking) -> None:
    mine = about(asking, ME)
    check_own(TALENT, asking.route, requests(asking, mine))
    check_own(TALENT, asking.route, requests(asking, mine, mine))


def test_a_talent_may_ask_about_many_tasks_in_its_own_hands() -> None:
    estimates = asking("/api/v1/recommendations/task-performance")
    pairs = [{"person_id": ME, "task_id": task} for task in ("T60", "T61")]
    check_own(TALENT, estimates.route, requests(estimates, {"pairs": pairs}, {"pairs": pairs[:1]}))


@pytest.mark.parametrize("asking", ABOUT_PEOPLE, ids=str)
@pytest.mark.parametrize("other", [OTHER, "nobody-of-that-id", "p1", "P1 ", "P%31", "Ｐ1", "P" * 128])
def test_a_talent_that_asks_about_another_is_refused_in_the_same_words_whoever_it_is(
    asking: Asking, other: str
) -> None:
    for bodies in foreign(asking, other):
        refused = refusal(TALENT, asking.route, requests(asking, *bodies))
        assert refused.status == 403
        assert refused.detail == "A talent may ask about itself only: name your own person_id, and nobody else."
        assert not refused.errors
        assert "insufficient_scope" in refused.headers["WWW-Authenticate"]


@pytest.mark.parametrize("asking", ABOUT_NOBODY, ids=str)
def test_a_talent_may_ask_what_concerns_nobody(asking: Asking) -> None:
    check_own(TALENT, asking.route, requests(asking, asking.body))


@pytest.mark.parametrize("asking", ASKED, ids=str)
@pytest.mark.parametrize("role", [role for role in Role if role is not Role.TALENT])
def test_every_other_role_may_ask_about_anybody(asking: Asking, role: Role) -> None:
    check_own(Caller(ME, role), asking.route, requests(asking, asking.body))
    if asking in ABOUT_PEOPLE:
        for bodies in foreign(asking, OTHER):
            check_own(Caller(ME, role), asking.route, requests(asking, *bodies))


def asked_by(route: Route, **body: Any) -> Asking:
    """A question to a route that no product has yet."""
    return Asking(ASKED[0].product, route, body)


def test_a_person_that_may_be_left_out_may_be_left_out() -> None:
    route = Route("/api/v1/x", subject=(job, person), items=job, named="jobs", optional=frozenset({person.key}))
    asking = asked_by(route, job_id="JB1")
    check_own(TALENT, route, requests(asking, {"job_id": "JB1"}, {"job_id": "JB1", "person_id": ME}))
    refusal(TALENT, route, requests(asking, {"job_id": "JB1", "person_id": OTHER}))


def test_people_ranked_from_a_pool_that_nobody_can_name_are_not_for_talents() -> None:
    route = Route("/api/v1/x", subject=(job,), items=person)
    refusal(TALENT, route, requests(asked_by(route), {"job_id": "JB1"}))


def test_people_ranked_for_a_person_must_both_be_oneself() -> None:
    route = Route("/api/v1/x", subject=(person,), items=person, named="people")
    asking = asked_by(route)
    check_own(TALENT, route, requests(asking, {"person_id": ME, "people": [ME]}))
    for body in ({"person_id": ME, "people": [OTHER]}, {"person_id": OTHER, "people": [ME]}, {"person_id": ME}):
        refusal(TALENT, route, requests(asking, body))


def test_a_person_given_by_its_columns_is_not_oneself() -> None:
    route = Route("/api/v1/x", subject=(person,), items=job, named="jobs", given=talent_f.view)
    models = given_models([route])
    given = {talent_f.view.name: models[talent_f.view.name].model_construct()}
    refusal(TALENT, route, [request_model("X", route, models).model_construct(person_id=None, **given)])


def test_an_entity_of_another_name_with_a_persons_key_is_a_person() -> None:
    route = Route("/api/v1/x", subject=(replace(person, name="mentor"),), items=job, named="jobs")
    refusal(TALENT, route, requests(asked_by(route), {"person_id": OTHER}))


@pytest.mark.parametrize("role", Role)
def test_a_role_that_is_not_allowed_is_told_which_are(role: Role) -> None:
    allowed = frozenset({Role.ADMIN, Role.ENGINEER})
    if role in allowed:
        check_role(Caller(ME, role), allowed)
        return
    with pytest.raises(ProblemError) as refused:
        check_role(Caller(ME, role), allowed)
    assert refused.value.status == 403
    assert refused.value.detail == f"The role {role} may not do this, allowed: engineer, admin."
