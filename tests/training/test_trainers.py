"""What every trainer must do, on rows with a planted signal."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from polars.testing import assert_frame_equal

from feature_repo.errors import DataError
from feature_repo.views import polars_type
from tests.feature_repo.world import day
from training.evaluation import columns_of, predicted
from training.metrics import absolute_error, auc, log_loss, mae_log_hours, measure, ndcg_at
from training.model import load_model, save_model
from training.product import Metric, Product
from training.products import PRODUCTS
from training.products.task_assignment import ATTRIBUTES
from training.trainers.encoding import Encoding
from training.trainers.standing import powers, weigh

GROUPS, PEOPLE = 400, 6


def share_of(points: np.ndarray) -> np.ndarray:
    return points / 100


def empty_columns(product: Product, rows: int) -> dict[str, pl.Series]:
    """Every column that the product or its baselines read, without a value."""
    return {c.qualified: pl.Series([None] * rows, dtype=polars_type(c)) for c in columns_of(product)}


def assignment_frame(seed: int) -> pl.DataFrame:
    """The person who holds the largest share of the kind of work takes the task, nine times out of ten."""
    random = np.random.default_rng(seed)
    rows = GROUPS * PEOPLE
    share = random.random((GROUPS, PEOPLE))
    chosen = np.where(random.random(GROUPS) < 0.9, share.argmax(axis=1), random.integers(0, PEOPLE, GROUPS))
    group = np.repeat(np.arange(GROUPS), PEOPLE)
    columns = empty_columns(PRODUCTS["task_assignment"], rows) | {
        "pair__subcategory_started_180d_share": pl.Series(share.ravel()),
        "task__project_id": pl.Series(np.repeat(random.integers(0, 5, GROUPS).astype(str), PEOPLE)),
        "group": pl.Series(group.astype(str)),
        "person_id": pl.Series(np.tile(np.arange(PEOPLE).astype(str), GROUPS)),
        "event_timestamp": pl.Series([day("01") + timedelta(hours=int(g)) for g in group]),
        "relevance": pl.Series((np.tile(np.arange(PEOPLE), GROUPS) == chosen[group]).astype(float)),
        "is_candidate": pl.Series([True] * rows),
    }
    return pl.DataFrame(columns)


def performance_frame(seed: int) -> pl.DataFrame:
    """A project that used to need exp(r) times the estimate needs it again, with noise; all hours plus one."""
    random = np.random.default_rng(seed)
    rows = GROUPS * 3
    usual = random.normal(0, 0.7, rows)
    log_estimate = random.normal(3, 0.3, rows)
    columns = empty_columns(PRODUCTS["task_performance"], rows) | {
        "pair__project_log_ratio_365d": pl.Series(usual),
        "pair__person_log_ratio_365d": pl.Series(np.zeros(rows)),
        "pair__log_estimate": pl.Series(log_estimate),
        "task__estimate_hours": pl.Series(np.expm1(log_estimate)),
        "pair__person_log_days_365d": pl.Series(np.ones(rows)),
        "person_id": pl.Series(["ann"] * rows),
        "group": pl.Series(np.arange(rows).astype(str)),
        "event_timestamp": pl.Series([day("01") + timedelta(hours=n) for n in range(rows)]),
        "actual_hours": pl.Series(np.expm1(log_estimate + usual + random.normal(0, 0.1, rows))),
        "actual_timeliness_days": pl.Series(np.exp(random.normal(1, 0.1, rows))),
        "actual_quality": pl.Series([None] * rows, dtype=pl.Float64),
    }
    return pl.DataFrame(columns)


def market_frame(
    name: str, labels: Callable[[np.ndarray], dict[str, np.ndarray]], column: str, seed: int
) -> pl.DataFrame:
    """Rows of a product whose labels follow one of its columns, 0 to 1; the others are missing."""
    rows = GROUPS * PEOPLE
    planted = np.random.default_rng(seed).random(rows)
    names = {entity.key: [f"{n % 50}" for n in range(rows)] for entity in PRODUCTS[name].entities}
    columns = empty_columns(PRODUCTS[name], rows) | {
        column: pl.Series(planted),
        **{key: pl.Series(each) for key, each in {**names, **labels(planted)}.items()},
        "group": pl.Series(np.arange(rows).astype(str)),
        "event_timestamp": pl.Series([day("01") + timedelta(hours=n) for n in range(rows)]),
    }
    return pl.DataFrame(columns)


def match_frame(seed: int) -> pl.DataFrame:
    """Pay alone decides, from the other end than the rule takes it."""
    return market_frame("talent_job_match", lambda x: {"match_score": 100 - 60 * x}, "fit__salary_overlap", seed)


def gap_frame(seed: int) -> pl.DataFrame:
    """Who declares few levels in what builds on a skill falls short in it, 49 times in 50."""
    flips = np.random.default_rng(seed + 100).random(GROUPS * PEOPLE) < 0.02
    return market_frame("skill_gap", lambda x: {"is_gap": ((x < 0.5) ^ flips) * 1.0}, "gap__advanced_level", seed)


def learning_frame(seed: int) -> pl.DataFrame:
    """Items are worth as much as the person is ready for them; some attributes make items alike."""
    frame = market_frame("learning", lambda x: {"reward": x, "worth": (x > 0.5) * 1.0}, "study__readiness", seed)
    return frame.with_columns(content__skill_id=pl.col("person_id"), content__format=pl.lit("VIDEO"))


def demand_frame(seed: int) -> pl.DataFrame:
    """Series that go straight on, six periods ahead."""
    random, rows = np.random.default_rng(seed), 240
    level, slope = random.uniform(4, 8, (rows, 1)), random.choice([-0.05, 0.05], (rows, 1))
    values = level + slope * np.arange(42) + random.normal(0, 0.01, (rows, 42))
    return pl.DataFrame(
        {
            "skill_id": [f"s{n}" for n in range(rows)],
            "group": [f"s{n}" for n in range(rows)],
            "event_timestamp": [day("01") + timedelta(hours=n) for n in range(rows)],
            "horizon": [6.0] * rows,
            "series__values": pl.Series(values[:, :36].tolist(), dtype=pl.List(pl.Float64)),
            "series__months": [1.0] * rows,
            "actual_demand": values[:, 41],
        }
    )


@dataclass(frozen=True)
class Case:
    product: Product
    frame: Callable[[int], pl.DataFrame]
    metric: Metric

    def fit(self, seed: int = 1):
        return self.product.trainer.fit(self.frame(1), self.frame(2), self.product.columns, seed)


CASES = {
    "hybrid": Case(PRODUCTS["task_assignment"], assignment_frame, ndcg_at(10)),
    "outcomes": Case(PRODUCTS["task_performance"], performance_frame, mae_log_hours),
    "scores": Case(PRODUCTS["talent_job_match"], match_frame, absolute_error("mae", "match_score", "score", share_of)),
    "chances": Case(PRODUCTS["skill_gap"], gap_frame, log_loss("log_loss", "is_gap", "score")),
    "bandit": Case(PRODUCTS["learning"], learning_frame, auc("auc", "worth", "score")),
    "forecasts": Case(PRODUCTS["skill_demand"], demand_frame, absolute_error("mae", "actual_demand", "demand")),
}
each_trainer = pytest.mark.parametrize("case", CASES.values(), ids=CASES)


@pytest.fixture(scope="module")
def models():
    return {case.product.name: case.fit() for case in CASES.values()}


@each_trainer
def test_it_finds_a_planted_signal_and_beats_every_baseline(case, models):
    unseen = case.frame(3)
    ours = measure(case.metric, predicted(unseen, models[case.product.name].predict))
    theirs = [measure(case.metric, predicted(unseen, each.predict)) for each in case.product.baselines]
    sign = 1 if case.metric.higher_is_better else -1
    assert all(sign * ours > sign * other for other in theirs if other == other)
    assert abs(ours - (1 if sign > 0 else 0)) < 0.15


@each_trainer
def test_the_same_seed_gives_the_same_model(case, models):
    unseen = case.frame(3)
    assert pl.DataFrame(case.fit().predict(unseen)).equals(pl.DataFrame(models[case.product.name].predict(unseen)))


@each_trainer
def test_a_batch_answers_as_its_groups_do_one_by_one(case, models):
    unseen, model = case.frame(3).head(6 * PEOPLE), models[case.product.name]
    single = pl.concat(
        [pl.DataFrame(model.predict(part)) for part in unseen.partition_by("group", maintain_order=True)]
    )
    assert_frame_equal(pl.DataFrame(model.predict(unseen)), single, rel_tol=1e-12)


@each_trainer
def test_it_survives_save_and_load(case, models, tmp_path: Path):
    unseen, model = case.frame(3), models[case.product.name]
    save_model(model, tmp_path / "model")
    restored = load_model(tmp_path / "model")
    assert pl.DataFrame(restored.predict(unseen)).equals(pl.DataFrame(model.predict(unseen)))
    assert restored.contributions(unseen).frame.equals(model.contributions(unseen).frame)


@each_trainer
def test_what_it_explains_has_the_same_names_whatever_it_explains(case, models):
    """The same object: the service writes the phrases of a model's names once for each."""
    model, unseen = models[case.product.name], case.frame(3)
    assert model.contributions(unseen).names is model.contributions(unseen[:1]).names


@each_trainer
def test_its_answers_are_the_outputs_of_the_product(case, models):
    assert tuple(pl.DataFrame(models[case.product.name].predict(case.frame(3))).columns) == case.product.outputs


def test_contributions_name_the_planted_column_first_and_add_up_to_the_raw_score(models):
    frame, model = assignment_frame(3), models["task_assignment"]
    parts = model.contributions(frame).frame
    strongest = parts.drop("expected").select(pl.all().abs().mean()).transpose(include_header=True).sort("column_0")
    assert strongest["column"][-1] == "pair__subcategory_started_180d_share"
    assert parts.sum_horizontal().to_numpy() == pytest.approx(model.boosted.raw(frame), abs=1e-9)


def test_intervals_cover_the_promised_share_of_unseen_tasks(models):
    frame = performance_frame(3).hstack(pl.DataFrame(models["task_performance"].predict(performance_frame(3))))
    inside = frame["actual_hours"].is_between(frame["hours_low"], frame["hours_high"]).mean()
    assert inside == pytest.approx(0.8, abs=0.06)


def test_a_small_correction_keeps_the_estimate_and_has_no_reasons(models):
    frame, model = performance_frame(3), models["task_performance"]
    corrections = np.log1p(model.predict(frame)["hours"]) - frame["pair__log_estimate"].to_numpy()
    kept = np.abs(corrections) < 1e-9
    assert 0 < kept.sum() < len(kept)
    assert np.abs(corrections[~kept]).min() > 0.1
    assert model.contributions(frame).total == pytest.approx(corrections, abs=1e-9)


def test_quality_stays_unknown_where_nobody_rated(models):
    assert pl.DataFrame(models["task_performance"].predict(performance_frame(3)))["quality"].is_nan().all()


def test_without_evidence_the_collaborative_score_is_a_half(models):
    stranger = assignment_frame(3).with_columns(person_id=pl.lit("nobody"))
    assert pl.DataFrame(models["task_assignment"].predict(stranger))["collaborative_score"].unique().to_list() == [0.5]


def test_content_scores_of_a_task_are_shares_of_one(models):
    answers = assignment_frame(3).hstack(pl.DataFrame(models["task_assignment"].predict(assignment_frame(3))))
    sums = answers.group_by("group").agg(pl.col("content_score").sum())
    assert sums["content_score"].to_numpy() == pytest.approx(np.ones(GROUPS))


def test_the_hybrid_score_weighs_content_and_collaborative_as_declared(models):
    answers = pl.DataFrame(models["task_assignment"].predict(assignment_frame(3)))
    assert answers["score"].to_numpy() == pytest.approx(
        (0.6 * answers["content_score"] + 0.4 * answers["collaborative_score"]).to_numpy()
    )


def test_rows_stand_against_what_is_known_of_their_own_group():
    nan = float("nan")
    values, group = np.array([1.0, 5.0, nan, 3.0, nan]), np.array([0, 1, 0, 0, 1])
    below, less = powers(np.array([1.0, 5, 2, 4, 7]), values, group, 2.0)
    assert below.tolist() == [-3, -2, -2, 0, 0]
    assert less == pytest.approx([2, 0, nan, -2, nan], nan_ok=True)
    _, shares, likings = weigh(np.array([[1.0, 5, 2, 1, 5], [1, 3, nan, 0, nan]]), group, 0.6, 0.4)
    assert shares.tolist() == [0.25, 0.5, 0.5, 0.25, 0.5]
    assert likings.tolist() == [0.5, 0.25, 0.5, 1, 0.5]


def test_nothing_relevant_to_learn_from_is_refused():
    case = CASES["hybrid"]
    nothing = assignment_frame(1).with_columns(relevance=pl.lit(0.0))
    with pytest.raises(DataError, match="no relevant row"):
        case.product.trainer.fit(nothing, nothing, case.product.columns, 1)


def test_tasks_that_have_nothing_to_be_alike_by_are_refused_by_name():
    frame = assignment_frame(1).with_columns(task__project_id=pl.lit(None, pl.String))
    case = CASES["hybrid"]
    with pytest.raises(DataError, match="task__project_id"):
        case.product.trainer.fit(frame, frame, case.product.columns, 1)


def test_a_value_unseen_in_training_is_encoded_as_missing():
    (project, *_) = ATTRIBUTES
    seen = pl.DataFrame({project.qualified: ["p1"] * 20 + ["p2"] * 20})
    encoding = Encoding.of(seen, [project])
    codes = encoding.matrix(pl.DataFrame({project.qualified: ["p2", "p9", None]}))
    assert codes[0, 0] == 1
    assert np.isnan(codes[1:]).all()


def test_too_few_labels_are_refused():
    case = CASES["outcomes"]
    few = performance_frame(1).head(50)
    with pytest.raises(DataError, match="at least 100"):
        case.product.trainer.fit(few, few, case.product.columns, 1)
