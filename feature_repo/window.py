"""Time windows: half-open, in UTC."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from feature_repo.errors import DataError

BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Window:
    """The instants t with since <= t < until. Both are aware and in UTC.

    Raises DataError for a naive or an empty window.
    """

    since: datetime
    until: datetime

    def __post_init__(self) -> None:
        for name in ("since", "until"):
            if getattr(self, name).tzinfo is None:
                raise DataError(f"window {name}: {getattr(self, name)} has no time zone, allowed: aware instants")
        if self.since >= self.until:
            raise DataError(f"window: since {self.since:%F %T} is not before until {self.until:%F %T}")

    def __contains__(self, instant: datetime) -> bool:
        return self.since <= instant < self.until

    def __str__(self) -> str:
        return f"{self.since:%Y%m%dT%H%M%SZ}_{self.until:%Y%m%dT%H%M%SZ}"


def last_before(as_of: datetime) -> datetime:
    """The last instant that counts as of a date: what is recorded at the date itself belongs to the next window."""
    return as_of - timedelta(microseconds=1)


def instant(text: str | date | datetime) -> datetime:
    """An ISO 8601 date or date-time as an aware instant in UTC; without an offset it is read as UTC.

    Raises DataError for anything else.
    """
    try:
        found = datetime.fromisoformat(str(text))
    except ValueError as error:
        raise DataError(f"time {text!r}: not an ISO 8601 date or date-time, such as 2013-01-01") from error
    return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
