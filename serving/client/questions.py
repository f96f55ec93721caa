"""A question to a product: answered by the cache, the service or the product's own rule, in this order."""

import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import Any, NamedTuple
from urllib.parse import quote

from pydantic_core import from_json

from feature_repo.errors import ServingError
from serving.client.answer import AnsweredBy
from serving.client.cache import Cache, Key
from serving.client.calls import Call, Calls
from serving.client.errors import CircuitOpenError, UnreachableError

LOG = logging.getLogger("talentml.client")
HEAD = frozenset({"prediction_id", "product", "model", "source"})


@dataclass(frozen=True)
class Question:
    """route: the path as declared, such as /api/v1/trends/forecast/{skill_id}. What is None is left out."""

    method: str
    route: str
    fields: Mapping[str, Any]

    @cached_property
    def body(self) -> bytes:
        """The fields as canonical JSON. Raises ServingError for a number that is not finite."""
        given = {name: value for name, value in self.fields.items() if value is not None}
        try:
            return json.dumps(given, sort_keys=True, allow_nan=False, default=_plain).encode()
        except ValueError as error:
            raise ServingError(f"{self.method} {self.route}: {error}") from None

    @property
    def key(self) -> Key:
        """What the cache finds the answer by."""
        return self.method, self.route, self.body

    @property
    def call(self) -> Call:
        """The question over HTTP; asking twice does no more than asking once."""
        if self.method == "POST":
            return Call(self.method, self.route, self.body)
        given = {name: _text(value) for name, value in from_json(self.body).items()}
        ids = {name: quote(text, safe="") for name, text in given.items() if f"{{{name}}}" in self.route}
        params = {name: text for name, text in given.items() if name not in ids}
        return Call(self.method, self.route.format(**ids), params=params)


class Said(NamedTuple):
    """What is answered, by whom, and how many seconds ago."""

    body: dict[str, Any]
    by: AnsweredBy
    age: float = 0.0


@dataclass(frozen=True)
class Questions:
    """Answers questions. has_fallback: whether anything may stand in for a service that cannot be reached."""

    calls: Calls
    cache: Cache
    has_fallback: bool

    def answer(self, question: Question, fresh: bool) -> Said:
        """fresh: not what is kept, only what is computed now.

        Raises RefusedError where the service refuses; UnreachableError without a fallback.
        """
        kept = None if fresh else self.cache.get(question.key)
        if kept and kept.is_fresh:
            return Said(from_json(kept.body), "cache", kept.age)
        try:
            return self._asked(question)
        except UnreachableError as error:
            if not self.has_fallback:
                raise
            # The failures before were told of: a busy caller had 40 lines a second while the circuit was open.
            level = logging.DEBUG if isinstance(error, CircuitOpenError) else logging.WARNING
            LOG.log(level, "%s; %s answers instead", error, "an older answer" if kept else "the product's rule")
        if kept:
            return Said(from_json(kept.body), "stale cache", kept.age)
        from serving.client.fallback import ruled  # a second's imports: only where they are needed

        return Said(ruled(question.method, question.route, question.body), "client")

    def _asked(self, question: Question) -> Said:
        body = self.calls.send(question.call)
        said: dict[str, Any] = from_json(body)
        answers = said.get("answers", [said])
        if not isinstance(answers, list) or not all(map(_is_ours, answers)):
            raise UnreachableError(f"{question.method} {question.route}: an answer that is not ours")
        if all(each["source"] == "model" for each in answers):  # a rule's answer is not worth an hour
            self.cache.put(question.key, body)
        return Said(said, "service")


def _is_ours(answer: Any) -> bool:
    return isinstance(answer, dict) and answer.keys() >= HEAD


def _plain(value: Any) -> str:
    if isinstance(value, date):
        return value.isoformat()
    raise ServingError(
        f"{type(value).__name__}: no such thing in JSON, allowed: text, numbers, lists, objects, instants"
    )


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
