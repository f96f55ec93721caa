"""A text is found among names by its bytes alone, or not at all."""

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from feature_repo.names import Names

NAN = float("nan")
KEYS = ["", "ann", "anna", "bob", "zoë", "李雷"]
"""In the order of their bytes; the last is the longest."""


@pytest.fixture(params=["made", "mapped"])
def names(request: pytest.FixtureRequest, tmp_path: Path) -> Names:
    made = Names.keys(pl.Series("person_id", KEYS))
    if request.param == "made":
        return made
    made.write(tmp_path / "person_id.arrow")
    return Names.mapped(tmp_path / "person_id.arrow")


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        (KEYS, [0, 1, 2, 3, 4, 5]),
        (KEYS[::-1], [5, 4, 3, 2, 1, 0]),
        (["bob"], [3]),
        (["bob"] * 3, [3, 3, 3]),
        (["an", "annab", "bob\0", "\0bob", "a\0b", "Bob"], [NAN] * 6),
        (["ann\ud800", "\udc00", "bob"], [NAN, NAN, 3]),
        (["ann", None, "bob"], [1, NAN, 3]),
        ([None, None], [NAN, NAN]),
        (["bob", "x" * 300, "ann"], [3, NAN, 1]),
        (["", "ann", ""], [0, 1, 0]),
        ([""], [0]),
        ([], []),
    ],
)
def test_a_text_has_its_place_and_what_is_none_of_them_has_none(names, wanted, expected):
    np.testing.assert_array_equal(names.find(wanted), expected)


def test_of_many_each_is_found_and_no_other():
    keys = [f"p{n:05}" for n in range(0, 20_000, 2)]
    found = Names.keys(pl.Series("person_id", keys)).find([f"p{n:05}" for n in range(20_000)])
    assert found[::2].tolist() == list(range(10_000))
    assert np.isnan(found[1::2]).all()


def test_among_no_names_nothing_is_found():
    none = Names.keys(pl.Series("person_id", [], dtype=pl.String))
    assert np.isnan(none.find(["ann", "bob"])).all()


def test_some_of_the_names_are_found_by_their_place_among_these():
    names = Names.keys(pl.Series("person_id", KEYS))
    assert Names(names.batch.slice(2, 3)).find(["anna", "zoë", "ann"])[:2].tolist() == [0, 2]
