"""Series of demand, against tables: what was known at the end of each period."""

import polars as pl
import pytest

from feature_repo.features.demand import LONGEST, series
from feature_repo.window import instant


def rows(*told: tuple[str, str, float, str], months: int = 1) -> pl.DataFrame:
    """skill, first day of the period, value, recorded_at."""
    names = ("skill_id", "period_at", "value", "recorded_at")
    columns = dict(zip(names, zip(*told, strict=True), strict=True))
    times = {name: [instant(text) for text in columns[name]] for name in ("period_at", "recorded_at")}
    frame = pl.DataFrame({**columns, **times}).with_columns(months=pl.lit(months, pl.Int64))
    return frame.with_columns(pl.col("period_at", "recorded_at").cast(pl.Datetime("us", "UTC")))


JANUARY = ("sql", "2020-01-01", 1.0, "2020-02-01")
FEBRUARY = ("sql", "2020-02-01", 2.0, "2020-03-01")
APRIL = ("sql", "2020-04-01", 4.0, "2020-05-01")


def lists(*told, **facts):
    found = series(rows(*told, **facts))
    return [(f"{at:%m-%d}", values) for at, values in found.select("recorded_at", "values").iter_rows()]


def test_each_period_has_the_values_up_to_it_oldest_first():
    assert lists(JANUARY, FEBRUARY) == [("02-01", [1.0]), ("03-01", [1.0, 2.0])]


def test_a_period_that_was_not_counted_is_missing():
    assert lists(JANUARY, FEBRUARY, APRIL)[-1] == ("05-01", [1.0, 2.0, None, 4.0])


def test_of_a_corrected_period_the_first_version_counts():
    corrected = ("sql", "2020-01-01", 9.0, "2020-02-15")
    assert lists(JANUARY, corrected, FEBRUARY) == lists(JANUARY, FEBRUARY)


def test_what_was_recorded_later_is_not_seen():
    late = ("sql", "2020-03-01", 3.0, "2020-05-20")
    assert lists(JANUARY, FEBRUARY, late, APRIL) == lists(JANUARY, FEBRUARY, APRIL)


def test_once_recorded_a_late_period_is_seen_by_those_that_follow():
    late, may = ("sql", "2020-03-01", 3.0, "2020-05-20"), ("sql", "2020-05-01", 5.0, "2020-06-01")
    assert lists(JANUARY, FEBRUARY, late, APRIL, may)[-1] == ("06-01", [1.0, 2.0, 3.0, 4.0, 5.0])


def test_of_periods_that_were_recorded_at_once_the_last_has_the_row():
    at_once = [(*told[:3], "2020-06-01") for told in (APRIL, JANUARY, FEBRUARY)]
    assert lists(*at_once) == [("06-01", [1.0, 2.0, None, 4.0])]


def test_quarters_follow_each_other():
    first, second = ("sql", "2020-01-01", 1.0, "2020-04-01"), ("sql", "2020-04-01", 2.0, "2020-07-01")
    assert lists(first, second, months=3)[-1] == ("07-01", [1.0, 2.0])


def test_skills_are_kept_apart():
    other = ("go", "2020-02-01", 7.0, "2020-03-01")
    assert sorted(lists(JANUARY, FEBRUARY, other)) == [("02-01", [1.0]), ("03-01", [1.0, 2.0]), ("03-01", [7.0])]


@pytest.mark.parametrize("years", [4, 7])
def test_a_list_has_the_last_five_years_at_most(years):
    told = [("sql", f"{2000 + n // 12}-{n % 12 + 1:02}-01", float(n), f"{2000 + n // 12}-{n % 12 + 1:02}-28") for n in range(12 * years)]  # fmt: skip # noqa: E501
    _, last = lists(*told)[-1]
    assert last == [float(n) for n in range(12 * years)][-LONGEST:]


def test_later_rows_leave_earlier_ones_alone():
    told = (JANUARY, FEBRUARY, APRIL)
    assert lists(*told)[:2] == lists(*told[:2])
