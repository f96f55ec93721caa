"""Pair columns are computed together where that gives the same, bit for bit."""

import numpy as np
import polars as pl
import pytest

from feature_repo import pairs
from feature_repo.calls import TOGETHER, Together
from feature_repo.column import Column
from feature_repo.errors import DataError
from feature_repo.once import once, shared
from feature_repo.plan import AT, Hop, Pair
from feature_repo.table import Table


def column(name: str, function, inputs: tuple[str, ...], dtype: type = float) -> Column:
    return Column(name=name, dtype=dtype, view="pair", function=function, inputs=inputs)


def hop(*columns: Column) -> Hop:
    return Hop({}, {}, tuple(Pair(each, each.reads) for each in columns))


def compute(hop_: Hop, values: dict[str, pl.Series], at: np.ndarray) -> None:
    """Add the hop's columns to values."""
    given = [
        Column(name=n.split("__")[1], dtype=float, view=n.split("__")[0], function=len)
        for n, v in values.items()
        if _is_number(v)
    ]
    columns = {each.qualified: each for each in (*given, *(pair.column for pair in hop_.pairs))}
    table = Table.of(columns, {name: each for name, each in values.items() if not _is_number(each)}, at)
    for each in given:
        table.put(each, values[each.qualified])
    pairs.compute(pairs.wired(hop_, table), table)
    values |= {pair.column.qualified: table[pair.column.qualified] for pair in hop_.pairs}


def _is_number(values: pl.Series) -> bool:
    return values.dtype.is_numeric()


def shares(calls: list[int], *inputs: str) -> list[Column]:
    def share(amount: np.ndarray, at: np.ndarray) -> np.ndarray:
        calls.append(len(amount))
        return amount * np.exp(-at / 7)

    return [column(f"share_of_{name}", share, (f"task__{name}", AT)) for name in inputs]


AMOUNTS = {"task__red": [1.0, 2.0, None], "task__blue": [3.0, None, 5.0]}


def known() -> dict[str, pl.Series]:
    return {name: pl.Series(name, amounts) for name, amounts in AMOUNTS.items()}


def test_columns_of_one_function_are_computed_by_one_call():
    calls: list[int] = []
    values = known()
    compute(hop(*shares(calls, "red", "blue")), values, np.array([7.0, 7.0, 7.0]))
    assert calls == [6]
    assert values["pair__share_of_red"].to_list() == pytest.approx([1 / np.e, 2 / np.e, None])
    assert values["pair__share_of_blue"].to_list() == pytest.approx([3 / np.e, None, 5 / np.e])


def test_together_they_are_what_they_are_alone_bit_for_bit():
    random, count = np.random.default_rng(1), 1_001
    names = [f"n{place}" for place in range(20)]
    given = {f"task__{name}": pl.Series(random.random(count)) for name in names}
    at = random.random(count)
    together, alone = dict(given), dict(given)
    columns = shares([], *names)
    compute(hop(*columns), together, at)
    for each in columns:
        compute(hop(each), alone, at)
    assert all(together[name].equals(alone[name]) for name in alone)


def test_a_call_works_on_no_more_numbers_than_stay_in_the_cache():
    calls: list[int] = []
    names = [f"n{place}" for place in range(20)]
    values = {f"task__{name}": pl.Series(np.ones(1_000)) for name in names}
    compute(hop(*shares(calls, *names)), values, np.ones(1_000))
    assert sum(calls) == 20_000
    assert max(calls) <= TOGETHER


def test_what_a_call_reads_and_fills_is_put_side_by_side_as_far_as_it_can_be():
    """AT is read by both columns: it stands once."""
    names = ["task__blue", "pair__share_of_red", "task__other", "task__red", AT, "pair__share_of_blue"]
    found = pairs.side_by_side([hop(*shares([], "red", "blue"))], names)
    assert found == ["task__red", "task__blue", AT, "pair__share_of_red", "pair__share_of_blue", "task__other"]
    slots = {name: slot for slot, name in enumerate(found)}
    (call,) = pairs.wired(hop(*shares([], "red", "blue")), Table({}, [], slots, np.empty((len(slots), 0)), {}))
    assert isinstance(call, Together)
    assert (call.inputs[0], call.outputs) == (range(0, 2), range(3, 5))
    assert list(call.inputs[1]) == [2, 2]


def test_a_function_with_another_number_enclosed_is_another_function():
    def lasting(days: float):
        def last(amount: np.ndarray) -> np.ndarray:
            return amount + days

        return last

    columns = [column(f"last_{days}", lasting(days), ("task__red",)) for days in (1, 30)]
    values = known()
    compute(hop(*columns), values, np.zeros(3))
    assert [values[f"pair__last_{days}"][0] for days in (1, 30)] == [2.0, 31.0]


def test_a_column_that_needs_another_of_its_function_comes_after_it():
    def more(amount: np.ndarray) -> np.ndarray:
        return amount + 1

    once_more = column("once_more", more, ("task__red",))
    twice = column("twice", more, ("pair__once_more",))
    values = known()
    compute(hop(once_more, twice), values, np.zeros(3))
    assert values["pair__twice"].to_list() == [3.0, 4.0, None]
    assert list(values)[-2:] == ["pair__once_more", "pair__twice"]


@pytest.mark.parametrize(
    ("titles", "lengths"),
    [
        (["fix it"] * 3, [1]),
        ([None] * 3, [1]),
        (["fix it", "fix it", None], [3]),
        ([None, "fix it", None], [3]),
        (["a", "b", "a"], [3]),
        (["a"], [1]),
    ],
)
def test_a_text_that_all_rows_share_is_read_once(titles, lengths):
    calls: list[int] = []

    def upper(title: pl.Series) -> pl.Series:
        calls.append(len(title))
        return title.str.to_uppercase()

    values = {"task__title": pl.Series("task__title", titles, dtype=pl.String)}
    compute(hop(column("upper", upper, ("task__title",), str)), values, np.zeros(len(titles)))
    assert values["pair__upper"].to_list() == [title and title.upper() for title in titles]
    assert calls == lengths


def test_a_function_that_gives_another_number_of_rows_is_refused():
    columns = [column(name, lambda amount: amount[:-1], (f"task__{name}",)) for name in ("red", "blue")]
    with pytest.raises(DataError, match=r"pair__red: gave \d values for \d rows"):
        compute(hop(*columns), known(), np.zeros(3))


def test_no_rows_give_no_values():
    values = {name: pl.Series(name, [], dtype=pl.Float64) for name in AMOUNTS}
    compute(hop(*shares([], "red", "blue")), values, np.zeros(0))
    assert values["pair__share_of_red"].to_list() == []


def test_what_is_shared_is_computed_once_and_forgotten_after():
    calls: list[str] = []

    @once
    def doubled(amount: np.ndarray) -> np.ndarray:
        calls.append("called")
        return 2 * amount

    amount = np.ones(2)
    with shared():
        assert doubled(amount) is doubled(amount)
        doubled(np.ones(2))
    assert len(calls) == 2, "equal arrays are not the same array"
    with shared():
        doubled(amount)
    doubled(amount)
    assert len(calls) == 4
