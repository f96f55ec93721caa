"""Who may ask what: by role, and a talent about itself only."""

from collections.abc import Iterator, Sequence
from typing import Any

from feature_repo.entities import person
from serving.access.caller import Caller, Role
from serving.schemas.problems import ProblemError
from serving.schemas.requests import pairs_of
from training.route import Route

OWN_ONLY = "A talent may ask about itself only: name your own person_id, and nobody else."
"""All that is said, whether or not the other person exists."""
CHALLENGE = {"WWW-Authenticate": 'Bearer realm="talentml", error="insufficient_scope"'}


def check_role(caller: Caller, allowed: frozenset[Role]) -> None:
    """Raises ProblemError 403 for a caller of another role."""
    if caller.role not in allowed:
        names = ", ".join(role for role in Role if role in allowed)
        raise ProblemError(403, f"The role {caller.role} may not do this, allowed: {names}.", headers=CHALLENGE)


def check_own(caller: Caller, route: Route, requests: Sequence[Any]) -> None:
    """Raises ProblemError 403 where a talent asks about anybody else, in any one of the requests.

    Where people are ranked it must name itself: a request that names nobody is answered with others.
    """
    if caller.role is not Role.TALENT:
        return
    if any(found != caller.subject for request in requests for found in people_of(route, request)):
        raise ProblemError(403, OWN_ONLY, headers=CHALLENGE)


def people_of(route: Route, request: Any) -> Iterator[str | None]:
    """The id of everybody whom the answer to a valid request tells of; None for somebody who is not named."""
    if person.key in {entity.key for entity in route.subject}:
        for each in [request] if route.items else pairs_of(request):
            found: str | None = getattr(each, person.key)
            if found is not None or person.key not in route.optional:
                yield found
    if route.items is not None and route.items.key == person.key:
        named: Sequence[str] | None = getattr(request, route.named) if route.named else None
        yield from named or (None,)
