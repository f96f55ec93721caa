"""POST /api/v1/recommendations/{prediction_id}/feedback: what people say of an answer, stored before it is answered."""

import asyncio
import logging
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import TypeVar
from uuid import UUID

from sqlalchemy import Engine

from monitoring.feedback import Feedback, Logged, Taken, give, logged
from monitoring.judged import Judged, judged
from serving.access.caller import Caller, Role
from serving.access.permissions import CHALLENGE
from serving.limits import LIMITS
from serving.platform import AWAY, Platform
from serving.routes.judgement import Judgement
from serving.schemas.problems import ProblemError, unavailable
from serving.telemetry.metrics import UNSTORED, Metrics
from training.product import Product

LOG = logging.getLogger("talentml.serving")
RETRY_SECONDS = 5
POLL_SECONDS = 0.1
THREADS = 2
NAMED = 10
OWN_ONLY = "A talent may judge answers about itself only."
Result = TypeVar("Result")


class Judgements:
    """Takes feedback into the platform database. Its threads are its own: a database that hangs holds up no answer."""

    def __init__(self, connect: Callable[[], Engine], products: Mapping[str, Product], metrics: Metrics) -> None:
        self._platform, self._products = Platform(connect, THREADS, "feedback"), products
        self._metrics = metrics

    async def take(self, caller: Caller, prediction_id: str, judgement: Judgement) -> tuple[Feedback, Taken]:
        """What was stored, and whether it took the place of an earlier word; once this returns it is on the disk.

        Counted, as is each refusal.
        Raises ProblemError: 404 for an answer that is not logged (503 soon after it was given), 403 for a talent and
        somebody else's answer, 422 where it cannot be told what is judged, 409 where somebody else judged it, 429 for
        too many in a day, 503 where the database is away or locked.
        """
        try:
            feedback, taken = await self._in_time(caller, prediction_id, judgement)
        except ProblemError as refusal:
            self._metrics.unstored.labels(UNSTORED[refusal.status]).inc()
            raise
        self._metrics.feedback.labels(feedback.kind, taken.value).inc()
        return feedback, taken

    async def _in_time(self, caller: Caller, prediction_id: str, judgement: Judgement) -> tuple[Feedback, Taken]:
        try:
            async with asyncio.timeout(LIMITS.feedback_seconds):
                return await self._taken(caller, prediction_id, judgement)
        except AWAY as error:
            LOG.warning("feedback cannot be stored: %r", error)
            detail = "Feedback cannot be stored now; send it again: what is sent twice counts once."
            raise unavailable(detail, RETRY_SECONDS) from None

    async def _taken(self, caller: Caller, prediction_id: str, judgement: Judgement) -> tuple[Feedback, Taken]:
        found = await self._logged(_checked_id(prediction_id))
        rows = judged(self._products[found.product], prediction_id, found.answer, caller.subject)
        about = chosen(own(rows, caller), judgement)
        feedback = Feedback(
            person_id=about.person_id,
            item_id=about.item_id,
            kind=found.product,
            prediction_id=prediction_id,
            subject=caller.subject,
            given_at=datetime.now(UTC),
            accepted=judgement.accepted,
            rating=judgement.rating,
            comment=judgement.comment,
        )
        caps, is_own = (LIMITS.feedback_per_day, LIMITS.feedback_lock_seconds), caller.role is Role.TALENT
        taken = await self._threaded(lambda engine: give(engine, feedback, *caps, is_own=is_own))
        _check_taken(taken, feedback.given_at)
        return feedback, taken

    async def _logged(self, prediction_id: str) -> Logged:
        """The answer, once it is in the log: any worker may have given it, and writes it a moment later."""
        clock = asyncio.get_running_loop()
        end = clock.time() + LIMITS.feedback_log_seconds
        while (found := await self._threaded(lambda engine: logged(engine, prediction_id))) is None:
            if clock.time() >= end:
                raise _not_logged(prediction_id)
            await asyncio.sleep(POLL_SECONDS)
        if found.product not in self._products:
            raise ProblemError(404, "The answer is about a product that is no longer served.")
        return found

    async def _threaded(self, ask: Callable[[Engine], Result]) -> Result:
        platform = self._platform
        return await asyncio.wrap_future(platform.submit(lambda: ask(platform.engine())))

    def close(self) -> None:
        """Let what was begun end; nothing else is begun."""
        self._platform.close(wait=True)


def _not_logged(prediction_id: str) -> ProblemError:
    """A 404; but an answer's id tells when it was given, and the log may be late by more than one waits here."""
    milliseconds = UUID(prediction_id).int >> 80
    if abs(time.time() - milliseconds / 1000) < LIMITS.feedback_late_seconds:
        detail = "The answer is not in the log yet; send it again: what is sent twice counts once."
        return unavailable(detail, RETRY_SECONDS)
    return ProblemError(404, "No such answer: feedback takes the prediction_id that an answer came with.")


def _checked_id(prediction_id: str) -> str:
    try:
        is_one = str(UUID(prediction_id)) == prediction_id
    except ValueError:
        is_one = False
    if not is_one:
        message = "not a prediction_id, allowed: a UUID as it stands in an answer"
        raise ProblemError(422, "The request breaks its schema.", [{"field": "prediction_id", "message": message}])
    return prediction_id


def own(rows: Sequence[Judged], caller: Caller) -> Sequence[Judged]:
    """What of an answer the caller may judge. Raises ProblemError 403 for a talent where nothing is about it."""
    if caller.role is not Role.TALENT:
        return rows
    mine = [row for row in rows if row.person_id == caller.subject]
    if rows and not mine:
        raise ProblemError(403, OWN_ONLY, headers=CHALLENGE)
    return mine


def chosen(rows: Sequence[Judged], judgement: Judgement) -> Judged:
    """The one row that a judgement names. Raises ProblemError 422 where it names none, or leaves it open."""
    wanted = {"named": judgement.item, "person_id": judgement.person_id}
    left = [row for row in rows if all(value in (None, getattr(row, name)) for name, value in wanted.items())]
    if len(left) == 1:
        return left[0]
    if not rows:
        raise ProblemError(422, "The answer names nothing that could be judged.")
    if judgement.item is None and len({row.named for row in left}) > 1:
        raise _unclear("item", "the answer names several, say which one", [row.named for row in left])
    if any(row.named == judgement.item for row in rows) or judgement.item is None:
        people = [row.person_id for row in rows if judgement.item in (None, row.named)]
        raise _unclear("person_id", "not clear whose, say which one", people)
    raise _unclear("item", "not in the answer", [row.named for row in rows])


def _unclear(field: str, what: str, allowed: Sequence[str]) -> ProblemError:
    names = list(dict.fromkeys(allowed))
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    message = f"{what}, allowed: {', '.join(names[:NAMED])}{more}"
    return ProblemError(422, "It is not clear what of the answer is judged.", [{"field": field, "message": message}])


def _check_taken(taken: Taken, at: datetime) -> None:
    if taken is Taken.FOREIGN:
        raise ProblemError(409, "Somebody else judged this: only they, or the person itself, may change it.")
    if taken is Taken.TOO_MANY:
        midnight = at.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)
        seconds = max(1, round((midnight - at).total_seconds()))
        detail = f"{LIMITS.feedback_per_day} words were taken from you today, more are taken after midnight UTC."
        raise ProblemError(429, detail, headers={"Retry-After": str(seconds)})
