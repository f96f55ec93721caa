"""What the demand forecaster must do, on series whose future is known by construction."""

from pathlib import Path

import numpy as np
import polars as pl
import pytest
from polars.testing import assert_frame_equal

from feature_repo.errors import DataError
from training.model import KINDS, load_model, save_model
from training.trainers import recursion
from training.trainers.forecast import Demand, DemandForecaster, direction
from training.trainers.forecast_rows import Reading
from training.trainers.season import season
from training.trainers.smoothing import Member, smoothed, unrest

KINDS.setdefault("demand", "training.trainers.forecast:Demand")

SKILLS, MONTHS, AHEAD = 60, 96, 6
NOISE = 0.2
HALF = Member(power=1.0, level=0.5, trend=0.5, fade=0.5)


def shares(seed: int) -> np.ndarray:
    """Points by skill and month: a level of 2 to 8, a trend that may turn every two years, a season, noise of 0.2."""
    random = np.random.default_rng(seed)
    slopes = np.repeat(random.normal(0, 0.06, (SKILLS, MONTHS // 24)), 24, axis=1)
    level = random.uniform(2, 8, (SKILLS, 1)) + np.cumsum(slopes, axis=1)
    months = np.sin(2 * np.pi * np.arange(MONTHS) / 12) * random.uniform(0, 1, (SKILLS, 1))
    return np.maximum(level + months + random.normal(0, NOISE, (SKILLS, MONTHS)), 0.0)


def rows(table: np.ndarray, origins: range) -> pl.DataFrame:
    """A row per origin and skill, with the value six months later as its label."""
    parts = [
        pl.DataFrame(
            {
                "skill_id": [f"s{n}" for n in range(len(table))],
                "series__values": pl.Series(table[:, : at + 1].tolist(), dtype=pl.List(pl.Float64)),
                "actual_demand": table[:, at + AHEAD],
            }
        )
        for at in origins
    ]
    return pl.concat(parts)


def series(*lists: list[float | None]) -> pl.DataFrame:
    return pl.DataFrame({"series__values": pl.Series(list(lists), dtype=pl.List(pl.Float64))})


def fitted(seed: int = 1) -> Demand:
    table = shares(1)
    return DemandForecaster().fit(rows(table, range(24, 60)), rows(table, range(66, 80)), (), seed)


@pytest.fixture(scope="module")
def model() -> Demand:
    return fitted()


@pytest.fixture(scope="module")
def unseen() -> pl.DataFrame:
    return rows(shares(2), range(60, 90, 5))


def error(frame: pl.DataFrame, forecast: pl.Series) -> float:
    return float((frame["actual_demand"] - forecast).abs().mean())  # type: ignore[arg-type]


def test_it_beats_the_last_value_and_the_mean_of_three_by_a_fifth(model, unseen):
    ours = error(unseen, pl.DataFrame(model.predict(unseen))["demand"])
    assert ours < 0.8 * error(unseen, unseen["series__values"].list.last())
    assert ours < 0.8 * error(unseen, unseen["series__values"].list.tail(3).list.mean())


def test_intervals_cover_the_promised_share_of_unseen_months(model, unseen):
    found = unseen.hstack(pl.DataFrame(model.predict(unseen)))
    inside = found["actual_demand"].is_between(found["demand_low"], found["demand_high"]).mean()
    assert inside == pytest.approx(0.8, abs=0.06)
    assert found["demand"].is_between(found["demand_low"], found["demand_high"]).all()
    assert (found["demand_low"] >= 0).all()


def test_the_same_seed_gives_the_same_model(model, unseen):
    assert pl.DataFrame(fitted().predict(unseen)).equals(pl.DataFrame(model.predict(unseen)))


def test_a_batch_answers_as_its_rows_do_one_by_one(model, unseen):
    several = pl.concat([unseen.select("series__values").sample(20, seed=1), series([1.0, 2.0], [4.0] * 20)])
    single = pl.concat([pl.DataFrame(model.predict(several[n])) for n in range(several.height)])
    assert_frame_equal(pl.DataFrame(model.predict(several)), single, rel_tol=1e-9)


def test_it_survives_save_and_load(model, unseen, tmp_path: Path):
    save_model(model, tmp_path / "model")
    restored = load_model(tmp_path / "model")
    assert pl.DataFrame(restored.predict(unseen)).equals(pl.DataFrame(model.predict(unseen)))
    assert restored.contributions(unseen).frame.equals(model.contributions(unseen).frame)


def test_contributions_add_up_to_the_forecast(model, unseen):
    parts = model.contributions(unseen).frame
    assert set(parts.columns) == {"expected", "level", "trend", "reversion", "season"}
    assert parts.sum_horizontal().to_numpy() == pytest.approx(model.predict(unseen)["demand"], abs=1e-9)


@pytest.mark.parametrize(
    ("slope", "said"), [(0.15, "rising"), (-0.15, "falling"), (0.0, "steady")], ids=["up", "down", "flat"]
)
def test_a_steady_climb_is_called_rising_and_a_flat_line_steady(model, slope, said):
    random = np.random.default_rng(3)
    line = (10 + slope * np.arange(60) + random.normal(0, 0.05, 60)).tolist()
    answer = pl.DataFrame(model.predict(series(line))).row(0, named=True)
    assert direction(answer["rising"]) == said
    if slope:
        assert np.sign(answer["demand"] - answer["demand_now"]) == np.sign(slope)


def test_the_probability_of_rising_agrees_with_what_happens(model, unseen):
    found = unseen.hstack(pl.DataFrame(model.predict(unseen)))
    rose = found["actual_demand"] > found["demand_now"]
    surely, hardly = found["rising"] >= 0.8, found["rising"] <= 0.2
    assert rose.filter(surely).mean() > 0.75
    assert rose.filter(hardly).mean() < 0.25


def shifted(size: float, after: int, seed: int = 5) -> np.ndarray:
    """500 series of 60 values around 5 points, noise 0.2, whose last `after` values lie `size` noises higher."""
    random = np.random.default_rng(seed)
    table = 5 + random.normal(0, NOISE, (500, 60))
    table[:, 60 - after :] += size * NOISE
    return table


def test_after_two_values_the_forecast_starts_from_the_new_level(model):
    one, two = (pl.DataFrame(model.predict(series(*shifted(10, after).tolist()))) for after in (1, 2))
    assert (one["demand_now"] - 5).mean() < 1.5  # a single odd value is not believed
    settled = (two["demand_now"] - 7).abs() < 3 * NOISE
    assert settled.mean() > 0.95
    assert ((two["demand"] - 7).abs() < 4 * NOISE).mean() > 0.95


@pytest.mark.parametrize(("size", "least"), [(6, 0.9), (8, 0.97), (-8, 0.97)])
def test_a_shift_of_six_noises_is_seen_in_nine_of_ten(size, least):
    assert unrest(shifted(size, 2), 3.5).shifted[:, -1].mean() > least


def test_noise_alone_raises_an_alarm_in_one_series_of_fifty_at_most():
    random = np.random.default_rng(6)
    counted = random.binomial(500, 0.05, (2000, 60)) / 5
    assert unrest(shifted(0, 1), 3.5).shifted.any(axis=1).mean() < 0.02
    assert unrest(counted, 3.5).shifted.any(axis=1).mean() < 0.02


def test_a_value_that_falls_back_is_no_shift():
    table = shifted(0, 1)
    table[:, -2] += 10 * NOISE
    assert unrest(table, 3.5).shifted[:, -1].sum() == 0


def test_what_strays_is_no_noise_to_learn_from():
    table = shifted(0, 1)
    strayed = table.copy()
    strayed[:, -1] += 20 * NOISE
    assert unrest(strayed, 3.5).noise == pytest.approx(unrest(table[:, :-1], 3.5).noise, rel=0.2)


def test_a_level_by_hand():
    """1/1, 1/2, then the gain of 0.4: 2, (2 + 4) / 2 = 3, 3 + 0.4 * (8 - 3) = 5."""
    values = np.array([[2.0, 4.0, 8.0]])
    states = smoothed(values, [Member(1.0, 0.4, 0.0, 0.0)], np.zeros(values.shape, bool))
    assert states.level[0, 0] == pytest.approx(5.0)


def test_a_trend_fades_where_a_month_is_missing():
    """Level 2, 3, 4, where the trend of .5 begins; then 4.25 and .25; then 4.375 and .125."""
    values = np.array([[2.0, 4.0, 5.0, np.nan, np.nan]])
    states = smoothed(values, [HALF], np.zeros(values.shape, bool))
    assert (states.level[0, 0], states.trend[0, 0]) == (4.375, 0.125)


def test_at_a_new_level_a_member_starts_from_the_mean_of_two():
    states = smoothed(np.array([[2.0, 4.0, 5.0, 9.0]]), [HALF], np.array([[False, False, False, True]]))
    assert (states.level[0, 0], states.trend[0, 0]) == (7.0, 0.0)


def test_the_kernel_is_compiled_once_whatever_the_number_of_series_and_members():
    members = [HALF, Member(power=0.5, level=0.5, trend=0.5, fade=0.5)]
    for series, some in ((3, members), (3, members[:1]), (1, members)):
        smoothed(np.ones((series, 5)), some, np.zeros((series, 5), bool))
    assert len(recursion.smooth.signatures) == 1


def test_a_season_by_hand():
    """Eight years of quarters 1, 0, -1, 0 around 5: the next quarter adds one, the one after nothing."""
    values = 5 + np.tile([1.0, 0.0, -1.0, 0.0], 8)[None, :]
    assert season(values, 4)[0] == pytest.approx([1, 0, -1, 0], abs=0.05)
    assert not season(values[:, :7], 4).any()


def test_missing_months_are_stepped_over(model):
    whole = [5.0, 5.2, 4.9, 5.1, 5.0, 5.1] * 4
    holes = [*whole[:10], None, float("nan"), *whole[12:]]
    answers = pl.DataFrame(model.predict(series(whole, holes)))["demand"]
    assert answers[0] == pytest.approx(answers[1], abs=0.1)


def test_quarters_have_a_season_of_four_steps(model):
    quarters = np.tile([3.0, 5.0, 3.0, 1.0], 6).tolist()
    frame = series(quarters, quarters).with_columns(series__months=3.0, horizon=pl.Series([1.0, 2.0]))
    answers = pl.DataFrame(model.predict(frame))["demand"]
    assert answers[1] > answers[0] + 1 or model.seasonal == 0


def test_an_interval_widens_with_the_horizon(model):
    frame = series([5.0, 5.2, 4.8] * 10, [5.0, 5.2, 4.8] * 10).with_columns(horizon=pl.Series([3.0, 12.0]))
    near, far = model.predict(frame)["demand_high"] - model.predict(frame)["demand_low"]
    assert far == pytest.approx(2 * near, rel=0.15)


def test_no_rows_give_no_answers(model):
    assert pl.DataFrame(model.predict(series())).shape == (0, 6)
    assert model.contributions(series()).frame.height == 0


@pytest.mark.parametrize(
    ("frame", "said"),
    [
        (series([]), "1 of 1 series without a number"),
        (series([None, None]), "1 of 1 series without a number"),
        (series([1.0, -2.0]), "-2 found, allowed: demand of zero or more"),
        (series([1.0, 2.0]).with_columns(horizon=0.0), "horizon 0"),
        (pl.DataFrame({"skill_id": ["a"]}), "series__values is missing"),
    ],
)
def test_what_cannot_be_forecast_is_refused_by_name(model, frame, said):
    with pytest.raises(DataError, match=said):
        model.predict(frame)


def test_too_few_labels_are_refused():
    few = rows(shares(1), range(24, 25)).head(20)
    with pytest.raises(DataError, match="20 labelled rows"):
        DemandForecaster().fit(few, few, (), 1)


def test_another_column_of_values_can_be_named(unseen):
    renamed = DemandForecaster(reading=Reading(values="mine"))
    frames = [rows(shares(1), spell).rename({"series__values": "mine"}) for spell in (range(24, 40), range(46, 60))]
    found = renamed.fit(*frames, (), 1).predict(unseen.rename({"series__values": "mine"}))
    assert len(found["demand"]) == unseen.height
