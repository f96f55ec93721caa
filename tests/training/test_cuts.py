"""Parts of the unseen rows: lists of a ranking stay whole, and no part is chosen by how a list ended."""

import polars as pl

from training.report import cuts


def ranking(relevance: list[float]) -> pl.DataFrame:
    """Two lists, of two people each."""
    return pl.DataFrame({"group": ["A", "A", "B", "B"], "relevance": relevance})


def test_a_list_belongs_where_its_right_answer_does():
    """In A the newcomer was right, in B the veteran."""
    known = pl.Series(["none", "20 to 99", "none", "20 to 99"])
    found = cuts.of_group(ranking([1.0, 0.0, 0.0, 1.0]), known)
    assert found.to_list() == ["none", "none", "20 to 99", "20 to 99"]


def test_lists_without_a_right_answer_are_parted_by_nothing_that_needs_one():
    known = pl.Series(["none", "20 to 99", "none", "20 to 99"])
    found = cuts.of_group(ranking([1.0, 0.0, 0.0, 0.0]), known)
    assert found.null_count() == 4


def test_what_is_the_same_for_a_whole_list_parts_it_however_it_ended():
    rank = pl.Series(["JUNIOR", "JUNIOR", "LEAD", "LEAD"])
    found = cuts.of_group(ranking([0.0, 0.0, 0.0, 1.0]), rank)
    assert found.to_list() == ["JUNIOR", "JUNIOR", "LEAD", "LEAD"]


def test_estimates_are_parted_row_by_row():
    rank = pl.Series(["JUNIOR", "LEAD"])
    assert cuts.of_group(pl.DataFrame({"group": ["A", "A"]}), rank).to_list() == ["JUNIOR", "LEAD"]


def test_the_names_of_the_parts_cover_every_number_of_known_outcomes():
    assert cuts.KNOWN == ("none", "1 to 4", "5 to 19", "20 to 99", "100 up")


def testunits_are_lists_of_a_ranking_and_rows_of_estimates():
    assert cuts.units(ranking([1.0, 0.0, 0.0, 1.0])) == 2
    assert cuts.units(pl.DataFrame({"group": ["A", "A"]})) == 2
