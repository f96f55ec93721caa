"""What people say of answers, in the platform table match_feedback: one word per person, item and product.

Whoever gave a word may change it, and so may the person whom it is about; nobody else may. How much one subject can
give is capped twice: a day's words are bounded when they come, and of a window only the first COUNTED_PER_SUBJECT of
each subject and product count, so that a flood neither calls for retraining nor decides an experiment (FAULTS 13).
A portal that passes on what people say should do so with each person's own token, else its words are one subject's.
"""

from dataclasses import asdict, dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection, Engine, Subquery, and_, func, or_, select, text, update

from feature_repo.platform.tables import match_feedback, prediction_log
from feature_repo.window import Window
from monitoring.arm import Arm
from monitoring.prediction_log import insertion

COUNTED_PER_SUBJECT = 20
"""Of each subject, product and window. The first ones: what comes later cannot push out what was counted before."""
ADVISORY = 7_461_002
"""First key of the PostgreSQL advisory lock that one subject's feedback is written under, one after the other."""


@dataclass(frozen=True)
class Feedback:
    """One word. kind: the product. subject: who gave it. rating: 1 to 5. Of the last three one or more is given."""

    person_id: str
    item_id: str
    kind: str
    prediction_id: str
    subject: str
    given_at: datetime
    accepted: bool | None = None
    rating: int | None = None
    comment: str | None = None


class Taken(StrEnum):
    """What became of it: stored anew or in place of an earlier one; or refused, and nothing changed."""

    NEW = "new"
    REPLACED = "replaced"
    FOREIGN = "somebody else's"
    TOO_MANY = "too many"


@dataclass(frozen=True)
class Logged:
    """An answer as the prediction log has it."""

    product: str
    answer: dict[str, Any]


def logged(engine: Engine, prediction_id: str) -> Logged | None:
    """The answer of that id; None where it is not logged (yet), or was shown to nobody."""
    table = prediction_log.c
    shown = or_(table.arm.is_(None), table.arm != Arm.SHADOW)
    with engine.connect() as connection:
        row = connection.execute(
            select(table.product, table.answer).where(table.prediction_id == prediction_id, shown)
        ).first()
    return None if row is None else Logged(row.product, row.answer)


def give(engine: Engine, feedback: Feedback, per_day: int, seconds: float, is_own: bool = False) -> Taken:
    """Store it, committed and on the disk when this returns. One that is given twice is stored once.

    per_day: a subject's words since midnight UTC. seconds: how long to wait for others that write. is_own: whether the
    person itself gives it, and not somebody of the same name.
    Raises sqlalchemy's OperationalError where the database is away, locked for longer, or full.
    """
    with engine.connect() as connection:
        _begin(connection, feedback.subject, seconds)
        taken = _written(connection, feedback, is_own)
        if taken in (Taken.NEW, Taken.REPLACED):
            if _given_today(connection, feedback) > per_day:
                return Taken.TOO_MANY  # uncommitted
            connection.commit()
    return taken


def _begin(connection: Connection, subject: str, seconds: float) -> None:
    milliseconds = round(1000 * seconds)
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql(f"PRAGMA busy_timeout={milliseconds}")
        connection.exec_driver_sql("PRAGMA synchronous=FULL")  # others' commits may be lost with the power, not these
        return
    connection.exec_driver_sql(f"set local statement_timeout = {milliseconds}")
    lock = text("select pg_advisory_xact_lock(:key, hashtext(:subject))")  # else two at once might both be the last
    connection.execute(lock, {"key": ADVISORY, "subject": subject})


def _written(connection: Connection, feedback: Feedback, is_own: bool) -> Taken:
    """Insert before update: of two at once the second waits here for the first, and then finds its word."""
    table, row = match_feedback.c, asdict(feedback)
    if connection.scalar(insertion(match_feedback, connection).values(**row).returning(table.id)):
        return Taken.NEW
    mine = [getattr(table, name) == row[name] for name in ("person_id", "item_id", "kind")]
    if not is_own:
        mine.append(table.subject == feedback.subject)
    changed = connection.execute(update(match_feedback).where(*mine).values(**row))
    return Taken.REPLACED if changed.rowcount else Taken.FOREIGN


def _given_today(connection: Connection, feedback: Feedback) -> int:
    midnight = feedback.given_at.replace(hour=0, minute=0, second=0, microsecond=0)
    mine = and_(match_feedback.c.subject == feedback.subject, match_feedback.c.given_at >= midnight)
    return int(connection.scalar(select(func.count()).select_from(match_feedback).where(mine)) or 0)


def counted(product: str, window: Window) -> Subquery:
    """The rows of match_feedback that count as labels: accepted or rated, and of each subject the first ones."""
    table = match_feedback.c
    place = func.row_number().over(partition_by=table.subject, order_by=(table.given_at, table.id)).label("place")
    is_label = or_(table.accepted.is_not(None), table.rating.is_not(None))
    given = select(match_feedback, place).where(
        table.kind == product, table.given_at >= window.since, table.given_at < window.until, is_label
    )
    ranked = given.subquery()
    return select(ranked).where(ranked.c.place <= COUNTED_PER_SUBJECT).subquery()


def count(engine: Engine, product: str, window: Window) -> int:
    """How many labels a product was given in the window, capped per subject."""
    with engine.connect() as connection:
        return int(connection.scalar(select(func.count()).select_from(counted(product, window))) or 0)
