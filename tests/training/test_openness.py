"""Who is open to another job: what a profile becomes, and what is learned from it."""

from pathlib import Path

import numpy as np
import polars as pl
import pytest
from polars.testing import assert_frame_equal

from feature_repo.errors import DataError
from training.learners.openness import OpennessClassifier, Profile

PROFILE = Profile(numbers=("hours",), ladders={"size": ("<10", "10-49", "50+"), "city": ()}, crowds=("city",))
QUICK = OpennessClassifier(PROFILE, leaves=(4, 8), rounds=(80, 120))


def planted(seed: int, rows: int = 2000) -> tuple[pl.DataFrame, np.ndarray]:
    """People in small companies are open, nine times out of ten; people in large ones are not."""
    random = np.random.default_rng(seed)
    rung = random.integers(0, 3, rows)
    frame = pl.DataFrame(
        {
            "hours": random.integers(1, 100, rows),
            "size": np.array(["<10", "10-49", "50+"])[rung],
            "city": np.array(["a", "b"])[random.integers(0, 2, rows)],
        }
    )
    return frame, (rung == 0) ^ (random.random(rows) < 0.1)


@pytest.fixture(scope="module")
def model():
    return QUICK.fit(*planted(1), seed=1)


def test_rungs_crowds_and_gaps_are_read_as_numbers():
    learned = pl.DataFrame({"hours": [1, 2, 3], "size": ["<10", "50+", None], "city": ["b", "a", "b"]})
    reading = PROFILE.learned(learned)
    #                        hours  size    city   city_crowd  gaps
    assert reading.frame(learned).rows() == [
        (1.0, 0.0, 1.0, 2.0, 0.0),
        (2.0, 2.0, 0.0, 1.0, 0.0),
        (3.0, None, 1.0, 2.0, 1.0),
    ]


def test_an_unknown_city_has_no_rung_and_no_crowd():
    reading = PROFILE.learned(pl.DataFrame({"hours": [1], "size": ["<10"], "city": ["a"]}))
    asked = pl.DataFrame({"hours": [9], "size": ["10-49"], "city": ["nowhere"]})
    assert reading.frame(asked).rows() == [(9.0, 1.0, None, 0.0, 0.0)]


def test_a_missing_column_is_named():
    with pytest.raises(DataError, match="no column size, needed: hours, size, city"):
        QUICK.fit(planted(1)[0].drop("size"), planted(1)[1], seed=1)


def test_one_kind_of_answer_is_refused():
    people, _ = planted(1)
    with pytest.raises(DataError, match="0 people of the rarer answer, allowed: at least 3"):
        QUICK.fit(people, np.ones(len(people), bool), seed=1)


def test_a_planted_signal_is_found(model):
    people, is_open = planted(2)
    answered = model.predict(people)["openness"].to_numpy()
    assert ((answered > 0.5) == is_open).mean() > 0.88  # .9 is the most there is
    assert abs(answered.mean() - is_open.mean()) < 0.03


def test_it_repeats_by_seed(model):
    people, _ = planted(2)
    again = QUICK.fit(*planted(1), seed=1)
    assert_frame_equal(model.predict(people), again.predict(people), abs_tol=0)


def test_a_batch_equals_single_people(model):
    people, _ = planted(2, rows=20)
    single = pl.concat([model.predict(people[n : n + 1]) for n in range(20)])
    assert_frame_equal(model.predict(people), single)


def test_contributions_add_up_to_the_log_odds(model):
    people, _ = planted(2, rows=50)
    assert np.allclose(model.contributions(people).total, model.raw(people))


def test_it_survives_save_and_load(model, tmp_path: Path):
    people, _ = planted(2, rows=50)
    model.save(tmp_path)
    assert_frame_equal(type(model).load(tmp_path).predict(people), model.predict(people), abs_tol=0)
