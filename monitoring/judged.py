"""What of an answer can be judged: each of its rows, as one about a person and an item."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from feature_repo.entities import person
from training.product import Product
from training.route import Route

Json = Mapping[str, Any]


@dataclass(frozen=True)
class Judged:
    """One row of an answer. named: the id that the answer lists it by. score: the first output, None where it is none.

    source: model or fallback.
    """

    person_id: str
    item_id: str
    named: str
    source: str
    score: float | None


def judged(product: Product, prediction_id: str, answer: Json, asker: str) -> list[Judged]:
    """The rows of a logged answer, in its order, none twice; empty where it has none.

    The item is the first of the route's keys that is not the person's: the task where people are ranked for one. A
    thing that was given by its columns has no id: it is known by the answer's, and by the row's place in an estimate.
    asker: stands for the person where a route has none, such as that of trends.
    """
    route = next((each for each in product.routes if _is_of(each, answer)), None)
    if route is None:
        return []
    rows = [_row(product, route, prediction_id, answer, place, asker) for place in range(len(answer[_listed(route)]))]
    return list({(row.person_id, row.item_id): row for row in reversed(rows)}.values())[::-1]


def _listed(route: Route) -> str:
    """The answer's list of rows."""
    return (route.named or route.items.name) if route.items else "estimates"


def _is_of(route: Route, answer: Json) -> bool:
    """Whether the answer is one to this route, or to one whose answers name the same things."""
    heads = [entity.key for entity in route.subject] if route.items else []
    return {_listed(route), *heads} <= set(answer)


def _row(product: Product, route: Route, prediction_id: str, answer: Json, place: int, asker: str) -> Judged:
    row: Json = answer[_listed(route)][place]
    ids = {key: row[key] if key in row else answer[key] for key in route.keys}
    item = next(ids[key] for key in route.keys if key != person.key)
    item = item or (prediction_id if route.items else f"{prediction_id}/{place}")
    score = row.get(product.outputs[0])
    return Judged(
        person_id=ids.get(person.key, asker),
        item_id=item,
        named=ids[route.items.key] if route.items else item,
        source=row["source"],
        score=float(score) if isinstance(score, int | float) else None,
    )
