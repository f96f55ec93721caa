"""What a person looks at next: the parts by hand, and a planted signal for the whole."""

import numpy as np
import polars as pl
import pytest

from feature_repo.errors import DataError
from training.learners.fields import UNKNOWN, WEIGHTS, Items, key_codes, text_parts
from training.learners.nearness import nearness
from training.learners.next_view import NextView
from training.learners.shortlist import shortlist
from training.learners.standing import Tally, standing
from training.learners.turns import Turns, Views

JOBS = pl.DataFrame(
    [
        ("clerk", "Acme", "Omaha", 10),
        ("clerk", "Acme", "Omaha", 20),
        ("welder", "Bolt", "Omaha", 30),
        ("welder", None, "Reno", 40),
    ],
    schema=["title", "company", "city", "number"],
    orient="row",
)
SEEN = pl.DataFrame(
    # person, item, second; ann returns to job 0, which is not new
    [(1, 0, 100), (1, 1, 200), (1, 0, 250), (1, 2, 300), (2, 0, 120), (2, 3, 180), (3, 3, 900)],
    schema=["person", "item", "at"],
    orient="row",
)


def items(jobs: pl.DataFrame = JOBS) -> Items:
    keys = {"company": jobs["company"], "city": jobs["city"], "state": jobs["city"]}
    codes = {name: key_codes(values) for name, values in keys.items()}
    return Items(text_parts(jobs["title"]), codes, jobs["number"].to_numpy())


def turns() -> Turns:
    return Turns.of(Views.of(SEEN))


def test_a_turn_is_a_new_item_of_somebody_with_a_history():
    found = turns()
    assert list(zip(found.person, found.past, found.last, found.item, strict=True)) == [
        (1, 1, 0, 1),
        (1, 2, 1, 2),
        (2, 1, 0, 3),
    ]


def test_a_history_is_told_oldest_first():
    assert [part.tolist() for part in turns().history()] == [[0, 1, 1, 2], [0, 0, 1, 0], [0, 1, 0, 0]]


def test_no_views_are_refused():
    with pytest.raises(DataError, match="views: none"):
        Views.of(SEEN.clear())


def test_a_key_in_other_letters_is_the_same_and_an_empty_one_is_unknown():
    assert key_codes(pl.Series(["Acme", "ACME ", "", None, "Bolt"])).tolist() == [0, 0, UNKNOWN, UNKNOWN, 1]


def test_the_shortlist_has_the_nearest_first_and_nothing_seen():
    found = shortlist(items().vectors(WEIGHTS), turns(), 2)
    # a clerk's job at the same employer and place, then the one at the same place; after both, the welder's
    assert found.items[0].tolist() == [1, 2]
    assert found.items[1].tolist() == [2, 3]


def test_nearness_is_to_all_the_nearest_and_the_last_of_a_history():
    columns = nearness(items(), turns(), np.array([[2], [3], [1]]))
    assert columns["city_mean"].tolist() == [1, 0, 1]
    assert columns["words_greatest"] == pytest.approx([0, 0, 1])
    assert columns["number_nearest"] == pytest.approx(np.log1p([20, 20, 10]))
    assert columns["number_after_last"] == pytest.approx(np.log1p([20, 20, 10]))


def test_a_tally_counts_only_what_came_before():
    tally = Tally.of(np.array([7, 7, 8]), np.array([100, 200, 150]))
    asked = np.array([7, 7, 7, 8, 9, UNKNOWN])
    assert tally.before(asked, np.array([100, 101, 999, 999, 999, 999])).tolist() == [0, 1, 2, 1, 0, 0]


def test_standing_knows_nothing_of_the_present_or_the_future():
    columns = standing(items(), turns(), np.array([[3], [3], [1]]))
    # at 200 and 300 person 2 had seen jobs 0 and 3; at 180, when they saw 3, nobody else had
    assert columns["together"] == pytest.approx([1, 0.8, 0])
    assert columns["number_ahead"].tolist() == [0, 0, 10]
    later = pl.concat([SEEN, pl.DataFrame([(9, 0, 301), (9, 3, 302)], schema=SEEN.schema, orient="row")])
    again = standing(
        items(), Turns.of(Views.of(later)).taken(np.array([True, True, True, False])), np.array([[3], [3], [1]])
    )
    assert {name: values.tolist() for name, values in again.items()} == {
        name: values.tolist() for name, values in columns.items()
    }


def planted(people: int = 400) -> tuple[Items, Turns]:
    """Jobs of 10 cities, published one by one; a person sees four of the newest five of a city."""
    random = np.random.default_rng(3)
    city = random.integers(0, 10, 800)
    names = {"title": ["clerk"] * 800, "company": ["Acme"] * 800, "city": city.astype(str), "number": np.arange(800)}
    rows = []
    for person in range(people):
        newest = 100 + person * 700 // people
        there = np.flatnonzero(city[:newest] == random.integers(10))[-5:]
        rows += [(person, item, newest * 1000 + turn) for turn, item in enumerate(random.permutation(there)[:4])]
    return items(pl.DataFrame(names)), Turns.of(Views.of(pl.DataFrame(rows, schema=SEEN.schema, orient="row")))


def hits(found: np.ndarray, scores: np.ndarray, wanted: np.ndarray, k: int = 3) -> float:
    best = np.take_along_axis(found, np.argsort(-scores, axis=1, kind="stable")[:, :k], axis=1)
    return float((best == wanted[:, None]).any(axis=1).mean())


def test_the_ranker_finds_a_planted_liking_for_the_newest_that_the_vectors_cannot_see():
    world, every = planted()
    last = every.past == 3
    asked = every.taken(last)
    learner = NextView(k=60, sampled=20, refits=3, rounds=40)
    listed, scores = learner.scores(world, every.taken(~last), asked)
    assert hits(listed.items, listed.scores, asked.item) < 0.2
    assert hits(listed.items, scores, asked.item) > 0.4
    again = learner.scores(world, every.taken(~last), asked)[1]
    assert (again == scores).all()


def test_what_comes_after_a_turn_does_not_change_its_scores():
    world, every = planted()
    last = every.past == 3
    half = np.quantile(every.at[last], 0.5)
    learner = NextView(k=60, sampled=20, refits=2, rounds=10)
    before = every.taken(last & (every.at < half))
    both = learner.scores(world, every.taken(~last), every.taken(last))[1]
    without = learner.scores(world, every.taken(~last & (every.at < half)), every.taken(last))[1]
    assert (both[: len(before)] == without[: len(before)]).all()
