"""Pair columns against values worked out by hand."""

import math

import numpy as np
import polars as pl
import pytest

from feature_repo.features import VIEWS, affinity, effort, history, match, pair, wording
from feature_repo.features.ragged import lookup, mean_by_row
from feature_repo.features.standing import one_more, rarity, standing
from feature_repo.features.standing import view as standing_view

NAN = float("nan")


def numbers(*values: float) -> np.ndarray:
    return np.array(values, dtype=np.float64)


@pytest.mark.parametrize(
    ("amount", "day", "at", "expected"),
    [
        (4.0, 100.0, 100.0, 4.0),
        (4.0, 100.0, 130.0, 4 * math.exp(-1)),
        (NAN, NAN, 130.0, 0.0),
    ],
)
def test_a_running_sum_fades_from_the_day_on_which_it_was_stored(amount, day, at, expected):
    assert pair.faded(numbers(amount), numbers(day), numbers(at), 30) == pytest.approx([expected])


@pytest.mark.parametrize(
    ("of", "amount", "days", "inputs", "expected"),
    [
        (history.people, "started_180d", 180, (4.0, 100.0, 280.0), 4 * math.exp(-1)),
        (history.people, "started", math.inf, (4.0, 100.0, 280.0), 4.0),
        (history.people, "started_180d", 180, (NAN, NAN, 280.0), 0.0),
    ],
)
def test_a_sum_stands_at_what_is_left_of_it_and_at_0_where_nothing_is_known(of, amount, days, inputs, expected):
    assert standing(of, amount, days)(*map(numbers, inputs)) == pytest.approx([expected])


def test_where_a_kind_of_task_is_new_the_share_of_all_tasks_stands_in():
    share = affinity.shares["project_started_share"]
    mine, projects, prior = numbers(3, 0, 0), numbers(5, 5, 0), numbers(0.2, 0.2, 0.2)
    assert share.reads == (
        "standing__person_project_started", "standing__project_started", "pair__everybody_started_share",
    )  # fmt: skip
    assert share(mine, projects, prior) == pytest.approx([3.2 / 6, 0.2 / 6, 0.2])


def test_a_mean_is_drawn_to_nothing_by_two_tasks():
    ratio = effort.log_ratios["person_log_ratio_365d"]
    assert ratio(numbers(1.0, NAN), numbers(2.0, NAN), numbers(9, NAN), numbers(9, 9)) == pytest.approx([1 / 4, 0])


def test_a_title_speaks_for_those_who_had_its_rare_words():
    """The person did 1 of the 7 tasks with the first word and all 3 with the second; there are no further words."""
    mine, and_one = (
        (numbers(1), numbers(3), numbers(0), numbers(0)),
        (numbers(8), numbers(4), numbers(NAN), numbers(NAN)),
    )
    rarity = numbers(0.5), numbers(1.5), numbers(NAN), numbers(NAN)
    assert affinity.title_share(*mine, *and_one, *rarity) == pytest.approx([(0.5 * 1 / 8 + 1.5 * 3 / 4) / 2])
    assert affinity.best_word_share(*mine, *and_one, *rarity) == pytest.approx([3 / 4])


def test_a_word_is_as_rare_as_all_tasks_are_many_beside_those_with_it():
    """The word is that of 8 tasks, counted with one more, of 100; the other of none that is known."""
    word = rarity(history.titles[0], history.kinds[0], "started_365d", 365)
    assert word.reads == ("standing__everybody_started_365d", "standing__word_1_started_365d_and_one")
    assert word(numbers(100, 100), numbers(8, NAN)) == pytest.approx([math.log1p(100 / 8), NAN], nan_ok=True)


def test_a_word_that_nobody_had_is_missing_and_one_that_faded_away_is_not():
    everybodys = one_more(history.titles[0], "started_365d", 365)
    total, day, at = numbers(7, 0, NAN), numbers(9, 9, NAN), numbers(9, 9, 9)
    assert everybodys(total, day, at) == pytest.approx([8, 1, NAN], nan_ok=True)


@pytest.mark.parametrize(
    ("column", "amount", "usual", "expected"),
    [
        (match.size_for_person, 2.0, 1.5, 0.5),
        (match.priority_for_person, 3.0, NAN, NAN),
        (effort.size_gaps["person_subcategory_size_gap"], 2.0, 2.5, -0.5),
    ],
    ids=lambda each: getattr(each, "name", ""),
)
def test_a_gap_is_an_amount_less_what_is_usual(column, amount, usual, expected):
    assert column(numbers(amount), numbers(usual)) == pytest.approx([expected], nan_ok=True)


@pytest.mark.parametrize(
    ("name", "sums", "expected"),
    [
        ("person_usual_size", (6.0, 4.0), 1.5),
        ("person_usual_priority", (NAN, NAN), NAN),
        ("person_subcategory_usual_size", (5.0, 2.0), 2.5),
        ("person_subcategory_usual_size", (5.0, 0.0005), NAN),
    ],
)
def test_what_is_usual_is_a_mean_over_what_is_known(name, sums, expected):
    usual = next(column for column in standing_view.columns if column.name == name)
    assert usual(*map(numbers, sums)) == pytest.approx([expected], nan_ok=True)


TITLES = pl.Series(["Fix login: the login page 2", "QA", None, "修复 登录 ошибка", "123"])


@pytest.mark.parametrize(
    ("column", "expected"),
    [
        (wording.title_key, ["fix login the login page", "qa", None, "修复 登录 ошибка", None]),
        (wording.head_key, ["fix login", "qa", None, "修复 登录", None]),
        (wording.words[0], ["fix", None, None, "ошибка", None]),
        (wording.words[2], ["the", None, None, None, None]),
        (wording.words[3], ["page", None, None, None, None]),
    ],
    ids=lambda each: getattr(each, "name", ""),
)
def test_keys_are_read_off_a_title(column, expected):
    assert column(TITLES).to_list() == expected


ALONE = [
    "",
    " ",
    "\x00\t\n",
    "don't",
    "A_b-C",
    "x1y2zz33zzz",
    "AAA aaa Aaa bb",
    "one two three four five",
    "K\u212a",
    "\u0130",
    None,
]


@pytest.mark.parametrize("column", [wording.title_key, wording.head_key, *wording.words], ids=lambda each: each.name)
def test_a_title_alone_has_the_keys_that_it_has_among_others(column):
    titles = pl.Series([*ALONE, *TITLES, *map(chr, range(128)), *(f"a{chr(code)}bcd EFG" for code in range(128))])
    alone = [column(titles[place : place + 1]) for place in range(len(titles))]
    assert pl.concat(alone).equals(column(titles), check_dtypes=True, null_equal=True)


def test_an_estimate_is_a_key_to_a_hundredth_of_an_hour():
    assert wording.estimate_key(numbers(7.0, 0.254, NAN)).to_list() == ["700", "25", None]


@pytest.mark.parametrize(("days", "expected"), [(0, 3), (4, 0), (5.5, 1)])
def test_the_first_of_january_1970_was_a_thursday(days, expected):
    assert match.day_of_week(numbers(days)).tolist() == [expected]


SKILLS = pl.Series([["python", "sql"], ["sql"], None, [], ["go"]], dtype=pl.List(pl.String))
ASKED = pl.Series([[2.0, 4.0], [1.0], None, [], [5.0]], dtype=pl.List(pl.Float64))
HELD = pl.Series([["sql"], ["go", "sql"], ["sql"], None, None], dtype=pl.List(pl.String))
LEVELS = pl.Series([[3.0], [1.0, 5.0], [2.0], None, None], dtype=pl.List(pl.Float64))


def test_skill_match_is_the_mean_of_held_over_asked_at_most_one():
    expected = [(0 + 3 / 4) / 2, 1.0, NAN, NAN, 0.0]
    assert match.skill_match(SKILLS, ASKED, HELD, LEVELS) == pytest.approx(expected, nan_ok=True)


def test_skill_coverage_ignores_levels():
    expected = [0.5, 1.0, NAN, NAN, 0.0]
    assert match.skill_coverage(SKILLS, HELD, LEVELS) == pytest.approx(expected, nan_ok=True)


def test_lists_of_nothing_match_nothing():
    none = pl.Series([None, None], dtype=pl.List(pl.String))
    found = lookup(none, none, none.cast(pl.List(pl.Float64)), missing=0.0)
    assert np.isnan(mean_by_row(none, found)).all()


@pytest.mark.parametrize(
    ("wanted", "held", "expected"),
    [
        ([["sql", "go"]] * 2, [["go"], ["sql", "go"]], [0, 1, 2, 3]),
        ([["sql"], ["go", "sql"]], [["go", "sql"]] * 2, [2, 3, 4]),
        ([["sql", "go"]] * 2, [["go", "sql"]] * 2, [2, 1, 4, 3]),
        ([["sql", None]] * 2, [[None, "sql"]] * 2, [2, 0, 4, 0]),
        ([["sql"], ["go"]], [["go"], ["go"]], [0, 2]),
    ],
    ids=["one task", "one person", "one of both", "a missing name is no name", "lists of one"],
)
def test_a_list_that_all_rows_share_is_matched_row_by_row_all_the_same(wanted, held, expected):
    sides = (pl.Series(side, dtype=pl.List(pl.String)) for side in (wanted, held))
    numbers = iter(range(1, 9))
    amounts = pl.Series([[float(next(numbers)) for _ in names] for names in held])
    assert lookup(*sides, amounts, missing=0.0).tolist() == expected


def test_a_person_whose_task_it_is_raised_it():
    raised = match.is_raiser(pl.Series(["ann", "ann", None]), pl.Series(["ann", "bob", "ann"]))
    assert raised == pytest.approx([1, 0, NAN], nan_ok=True)


def test_every_input_of_a_pair_column_is_a_declared_column():
    declared = {column.qualified for view in VIEWS for column in view.columns} | {"at"}
    assert {name for view in (pair.view, standing_view) for column in view.columns for name in column.reads} <= declared


def test_every_column_says_what_it_is_and_where_it_comes_from():
    silent = [
        column.qualified for view in VIEWS for column in view.columns if not (column.description and column.source)
    ]
    assert silent == []
