"""Lists by their places in a stored column are what the same lists cut out are."""

import numpy as np
import polars as pl
import pyarrow as pa
import pytest

from feature_repo.column import Column
from feature_repo.features.ragged import (
    cosine,
    is_held,
    lengths,
    listed,
    lookup,
    mean_by_row,
    mean_ratio,
    means,
    ratios,
    share_held,
)
from feature_repo.lists import Opened, OpenLists, matching
from feature_repo.names import Coded, Names, are_equal
from feature_repo.pairs import compute, wired
from feature_repo.plan import Hop, Pair
from feature_repo.table import Stored, Table

NAN = float("nan")
TEXTS, NUMBERS = pa.large_list(pa.large_string()), pa.large_list(pa.float64())

# a name of more than seven bytes that another ends with, names that differ in their length only, and one missing
HELD = pa.array([["go", "sql"], None, [], ["presentation", "representation"], ["a", None]], TEXTS)
LEVELS = pa.array([[1.0, 4.0], None, [], [2.0, 3.0], [5.0, 0.5]], NUMBERS)
WANTED = pa.array([["sql", "representation", "a", None], ["station"]], TEXTS)
ASKED = pa.array([[2.0, 6.0, 1.0, 1.0], [1.0]], NUMBERS)


def lists(column: pa.Array, *places: int) -> OpenLists:
    return OpenLists(Opened(column), np.array(places, np.int64))


PEOPLE = (0, 1, 2, 3, 4)
HELD_BY, LEVELS_OF = lists(HELD, *PEOPLE), lists(LEVELS, *PEOPLE)


def test_every_row_looks_its_names_up_in_its_own_list():
    found = lookup(lists(WANTED, 0, 0, 0, 0, 0), HELD_BY, LEVELS_OF, missing=0.0)
    assert found.reshape(5, 4).tolist() == [[4, 0, 0, 0], [0] * 4, [0] * 4, [0, 3, 0, 0], [0, 0, 5, 0]]


def test_a_name_is_not_another_that_ends_like_it():
    assert is_held(lists(WANTED, 1, 1), lists(HELD, 3, 3)).tolist() == [0, 0]
    one, other = ([["a" * count for count in (1, 2, 8, 300, 301)]] for _ in range(2))
    assert is_held(pl.Series(one), pl.Series(other)).tolist() == [1] * 5


def test_names_that_end_alike_and_are_as_long_are_told_apart():
    held = pl.Series([["esco-a-0000001", "a" * 300]])  # of a length only its last byte is compared at first: 44
    asked = pl.Series([["esco-b-0000001", "a" * 44, "esco-a-0000001", "a" * 300]])
    assert is_held(asked, held).tolist() == [0, 0, 1, 1]


def test_held_over_asked_is_at_most_one():
    found = ratios(lists(WANTED, 0, 0), lists(ASKED, 0, 0), lists(HELD, 3, 4), lists(LEVELS, 3, 4))
    assert found.tolist() == [0, 3 / 6, 0, 0, 0, 0, 1, 0]


def test_of_a_rows_names_the_mean_ratio_and_the_share_that_is_held_are_told():
    wanted = pa.array([["go"], ["go", "sql", "x"], ["sql", "go"], [], None], TEXTS)
    asked = pa.array([[2.0], [4.0, 2.0, 1.0], [8.0, None], [], None], NUMBERS)
    held, levels = lists(HELD, 0, 0, 0, 0, 0), lists(LEVELS, 0, 0, 0, 0, 0)
    shares = share_held(wanted, held, levels)
    np.testing.assert_array_equal(shares, [1, 2 / 3, 1, NAN, NAN])
    found = mean_ratio(wanted, asked, held, levels)
    np.testing.assert_array_equal(found, [1 / 2, (1 / 4 + 1 + 0) / 3, NAN, NAN, NAN])


def test_a_mean_ratio_of_many_is_that_of_the_ratios():
    random = np.random.default_rng(1)
    names = pa.array([[f"s{n}" for n in range(size)] for size in range(1, 30)], TEXTS)
    asked, held = (pa.array([random.uniform(1, 5, size) for size in range(1, 30)], NUMBERS) for _ in range(2))
    expected = mean_by_row(names, ratios(names, asked, names, held))
    found = mean_ratio(names, asked, names, held)
    assert found[:8].tolist() == expected[:8].tolist()
    np.testing.assert_allclose(found, expected, rtol=1e-15)


@pytest.mark.parametrize("places", [(0, 4, 3), (0, 0, 0), (3, 1, 2, 0), (1, 2), ()])
def test_lists_in_their_places_are_what_they_are_cut_out(places):
    there, cut = lists(LEVELS, *places), LEVELS.take(pa.array(places, pa.int64()))
    for function in (lengths, listed, means):
        assert np.array_equal(function(there), function(cut), equal_nan=True)
    assert np.array_equal(mean_by_row(there, listed(there)), mean_by_row(cut, listed(cut)), equal_nan=True)
    assert there.array == cut
    assert pl.Series(values=there).equals(pl.Series(values=cut))
    half = lists(LEVELS.slice(1), *(place - 1 for place in places if place))
    assert listed(half).tolist() == listed(lists(LEVELS, *(place for place in places if place))).tolist()


@pytest.mark.parametrize("places", [(0, 1, 2), (2, 2, 2), (2, 0, 3), (3, 3, 3), (0, 2, 3)])
def test_vectors_in_their_places_are_what_they_are_cut_out(places):
    random = np.random.default_rng(1)
    column = pa.array([*random.normal(size=(3, 384)), None], NUMBERS)
    other = lists(column, 0, 1, 2)
    expected = cosine(column.take(pa.array(places)), column.slice(0, 3))
    assert np.array_equal(cosine(lists(column, *places), other), expected, equal_nan=True)
    assert expected == pytest.approx(
        [NAN if place == 3 else column[place].values.to_numpy() @ column[row].values.to_numpy()
         for row, place in enumerate(places)],
        nan_ok=True,
    )  # fmt: skip


def test_kernels_are_compiled_for_one_kind_of_arrays():
    lookup(pl.Series([["a"]]), pl.Series([[None]], dtype=pl.List(pl.String)), pl.Series([[1.0]]), 0.0)
    lookup(lists(WANTED, 0), lists(HELD, 1), lists(pa.array([[1, None]], pa.large_list(pa.int64())), 0), 0.0)
    assert [len(matching().__dict__[name].signatures) for name in ("mark", "lay", "match", "pick")] == [1] * 4


def named(texts: list[str | None], among: list[str]) -> Coded:
    names = Names.of(pl.Series(among))
    return Coded(names.codes(pl.Series(texts, dtype=pl.String)), names)


def test_texts_that_are_coded_differently_are_compared_as_texts():
    raisers, people = ["ann", "bob", "ann", None, "zoe"], ["ann", "ann", None, "bob", "bob"]
    left, right = named(raisers, ["ann", "bob", "zoe"]), named(people, ["ada", "ann", "bob"])
    expected = [1, 0, NAN, NAN, 0]
    assert are_equal(left, right) == pytest.approx(expected, nan_ok=True)
    assert are_equal(left, pl.Series(people)) == pytest.approx(expected, nan_ok=True)
    assert are_equal(left, left) == pytest.approx([1, 1, 1, NAN, 1], nan_ok=True)


def stored_table() -> Table:
    declared = [
        Column(name=name, dtype=dtype, view="person", function=len)
        for name, dtype in {"skills": list[str], "levels": list[float]}.items()
    ]
    others = {"skills": (HELD, (0, 3, 4)), "levels": (LEVELS, (4, 4, 4))}
    return Table(
        declared={column.qualified: column for column in declared},
        columns=["person__skills", "person__levels"],
        slots={},
        numbers=np.empty((0, 3)),
        others={f"person__{n}": Stored("person", n, Opened(held), np.array(at)) for n, (held, at) in others.items()},
    )


def test_a_table_cuts_out_what_somebody_asks_for():
    table = stored_table()
    assert table["person__skills"].to_list() == [["go", "sql"], ["presentation", "representation"], ["a", None]]
    assert table.rows([2, 0]).frame.to_dict(as_series=False) == {
        "person__skills": [["a", None], ["go", "sql"]],
        "person__levels": [[5.0, 0.5]] * 2,
    }


def test_a_column_of_lists_that_all_rows_share_is_computed_for_one_row():
    asked: list[int] = []

    def highest(person__levels: OpenLists) -> np.ndarray:
        asked.append(len(person__levels))
        return np.full(len(person__levels), listed(person__levels).max())

    table = stored_table()
    column = Column(name="highest", dtype=float, view="pair", function=highest)
    compute(wired(Hop({}, {}, (Pair(column, column.reads),)), table), table)
    assert table["pair__highest"].to_list() == [5.0] * 3
    assert asked == [1]
