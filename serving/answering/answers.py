"""Answers requests: reads features, lets the champion or the rule score, explains, logs."""

import asyncio
import logging
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from typing import Any, NamedTuple

import polars as pl

from feature_repo.errors import ServingError, TalentError
from feature_repo.table import Table
from monitoring.prediction_log import Record
from serving.answering import bodies, cache, forms, heads
from serving.answering.bodies import Body, Said
from serving.answering.cache import Basis, Cache, Kept
from serving.answering.explain import explanation, factors
from serving.answering.explainers import Explainers
from serving.answering.fallback import rule_outputs
from serving.answering.features import Asked, Features, Read, loggable
from serving.answering.heads import Head
from serving.answering.journal import Journal
from serving.answering.messages import Rows
from serving.answering.published import Published
from serving.answering.scoring import Scored, score
from serving.answering.shadow import Beside, Shadow
from serving.limits import LIMITS
from serving.telemetry.metrics import Metrics
from serving.telemetry.trace import CURRENT
from serving.versions.arms import Served, unit_of
from serving.versions.loading import Champion
from serving.versions.models import Models
from training.contributions import Contributions
from training.product import Product
from training.route import Answered, Extra, Route

LOG = logging.getLogger("talentml.serving")
Factors = Mapping[int, bytes]
"""The factors of a row as JSON, by its place in the scored frame."""


class Question(NamedTuple):
    """What is asked, a valid request; by whom; and when it arrived, by time.perf_counter().

    said: the request's JSON as it came; None where it came otherwise, or among others.
    """

    product: Product
    route: Route
    request: Any
    caller: str | None
    request_id: str | None
    started: float
    said: bytes | None = None


@dataclass(frozen=True)
class Explained:
    """The factors of the rows that were explained, and what they explain; None where that failed or was not asked.

    parts: as the model gave them; places: of their rows in the answer.
    """

    factors: Factors
    head: dict[str, Any] | None
    parts: Contributions | None = None
    places: Sequence[int] = ()

    @property
    def contributions(self) -> pl.DataFrame | None:
        """The parts with `row`, the place in the answer."""
        rows = pl.Series(self.places, dtype=pl.Int64)
        return None if self.parts is None else self.parts.frame.with_columns(row=rows)


NOT_EXPLAINED = Explained({}, None)


@dataclass(frozen=True)
class Answers:
    """Everything that an answer needs. All of it may be replaced while requests run; each takes what it finds first."""

    features: Features
    models: Models
    journal: Journal
    metrics: Metrics
    shadow: Shadow
    cache: Cache = field(default_factory=Cache)
    explainers: Explainers = field(default_factory=Explainers)
    sayers: Explainers = field(default_factory=lambda: Explainers(LIMITS.extra_threads, LIMITS.extra_seconds))
    """For what is said beside scores, which may read files: not asyncio's threads, which score."""

    async def answer(self, question: Question) -> bytes:
        """The answer's JSON, as serving.schemas.replies declares it.

        Raises ProblemError 404 for a subject that is not stored but might have been given.
        """
        published = self.features.current
        asked = forms.asked(question.route, question.request, published)
        basis: Basis = (self.models.active, published)  # first: a swap in between must not keep what is old
        served = self.models.served(question.product.name, unit_of(asked, question.caller))
        wanted = cache.key(question.route.path, question.request, served.name)
        kept = None if served.shadow else self.cache.find(wanted, basis)
        self.metrics.cache.labels(question.product.name, "hit" if kept else "miss").inc()
        if kept:
            return self._again(question, served, kept)
        body, read, scored, is_whole = await self._made(question, served, asked, published)
        features = loggable(asked, read.features)
        rows = self.journal.rows(features)
        said, record = self._finished(question, served, body, rows, features)
        if scored.champion and is_whole and rows:
            self.cache.keep(wanted, Kept(said, rows), basis)
        if served.shadow:
            self.shadow.add(Beside(served.shadow, read, scored, record))
        return said.json

    def check(self, route: Route, requests: Sequence[Any]) -> None:
        """Raises as answering one of them would, before any is answered and logged."""
        for request in requests:
            forms.check_stored(route, request, self.features.current)

    async def _made(
        self, question: Question, served: Served, asked: Asked, published: Published | None
    ) -> tuple[Body, Read, Scored, bool]:
        """The answer, what it was made from, and whether all that was asked for could be said."""
        product, route, request = question.product, question.route, question.request
        of = product, served.champion, published, asked
        is_short = asked.height <= LIMITS.inline_rows
        read, scored = self._score(*of) if is_short else await asyncio.to_thread(self._score, *of)
        shown = forms.shown(request, read, scored)
        wants_parts = request.explain or route.needs_contributions
        explained = await self._explained(product, read, scored, shown) if wants_parts else NOT_EXPLAINED
        extras = await self._extras(product, request, read, scored, shown, explained, published) if route.extras else {}
        is_whole = not (wants_parts and explained is NOT_EXPLAINED) and None not in extras.values()
        explained = explained if request.explain else NOT_EXPLAINED
        head = self._head(product, read, scored, explained)
        return bodies.body(product, head, asked, scored, shown, explained.factors, extras), read, scored, is_whole

    def _again(self, question: Question, served: Served, kept: Kept) -> bytes:
        """A kept answer as one of its own: it can be told apart, logged and commented on."""
        self.metrics.answers.labels(question.product.name, kept.said.head.source).inc()
        return self._finished(question, served, kept.said.body, kept.rows)[0].json

    def _finished(
        self, question: Question, served: Served, body: Body, rows: Rows | None, features: Table | None = None
    ) -> tuple[Said, Record]:
        """The answer with its id and the time that it took, noted in the log's line; and its record in the log.

        rows: what messages hold of the features; features: None where a kept answer is given again.
        """
        is_cached = features is None
        said = body.said(1000 * (time.perf_counter() - question.started), is_cached=is_cached)
        head, trace = said.head, CURRENT.get()
        if trace is not None:
            trace.answered(product=head.product, source=head.source, version=head.version, cached=is_cached)
        record = _record(question, served, said, features)
        self.journal.add(record, rows)
        return said, record

    def _score(
        self, product: Product, champion: Champion | None, published: Published | None, asked: Asked
    ) -> tuple[Read, Scored]:
        with self.metrics.stage(product.name, "features"):
            read = self.features.read(published, asked, product.asked_columns)
        with self.metrics.stage(product.name, "prediction"):
            return read, score(product, champion, read)

    async def _extras(
        self,
        product: Product,
        request: Any,
        read: Read,
        scored: Scored,
        shown: Sequence[int],
        explained: Explained,
        published: Published | None,
    ) -> dict[str, Any]:
        """What the route says beside scores; null where it cannot be had."""
        route = read.asked.route
        if published is None:
            return {}
        answered = Answered(
            subject=read.asked.subject,
            options=forms.options(route, request),
            features=read.features.rows(list(shown)).frame,
            outputs=pl.DataFrame(scored.outputs)[list(shown)],
            contributions=explained.contributions,
            published=published,
            ask=partial(self.ask, published),
        )
        with self.metrics.stage(product.name, "extras"):
            try:
                return await self.sayers.run(_said, product, route, answered)
            except (TimeoutError, ServingError) as error:
                LOG.warning("%s: nothing beside scores: %r", product.name, error)
                return dict.fromkeys(extra.name for extra in route.extras)

    def ask(self, published: Published, name: str, spine: pl.DataFrame, given: Any = None) -> pl.DataFrame:
        """Another product's outputs for a spine, on the same snapshot.

        From its champion where it is asked about what is known only, else from its rule: scores of both do not compare.
        """
        product, champion = self.models.products[name], self.models.active.get(name)
        frame = published.read(spine, product.asked_columns, given)
        asked = ((entity, key) for entity in product.entities for key in spine[entity.key].unique())
        if champion is None or not all(published.knows(entity, key) for entity, key in asked):
            return pl.DataFrame(rule_outputs(product, frame))
        return pl.DataFrame(champion.model.predict(frame))

    async def _explained(self, product: Product, read: Read, scored: Scored, shown: Sequence[int]) -> Explained:
        by_model = scored.by_model.tolist()
        rows = [row for row in shown if by_model[row]]
        if scored.champion is None or not rows:
            return NOT_EXPLAINED
        with self.metrics.stage(product.name, "explanation"):
            places = [place for place, row in enumerate(shown) if by_model[row]]
            asked = scored.champion, read.features, rows, places
            try:
                if scored.champion.is_explained_inline(len(rows)):
                    return _explain(*asked)
                return await self.explainers.run(_explain, *asked)
            except Exception as error:
                is_foreseen = isinstance(error, (TimeoutError, TalentError))
                LOG.warning("%s: no explanation: %r", product.name, error, exc_info=None if is_foreseen else error)
                return NOT_EXPLAINED

    def _head(self, product: Product, read: Read, scored: Scored, explained: Explained) -> Head:
        head = heads.head(product, read, scored, explained.head)
        self.metrics.answers.labels(product.name, head.source).inc()
        if scored.reason:
            self.metrics.fallbacks.labels(product.name, scored.reason).inc()
        return head


def _record(question: Question, served: Served, said: Said, features: Table | None) -> Record:
    head = said.head
    return Record(
        prediction_id=said.prediction_id,
        request_id=question.request_id,
        product=head.product,
        model_version=head.version,
        source=head.source,
        snapshot=head.snapshot,
        as_of=head.as_of,
        request=question.said or question.request.model_dump_json(exclude_unset=True).encode(),
        features=features,
        answer=said.logged,
        milliseconds=said.milliseconds,
        predicted_at=datetime.now(UTC),
        subject=question.caller,
        experiment=served.experiment,
        arm=served.arm,
        unit=served.unit,
    )


def _explain(champion: Champion, features: Table, rows: Sequence[int], places: Sequence[int]) -> Explained:
    """rows: of the scored frame; places: the same rows' places in the answer."""
    explained = features.rows(rows)
    parts = champion.model.contributions(explained)
    found = factors(parts, explained, champion.phrases)
    head = explanation(parts, champion.model.explains, champion.model.scale)
    return Explained(dict(zip(rows, found, strict=True)), head, parts, places)


def _said(product: Product, route: Route, answered: Answered) -> dict[str, Any]:
    return {extra.name: _one_extra(product, extra, answered) for extra in route.extras}


def _one_extra(product: Product, extra: Extra, answered: Answered) -> Any:
    try:
        return extra.value(answered)
    except Exception:
        LOG.exception("%s: no %s", product.name, extra.name)
        return None
