from datetime import UTC, datetime, timedelta, timezone

import pytest

from feature_repo.errors import DataError
from feature_repo.window import Window, instant

MONDAY = datetime(2013, 1, 7, tzinfo=UTC)
WEEK = timedelta(days=7)


def test_an_event_on_the_boundary_of_two_windows_is_in_the_later_one_only():
    first, second = Window(MONDAY - WEEK, MONDAY), Window(MONDAY, MONDAY + WEEK)
    assert MONDAY not in first
    assert MONDAY in second


@pytest.mark.parametrize("hours", [0, 1, 24 * 7])
def test_a_window_that_does_not_end_after_its_beginning_is_refused(hours: int):
    with pytest.raises(DataError, match="is not before until"):
        Window(MONDAY, MONDAY - timedelta(hours=hours))


def test_a_window_without_a_time_zone_is_refused():
    with pytest.raises(DataError, match=r"since: .* no time zone"):
        Window(datetime(2013, 1, 7), MONDAY + WEEK)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2013-01-07", MONDAY),
        ("2013-01-07T00:00:00Z", MONDAY),
        ("2013-01-07T02:00:00+02:00", MONDAY),
        (MONDAY.astimezone(timezone(timedelta(hours=-8))), MONDAY),
    ],
)
def test_times_are_read_as_utc_unless_they_say_otherwise(text: str, expected: datetime):
    assert instant(text) == expected


def test_what_is_no_time_is_refused_by_name():
    with pytest.raises(DataError, match="'next week'"):
        instant("next week")
