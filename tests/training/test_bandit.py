"""The engagement bandit, on lists with a planted reward."""

import numpy as np
import polars as pl
import pytest

from feature_repo.column import Column
from feature_repo.errors import TooFewError
from tests.feature_repo.world import day
from training.model import load_model, save_model
from training.trainers.bandit import EngagementBandit

LISTS, ITEMS, SHOWN = 300, 12, 5
COLUMNS = tuple(
    Column(name=name, dtype=dtype, view="study", function=abs, description=name)
    for name, dtype in (("gain", float), ("hours", float), ("topic", str))
)
TRAINER = EngagementBandit(attributes=("study__topic",), factors=4)


def frame(seed: int, gain: float = 0.4, liked: float = 0.0) -> pl.DataFrame:
    """Lists in which SHOWN of ITEMS were shown; a reward is gain * study__gain, plus `liked` for the own topic."""
    random = np.random.default_rng(seed)
    rows, person = LISTS * ITEMS, np.repeat(random.integers(0, 20, LISTS), ITEMS)
    gains, topic = random.random(rows), random.integers(0, 4, rows)
    worth = np.clip(gain * gains + liked * (topic == person % 4) + random.normal(0, 0.05 if gain else 0, rows), 0, 1)
    is_shown = np.tile(np.arange(ITEMS) < SHOWN, LISTS)
    return pl.DataFrame(
        {
            "person_id": [f"p{each}" for each in person],
            "event_timestamp": pl.Series([day("01")] * rows),
            "study__gain": gains,
            "study__hours": random.random(rows),
            "study__topic": [f"t{each}" for each in topic],
            "reward": pl.Series([float(w) if shown else None for w, shown in zip(worth, is_shown, strict=True)]),
            "worth": worth,
        }
    )


@pytest.fixture(scope="module")
def bandit():
    return TRAINER.fit(frame(1), frame(2), COLUMNS, 1)


def test_items_that_were_never_shown_are_scored_by_what_was_planted(bandit):
    unseen = frame(3).filter(pl.col("reward").is_null())
    told = unseen.hstack(pl.DataFrame(bandit.predict(unseen)))
    assert told.select(pl.corr("score", "worth", method="spearman")).item() > 0.85


def test_what_people_finished_alike_helps_where_columns_are_silent():
    model = TRAINER.fit(frame(1, 0.0, 0.8), frame(2, 0.0, 0.8), COLUMNS, 1)
    assert model.share > 0
    unseen = frame(3, 0.0, 0.8)
    own = unseen["study__topic"].str.tail(1).cast(int) == unseen["person_id"].str.slice(1).cast(int) % 4
    score = pl.DataFrame(model.predict(unseen))["score"]
    assert score.filter(own).quantile(0.05) > score.filter(~own).quantile(0.95)


def test_the_score_weighs_both_parts_by_the_share(bandit):
    told = pl.DataFrame(bandit.predict(frame(3)))
    expected = (1 - bandit.share) * told["content_score"] + bandit.share * told["collaborative_score"]
    assert told["score"].to_numpy() == pytest.approx(expected.to_numpy())


def test_a_stranger_has_a_collaborative_score_of_a_half(bandit):
    stranger = frame(3).head(5).with_columns(person_id=pl.lit("nobody"))
    assert pl.DataFrame(bandit.predict(stranger))["collaborative_score"].to_list() == [0.5] * 5


def test_contributions_and_expected_add_up_to_the_content_score(bandit):
    told = bandit.predict(frame(3))["content_score"]
    sums = bandit.contributions(frame(3)).total
    inside = (told > 0) & (told < 1)
    assert sums[inside] == pytest.approx(told[inside], abs=1e-9)


def test_the_same_seed_gives_the_same_bandit(bandit):
    again = TRAINER.fit(frame(1), frame(2), COLUMNS, 1)
    assert pl.DataFrame(again.predict(frame(3))).equals(pl.DataFrame(bandit.predict(frame(3))))


def test_it_survives_save_and_load(bandit, tmp_path):
    save_model(bandit, tmp_path / "model")
    restored = load_model(tmp_path / "model")
    assert pl.DataFrame(restored.predict(frame(3))).equals(pl.DataFrame(bandit.predict(frame(3))))
    assert restored.contributions(frame(3)).frame.equals(bandit.contributions(frame(3)).frame)


def test_too_few_items_shown_are_refused():
    with pytest.raises(TooFewError, match="5 items shown, at least 300"):
        TRAINER.fit(frame(1).head(ITEMS), frame(2), COLUMNS, 1)


def test_rewards_of_nothing_are_refused():
    nothing = frame(1).with_columns(reward=pl.col("reward") * 0)
    with pytest.raises(TooFewError):
        TRAINER.fit(nothing, nothing, COLUMNS, 1)
