"""Who asked for what only admins may do, in the platform table audit_log: one entry per call, refused ones too.

The intent is written first, as `asked`; what came of it replaces that word once. An entry that stays `asked` belongs to
a call whose end nobody saw, such as that of a service that was killed.
"""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Literal

from sqlalchemy import Engine, insert, select, update

from feature_repo.errors import DataError
from feature_repo.platform.tables import audit_log

Outcome = Literal["asked", "done", "refused", "failed"]


@dataclass(frozen=True)
class Entry:
    """One call. target: the products it names; detail: the reason given, then what came of it."""

    subject: str
    role: str
    action: str
    target: str = ""
    outcome: Outcome = "asked"
    detail: str = ""
    request_id: str | None = None
    at: datetime = field(default_factory=lambda: datetime.now(UTC))


NAMES = tuple(Entry.__dataclass_fields__)


def record(engine: Engine, entry: Entry) -> int:
    """Add an entry; its id."""
    row = {name: getattr(entry, name) for name in NAMES}
    with engine.begin() as connection:
        (number,) = connection.execute(insert(audit_log).values(**row)).inserted_primary_key or (0,)
    return int(number)


def conclude(engine: Engine, number: int, outcome: Outcome, detail: str) -> None:
    """Say what came of an entry that is `asked`. Raises DataError where there is none: no outcome changes."""
    is_open = (audit_log.c.id == number) & (audit_log.c.outcome == "asked")
    with engine.begin() as connection:
        found = connection.execute(update(audit_log).where(is_open).values(outcome=outcome, detail=detail))
        if found.rowcount != 1:
            raise DataError(f"audit_log: entry {number} is not open, allowed: one whose outcome is asked")


def entries(
    engine: Engine,
    action: str | None = None,
    subject: str | None = None,
    since: datetime | None = None,
    limit: int = 100,
) -> list[Entry]:
    """The newest entries, newest first: all, or those of an action, of a subject or since an instant."""
    chosen = select(*(audit_log.c[name] for name in NAMES)).order_by(audit_log.c.id.desc()).limit(limit)
    for column, wanted in ((audit_log.c.action, action), (audit_log.c.subject, subject)):
        chosen = chosen if wanted is None else chosen.where(column == wanted)
    if since is not None:
        chosen = chosen.where(audit_log.c.at >= since)
    with engine.connect() as connection:
        return [Entry(**row) for row in connection.execute(chosen).mappings()]
