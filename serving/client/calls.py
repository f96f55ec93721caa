"""Calls of the service over HTTP: one deadline for all tries, which a circuit breaker and jitter keep apart."""

import random
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import httpx
import stamina
from pydantic_core import from_json

from serving.client.bearer import Bearer
from serving.client.breaker import Breaker
from serving.client.deadline import left, within
from serving.client.errors import RefusedError, UnreachableError

TRIES = 4
FIRST_SECONDS, MOST_SECONDS = 0.1, 2.0
PASSING = frozenset({502, 503, 504})
BUSY = 429


@dataclass(frozen=True)
class Call:
    """What is sent. is_repeatable: whether twice does no more than once. seconds: how long it may take, at least."""

    method: str
    path: str
    body: bytes | None = None
    params: Mapping[str, str] | None = None
    is_repeatable: bool = True
    seconds: float = 0.0

    def __str__(self) -> str:
        return f"{self.method} {self.path}"


@dataclass(frozen=True)
class Calls:
    """Sends calls. http: a client whose base_url is the service's. timeout: seconds for a call with all its tries."""

    http: httpx.Client
    bearer: Bearer
    breaker: Breaker
    timeout: float

    def send(self, call: Call) -> bytes:
        """The body of the answer, a JSON object.

        Raises RefusedError upon a 4xx, UnreachableError where no answer of ours comes before the deadline.
        """
        with within(max(self.timeout, call.seconds)):
            for attempt in stamina.retry_context(on=_Pause(call), attempts=TRIES, timeout=None):
                with attempt, self.breaker.guard(call):
                    return _body(call, self._exchange(call))
        raise AssertionError("the last try returns or raises")

    def _exchange(self, call: Call) -> httpx.Response:
        shown = self.bearer.headers()
        answer = self._sent(call, shown)
        is_refused = answer.status_code == httpx.codes.UNAUTHORIZED
        return self._sent(call, self.bearer.headers()) if is_refused and self.bearer.renew(shown) else answer

    def _sent(self, call: Call, headers: httpx.Headers) -> httpx.Response:
        if call.body is not None:
            headers["content-type"] = "application/json"
        try:
            return self.http.request(call.method, call.path, content=call.body, params=call.params, headers=headers)
        except httpx.HTTPError as error:
            unsent = isinstance(error, httpx.ConnectError | httpx.ConnectTimeout)
            where = f"{self.http.base_url.scheme}://{self.http.base_url.netloc.decode()}"
            why = f"{call}: no answer from {where}: {type(error).__name__} {error}".rstrip()
            raise UnreachableError(why, is_passing=True, is_unsent=unsent) from None


@dataclass
class _Pause:
    """Whether to try again after an error, and after how many seconds: full jitter, on top of what the service asks.

    Source: Brooker, Exponential Backoff and Jitter, AWS 2015.
    """

    call: Call
    tries: int = 0

    def __call__(self, error: Exception) -> bool | float:
        self.tries += 1
        if not self._may_pass(error):
            return False
        jitter = random.uniform(0, min(MOST_SECONDS, FIRST_SECONDS * 2 ** (self.tries - 1)))
        wait = (getattr(error, "retry_after", None) or 0.0) + jitter
        return wait if wait < left() else False

    def _may_pass(self, error: Exception) -> bool:
        if isinstance(error, UnreachableError):
            return error.is_passing and (self.call.is_repeatable or error.is_unsent)
        return isinstance(error, RefusedError) and error.status == BUSY  # whatever it asked for, it was not let in


def _body(call: Call, answer: httpx.Response) -> bytes:
    status, wait = answer.status_code, _retry_after(answer)
    found = _read(answer)
    if httpx.codes.is_success(status) and isinstance(found, dict):
        return answer.content
    detail, errors = _said(found)
    if httpx.codes.is_client_error(status):
        raise RefusedError(str(call), status, detail, errors, wait)
    raise UnreachableError(f"{call}: {status}, {detail}", is_passing=status in PASSING, retry_after=wait)


def _read(answer: httpx.Response) -> Any:
    """The body, where it is JSON and says so."""
    media = answer.headers.get("content-type", "").partition(";")[0].strip()
    try:
        return from_json(answer.content, allow_inf_nan=False) if media.endswith("json") else None
    except ValueError:
        return None


def _said(found: Any) -> tuple[str, list[dict[str, str]]]:
    """The problem's detail and its fields' errors."""
    if not isinstance(found, dict):
        return "an answer that is not ours", []
    errors = [
        each for each in found.get("errors") or () if isinstance(each, dict) and {"field", "message"} <= set(each)
    ]
    return str(found.get("detail", found)), errors


def _retry_after(answer: httpx.Response) -> float | None:
    """Seconds, from seconds or a date. Source: RFC 9110, 10.2.3."""
    text = answer.headers.get("retry-after", "").strip()
    if text.isascii() and text.isdigit():
        return float(text)
    try:
        return max(0.0, (parsedate_to_datetime(text) - datetime.now(UTC)).total_seconds()) if text else None
    except (ValueError, TypeError):
        return None
