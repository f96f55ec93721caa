"""Averaged boosters, on planted signals: a score from 0 to 100, and a chance that comes true as often as it says."""

import numpy as np
import polars as pl
import pytest

from feature_repo.column import Column
from feature_repo.errors import TooFewError
from training.metrics import calibration_error, measure
from training.model import load_model, save_model
from training.trainers.ensemble import BoostedEnsemble

ROWS = 3000
COLUMNS = tuple(
    Column(name=name, dtype=dtype, view="fit", function=abs, description=name)
    for name, dtype in (("signal", float), ("noise", float), ("kind", str))
)


def frame(seed: int, rows: int = ROWS) -> pl.DataFrame:
    """score: 50 + 20 signal + 10 where the kind is good, cut to 0 and 100; won: with log odds 2 signal - 1."""
    random = np.random.default_rng(seed)
    signal, noise, kind = random.normal(size=rows), random.normal(size=rows), random.choice(["good", "bad"], rows)
    score = np.clip(50 + 20 * signal + 10 * (kind == "good") + random.normal(0, 3, rows), 0, 100)
    won = random.random(rows) < 1 / (1 + np.exp(1 - 2 * signal))
    values = {"fit__signal": signal, "fit__noise": noise, "fit__kind": kind, "score_given": score, "won": won}
    missing = pl.when(pl.int_range(pl.len()) % 20 != 0).then("fit__noise")
    return pl.DataFrame(values).with_columns(missing, pl.col("won").cast(pl.Float64))


SCORE = BoostedEnsemble(label="score_given", greatest=100.0, rounds=300)
CHANCE = BoostedEnsemble(label="won", objective="binary", rounds=300, leaves=7)


@pytest.fixture(scope="module")
def models():
    return {trainer: trainer.fit(frame(1), frame(2), COLUMNS, 1) for trainer in (SCORE, CHANCE)}


each_trainer = pytest.mark.parametrize("trainer", [SCORE, CHANCE], ids=["score", "chance"])


def test_a_score_is_found_to_little_more_than_its_noise(models):
    unseen = frame(3)
    error = pl.DataFrame(models[SCORE].predict(unseen))["score"] - unseen["score_given"]
    assert error.abs().mean() < 4


def test_scores_stay_within_their_range(models):
    extreme = frame(3).with_columns(fit__signal=pl.Series(np.linspace(-9, 9, ROWS)))
    score = pl.DataFrame(models[SCORE].predict(extreme))["score"]
    assert (score.min(), score.max()) >= (0.0, 0.0)
    assert score.max() <= 100


def test_chances_come_true_as_often_as_they_say(models):
    unseen = frame(3, 20_000)
    told = unseen.hstack(pl.DataFrame(models[CHANCE].predict(unseen)))
    assert measure(calibration_error("calibration", "won", "score"), told) < 0.03
    true = 1 / (1 + np.exp(1 - 2 * unseen["fit__signal"].to_numpy()))
    assert np.abs(told["score"].to_numpy() - true).mean() < 0.05


def test_overconfident_members_are_calibrated_on_the_validation_rows():
    """Without early stopping 600 rounds on 300 rows are far too sure; the slope says so."""
    stubborn = BoostedEnsemble(label="won", objective="binary", rounds=600, learning_rate=0.3, fewest_in_leaf=2)
    few = stubborn.fit(frame(1, 300), frame(2, 49), COLUMNS, 1)
    assert (few.slope, few.offset) == (1.0, 0.0)
    slope, _ = stubborn._calibration(few.members, _rows(frame(2)))
    assert 0 < slope < 0.7


def _rows(held: pl.DataFrame):
    from training.trainers.boosted import Rows

    return Rows(held, held["won"].to_numpy())


@each_trainer
def test_the_same_seed_gives_the_same_model_and_another_seed_another(models, trainer):
    unseen = frame(3)
    told = pl.DataFrame(models[trainer].predict(unseen))
    assert pl.DataFrame(trainer.fit(frame(1), frame(2), COLUMNS, 1).predict(unseen)).equals(told)
    assert not pl.DataFrame(trainer.fit(frame(1), frame(2), COLUMNS, 7).predict(unseen)).equals(told)


@each_trainer
def test_it_survives_save_and_load(models, trainer, tmp_path):
    save_model(models[trainer], tmp_path / "model")
    restored, unseen = load_model(tmp_path / "model"), frame(3)
    assert pl.DataFrame(restored.predict(unseen)).equals(pl.DataFrame(models[trainer].predict(unseen)))
    assert restored.contributions(unseen).frame.equals(models[trainer].contributions(unseen).frame)


def test_contributions_and_expected_add_up_to_the_score_where_nothing_is_cut(models):
    unseen = frame(3)
    sums, score = models[SCORE].contributions(unseen).total, models[SCORE].predict(unseen)["score"]
    inside = (score > 0) & (score < 100)
    assert inside.mean() > 0.9
    assert sums[inside] == pytest.approx(score[inside], abs=1e-9)


def test_contributions_and_expected_add_up_to_the_calibrated_log_odds(models):
    unseen = frame(3)
    chance = models[CHANCE].predict(unseen)["score"]
    assert models[CHANCE].contributions(unseen).total == pytest.approx(np.log(chance / (1 - chance)), abs=1e-9)


@each_trainer
def test_the_planted_column_contributes_most(models, trainer):
    parts = models[trainer].contributions(frame(3))
    assert parts.names[np.abs(parts.values).mean(axis=0).argmax()] == "fit__signal"


@each_trainer
def test_confidence_is_one_less_twice_the_spread_of_the_members(models, trainer):
    model, unseen = models[trainer], frame(3).head(50)
    scores = np.array([model._scores(model.slope * each.raw(unseen) + model.offset) for each in model.members])
    expected = 1 - np.minimum(2 * (scores / model.greatest).var(axis=0), 0.5)
    assert model.predict(unseen)["confidence"] == pytest.approx(expected)


@each_trainer
def test_one_row_is_answered_as_it_is_among_many(models, trainer):
    unseen = frame(3).head(20)
    single = pl.concat([pl.DataFrame(models[trainer].predict(unseen[row : row + 1])) for row in range(20)])
    assert single.equals(pl.DataFrame(models[trainer].predict(unseen)))


@pytest.mark.parametrize("rows", [frame(1).head(49), frame(1).with_columns(won=pl.lit(1.0))], ids=["few", "all alike"])
def test_too_little_to_learn_from_is_refused(rows):
    with pytest.raises(TooFewError, match=r"won: .* rows, at least 50 that differ"):
        CHANCE.fit(rows, rows, COLUMNS, 1)
