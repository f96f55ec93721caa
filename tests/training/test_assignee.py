"""Who takes a ticket: what counts as known, what precedents say of each candidate, and what a ranker learns of them."""

from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from polars.testing import assert_frame_equal

from feature_repo.errors import DataError
from training.learners.assignee import AssigneeRanker
from training.learners.lexicon import Lexicon
from training.learners.precedent import Question, candidates
from training.learners.tickets import Tickets

START = datetime(2020, 1, 1)
#   day  text                    components   kind    taken by
SEEN = [
    (0, "broken login page form", ["web"], "bug", "ann"),
    (10, "slow database query plan", ["core"], "bug", "bob"),
    (20, "broken login button form", ["web"], "task", "ann"),
    (50, "broken login form again", ["web"], "bug", "cat"),
    (55, "broken login form", ["web"], "bug", None),
]
RANKER = AssigneeRanker(delay_days=5, blocks=2, rounds=40)


def tickets(rows=SEEN) -> Tickets:
    day, text, components, kind, person = (list(column) for column in zip(*rows, strict=True))
    raised_at = [START + timedelta(days=float(n)) for n in day]
    columns = {"raised_at": raised_at, "text": text, "components": components, "kind": kind, "person_id": person}
    return Tickets.of(pl.DataFrame(columns, schema_overrides={"components": pl.List(pl.String)}))


def planted(seed: int, rows: int = 300) -> Tickets:
    """Each of six people has a word and takes the tickets that have it."""
    random = np.random.default_rng(seed)
    owner = random.integers(0, 6, rows)
    words = ["login", "database", "printer", "network", "payment", "calendar"]
    noise = random.integers(0, 40, (rows, 4))
    said = [f"{words[o]} {' '.join(f'filler{n}' for n in extra)}" for o, extra in zip(owner, noise, strict=True)]
    return tickets([(n, text, [], "bug", f"p{o}") for n, (o, text) in enumerate(zip(owner, said, strict=True))])


def asked(question: Question) -> pl.DataFrame:
    seen = tickets()
    found = candidates(seen, Lexicon.fit(seen, np.arange(4)), question)
    names = [seen.people[code] for code in found.person]
    return pl.DataFrame({"row": found.row, "person": names, **found.values})


@pytest.fixture(scope="module")
def model():
    return RANKER.fit({"one": planted(1), "two": planted(2)}, seed=1)


def test_only_people_whose_tickets_are_known_by_then_are_candidates():
    seen = tickets()
    for delay, row, known in [(30, 4, ["ann", "bob"]), (5, 4, ["ann", "bob", "cat"]), (30, 3, ["ann", "bob"])]:
        assert asked(Question.when_raised(seen, np.array([row]), delay))["person"].to_list() == known


def test_a_ticket_that_nobody_took_is_no_precedent():
    assert asked(Question(np.array([4]), np.array([1000.0 + 18262]), 0))["taken"].to_list() == [2, 1, 1]


def test_stale_columns_know_nothing_after_the_day_they_are_of():
    stale = asked(Question.all_at(tickets(), np.array([3, 4]), row=2))
    assert stale["person"].to_list() == ["ann", "bob"] * 2
    assert stale["idle_days"].to_list() == [0, 10] * 2


def test_shares_are_of_what_is_alike_and_fade():
    row = asked(Question.when_raised(tickets(), np.array([4]), 30)).filter(person="ann").row(0, named=True)
    # known: day 0 and day 20 by ann, day 10 by bob; 55, 35 and 45 days ago
    ages = {"ann": [55, 35], "bob": [45]}
    fading = {who: sum(0.5 ** (age / 90) for age in of) for who, of in ages.items()}
    share_90 = fading["ann"] / (sum(fading.values()) + 1)
    assert row["share_90d"] == pytest.approx(share_90)
    assert row["share_ever"] == pytest.approx(2 / 4)
    assert row["component_share_ever"] == pytest.approx((2 + share_90) / 3)
    assert (row["taken"], row["idle_days"], row["known_days"]) == pytest.approx((2, 35, 55))


def test_the_likest_ticket_is_found_by_its_words():
    likest = asked(Question.when_raised(tickets(), np.array([4]), 5))
    ann, bob, cat = likest["likest"].to_list()
    assert bob == 0 < ann < cat <= 1 + 1e-9  # cat's has the same three words and one stop word


def test_tickets_out_of_order_are_refused():
    with pytest.raises(DataError, match="raised_at is missing or descends"):
        tickets(SEEN[::-1])


def test_a_missing_column_is_named():
    with pytest.raises(DataError, match="no column kind, needed"):
        Tickets.of(pl.DataFrame({"raised_at": [START], "text": [""], "components": [[""]], "person_id": ["ann"]}))


def test_a_lexicon_of_one_person_is_refused():
    with pytest.raises(DataError, match="1 people took 1 tickets, allowed: two or more"):
        Lexicon.fit(tickets(), np.array([0]))


def test_log_shares_are_probabilities_of_those_learned_of():
    seen = tickets()
    lexicon, rows = Lexicon.fit(seen, np.arange(3)), np.array([3, 4])
    shares = lexicon.log_shares(seen, rows, lexicon.vectors(seen, rows))
    assert np.allclose(np.exp(shares[:, :2]).sum(axis=1), 1)
    assert np.isnan(shares[:, 2]).all()  # cat
    assert (shares[:, 0] > shares[:, 1]).all()


def test_a_planted_signal_is_found(model):
    later = planted(1, rows=400)
    rows = np.arange(300, 400)
    best = (
        model.predict("one", later, Question.when_raised(later, rows, 5)).group_by("row", maintain_order=True).first()
    )
    took = [later.people[code] for code in later.person[rows]]
    assert (best["person_id"] == pl.Series(took)).mean() > 0.9


def test_what_happens_later_changes_no_earlier_answer(model):
    team = planted(1)
    swapped = np.concatenate([team.person[:295], (team.person[295:] + 1) % 6])  # 5 days before the last one asked
    question = Question.when_raised(team, np.arange(290, 300), 5)
    assert_frame_equal(
        model.predict("one", replace(team, person=swapped), question), model.predict("one", team, question), abs_tol=0
    )


def test_a_team_of_one_person_is_left_out_and_not_served():
    alone = tickets([(n, "broken login", [], "bug", "ann") for n in range(40)])
    model = RANKER.fit({"alone": alone, "one": planted(1)}, seed=1)
    with pytest.raises(DataError, match="team alone, allowed: one"):
        model.predict("alone", alone, Question.when_raised(alone, np.array([39]), 5))


def test_a_team_that_was_not_learned_of_is_refused(model):
    with pytest.raises(DataError, match="team three, allowed: one, two"):
        model.predict("three", planted(1), Question.when_raised(planted(1), np.array([9]), 5))


def test_no_tickets_to_learn_from_are_refused():
    with pytest.raises(DataError, match="0 teams without a ticket to learn from"):
        RANKER.fit({}, seed=1)


def test_it_repeats_by_seed_and_survives_save_and_load(model, tmp_path: Path):
    again, team = RANKER.fit({"two": planted(2), "one": planted(1)}, seed=1), planted(1)
    question = Question.when_raised(team, np.arange(290, 300), 5)
    model.save(tmp_path)
    for other in (again, type(model).load(tmp_path)):
        assert_frame_equal(other.predict("one", team, question), model.predict("one", team, question))


def test_a_batch_equals_single_tickets(model):
    team, rows = planted(1), np.arange(290, 300)
    single = [model.predict("one", team, Question.when_raised(team, rows[n : n + 1], 5)) for n in range(10)]
    assert_frame_equal(model.predict("one", team, Question.when_raised(team, rows, 5)), pl.concat(single))


def test_contributions_add_up_to_the_score(model):
    team = planted(1)
    frame = model.columns("one", team, Question.when_raised(team, np.arange(290, 300), 5))
    assert np.allclose(model.contributions(frame).total, model.boosted.raw(frame))
