"""Questions that nobody asked, of which nothing is logged, counted or kept: what first callers would wait for."""

import logging
from collections.abc import Mapping
from functools import partial
from typing import Any

import polars as pl

from feature_repo.column import View
from feature_repo.entities import Entity
from serving.answering import bodies, heads
from serving.answering.answers import Answers
from serving.answering.features import Asked, read_for
from serving.answering.published import Published
from serving.answering.scoring import score
from training.product import Product
from training.route import Answered, Route

LOG = logging.getLogger("talentml.serving")
ROWS = 8
NOBODY = "nobody"


def rehearse(answers: Answers, products: Mapping[str, Product], published: Published) -> None:
    """Score and say what each route says beside scores, once about a snapshot. Never fails.

    The first question about a new snapshot took 6 to 20 ms of 4 to 14 longer, that of a new process up to 230.
    """
    for product in products.values():
        for route in product.routes:
            try:
                _say(answers, product, route, published)
            except Exception:
                LOG.exception("%s: not rehearsed", route.path)


def _say(answers: Answers, product: Product, route: Route, published: Published) -> None:
    asked = rows_of(route, published)
    read = read_for(published, asked, product.asked_columns)
    scored = score(product, answers.models.active.get(product.name), read)
    bodies.body(product, heads.head(product, read, scored), asked, scored, range(asked.height), {}, {})
    answered = Answered(
        subject=asked.subject,
        options={option.name: None for option in route.options},
        features=read.features.frame,
        outputs=pl.DataFrame(scored.outputs),
        contributions=None,
        published=published,
        ask=partial(answers.ask, published),
    )
    for extra in route.extras:
        extra.value(answered)


def rows_of(route: Route, published: Published | None) -> Asked:
    """A few rows of a route, about the first known things; the last given by its columns where it may be."""
    subject = {entity.key: _anybody(published, entity) for entity in route.subject}
    rows: list[dict[str, str]] = [subject]
    if route.items:
        named = list(published.candidates(route.path, subject) if published else ())[:ROWS]
        rows = [{route.items.key: item, **subject} for item in named or [_anybody(published, route.items)]]
    given: list[Any] = [None] * len(rows)
    if published and route.given and published.knows(route.subject[-1], subject[route.subject[-1].key]):
        last = route.subject[-1].key
        given[-1] = _columns(published, route.given, {last: subject[last]})
    return Asked(route, {key: [row[key] for row in rows] for key in route.keys}, given, subject, route.inputs)


def _anybody(published: Published | None, entity: Entity) -> str:
    return max(published.known.get(entity, ()), default=NOBODY) if published else NOBODY


def _columns(published: Published, view: View, key: Mapping[str, str]) -> dict[str, Any]:
    """A stored thing's columns by plain name, as a request would give them."""
    found = published.read(pl.DataFrame(dict(key)), view.columns)
    return {column.name: found[column.qualified].to_list()[0] for column in view.columns}
