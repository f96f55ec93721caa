"""The two forms of questions: which items to rank for a subject, and what to estimate for subjects."""

from collections.abc import Mapping, Sequence
from typing import Any, cast

from monitoring.prediction_log import NEW
from serving.answering.features import Asked, Read
from serving.answering.published import Published
from serving.answering.scoring import Scored
from serving.schemas.problems import ProblemError
from serving.schemas.requests import pairs_of
from training.route import Route, Rows


def asked(route: Route, request: Any, published: Published | None) -> Asked:
    """The rows that a request is about.

    Raises ProblemError 404 for a subject that is not stored, where its columns might have been given.
    """
    check_stored(route, request, published)
    if route.items is None:
        return _estimated(route, request)
    thing = _thing(route, request)
    keys = _ids(route, request, is_new=thing is not None)
    subject = {key: name for key, name in keys.items() if name is not None}
    named = getattr(request, route.named, None) if route.named else None
    items = named if named is not None else (published.candidates(route.path, subject) if published else ())
    ids = {route.items.key: list(items), **{key: [name] * len(items) for key, name in keys.items()}}
    return Asked(route, ids, [thing] * len(items), subject, _inputs(route, request))


def _estimated(route: Route, request: Any) -> Asked:
    subjects = pairs_of(request)
    given = [_thing(route, each) for each in subjects]
    keys = [_ids(route, each, is_new=thing is not None) for each, thing in zip(subjects, given, strict=True)]
    return Asked(route, {key: [each[key] for each in keys] for key in route.keys}, given, {}, _inputs(route, request))


def _inputs(route: Route, request: Any) -> dict[str, float]:
    """The options that the model reads."""
    if not route.inputs:
        return {}
    given = {name: getattr(request, name, None) for name in route.inputs}
    return {name: float(route.inputs[name] if value is None else value) for name, value in given.items()}


def _thing(route: Route, request: Any) -> Mapping[str, Any] | None:
    found = getattr(request, route.given.name) if route.given else None
    return None if found is None else found.model_dump()


def _ids(route: Route, request: Any, *, is_new: bool) -> dict[str, str | None]:
    """The subject's ids by key. is_new: its last is given by its columns."""
    found = {entity.key: getattr(request, entity.key) for entity in route.subject}
    return {**found, route.subject[-1].key: NEW} if is_new else found


def check_stored(route: Route, request: Any, published: Published | None) -> None:
    """What could have been given by its columns must be stored where it is not. Raises as `asked`."""
    if route.given is None or published is None:
        return
    last = route.subject[-1]
    for each in [request] if route.items else pairs_of(request):
        name = getattr(each, last.key)
        if name is not None and not published.knows(last, name):
            hint = f"Give an id that is stored, or the {last.name}'s columns as `{route.given.name}`."
            raise ProblemError(404, f"No such {last.name}: {name}. {hint}")


def options(route: Route, request: Any) -> dict[str, Any]:
    """The route's own fields of a request."""
    return {option.name: getattr(request, option.name) for option in route.options}


def shown(request: Any, read: Read, scored: Scored) -> Sequence[int]:
    """The rows to answer with, in the order of the answer."""
    asked, route = read.asked, read.asked.route
    if route.items is None:
        return range(asked.height)
    items = cast(Sequence[str], asked.ids[route.items.key])
    rows = Rows(items, scored.outputs, read.features, scored.by_model, options(route, request), request.limit)
    return route.order(rows)
