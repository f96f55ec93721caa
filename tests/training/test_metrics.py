"""Metrics against answers worked out by hand."""

import math

import numpy as np
import polars as pl
import pytest

from training.metrics import (
    accuracy,
    auc,
    calibration_error,
    hit_at,
    interval_coverage,
    log_loss,
    mae_hours,
    mae_log_hours,
    measure,
    mrr,
    ndcg_at,
    r2_log_hours,
    rmse_hours,
    root_squared_error,
)


def ranking(*rows: tuple[str, str, float, float, bool]) -> pl.DataFrame:
    return pl.DataFrame(rows, schema=["group", "person_id", "score", "relevance", "is_candidate"], orient="row")


FIRST_AND_THIRD = ranking(
    ("t1", "ann", 0.9, 1.0, True),
    ("t1", "bob", 0.5, 0.0, True),
    ("t2", "ann", 0.9, 0.0, True),
    ("t2", "bob", 0.8, 0.0, True),
    ("t2", "cy", 0.7, 1.0, True),
)


@pytest.mark.parametrize(
    ("metric", "expected"),
    [
        (hit_at(1), [1, 0]),
        (hit_at(3), [1, 1]),
        (mrr, [1, 1 / 3]),
        (ndcg_at(10), [1, 1 / math.log2(4)]),
        (ndcg_at(2), [1, 0]),
    ],
    ids=lambda each: getattr(each, "name", ""),
)
def test_ranking_metrics_count_places_per_group(metric, expected):
    assert metric.values(FIRST_AND_THIRD) == pytest.approx(expected)


def test_two_relevant_people_in_places_one_and_three():
    frame = ranking(
        ("t1", "ann", 0.9, 1.0, True),
        ("t1", "bob", 0.8, 0.0, True),
        ("t1", "cy", 0.7, 1.0, True),
    )
    ideal = 1 + 1 / math.log2(3)
    assert ndcg_at(10).values(frame) == pytest.approx([(1 + 1 / math.log2(4)) / ideal])


def test_a_relevant_person_who_was_no_candidate_is_a_miss_whatever_the_score():
    frame = ranking(("t1", "ann", 0.9, 1.0, False), ("t1", "bob", 0.1, 0.0, True))
    assert [metric.values(frame)[0] for metric in (hit_at(5), mrr, ndcg_at(10))] == [0, 0, 0]


def test_a_constant_score_hits_no_more_often_than_chance():
    groups = np.repeat(np.arange(2000), 10).astype(str)
    people = np.tile(np.arange(10), 2000).astype(str)
    frame = pl.DataFrame({"group": groups, "person_id": people}).with_columns(
        score=pl.lit(0.5), relevance=(pl.col("person_id") == "3").cast(pl.Float64), is_candidate=pl.lit(True)
    )
    assert measure(hit_at(1), frame) == pytest.approx(0.1, abs=0.02)


def test_ties_fall_the_same_way_whatever_the_order_of_the_rows():
    tied = FIRST_AND_THIRD.with_columns(score=pl.lit(1.0))
    assert mrr.values(tied).tolist() == mrr.values(tied.reverse()).tolist()


EFFORT = pl.DataFrame(
    {"actual_hours": [3.0, 7.0], "hours": [1.0, 7.0], "hours_low": [1.0, 9.0], "hours_high": [3.0, 9.5]}
)


@pytest.mark.parametrize(
    ("metric", "expected"),
    [
        (mae_log_hours, math.log(2) / 2),
        (mae_hours, 1.0),
        (rmse_hours, math.sqrt(2)),
        (r2_log_hours, 1 - math.log(2) ** 2 / (2 * (math.log(2) / 2) ** 2)),
        (interval_coverage("coverage", "actual_hours", "hours"), 0.5),
    ],
    ids=lambda each: getattr(each, "name", ""),
)
def test_effort_metrics(metric, expected):
    assert measure(metric, EFFORT) == pytest.approx(expected)


def test_a_metric_over_no_rows_is_undefined():
    assert math.isnan(measure(mae_hours, EFFORT.clear()))


def labelled(actual, told) -> pl.DataFrame:
    return pl.DataFrame({"actual": actual, "told": told}, schema={"actual": pl.Float64, "told": pl.Float64})


def test_the_root_of_the_mean_squared_error():
    assert measure(root_squared_error("rmse", "actual", "told"), labelled([1, 5], [1, 2])) == pytest.approx(
        math.sqrt(4.5)
    )


def test_log_loss_is_minus_the_logarithm_of_the_chance_of_what_happened():
    found = log_loss("log_loss", "actual", "told").values(labelled([1, 0, 1], [0.8, 0.8, 0.0]))
    assert found == pytest.approx([-math.log(0.8), -math.log(0.2), -math.log(1e-6)])


def test_accuracy_counts_chances_on_the_right_side_of_a_half():
    found = accuracy("accuracy", "actual", "told").values(labelled([1, 0, 1, 0], [0.8, 0.8, 0.5, 0.5]))
    assert found.tolist() == [1, 0, 0, 1]


@pytest.mark.parametrize(
    ("told", "expected"), [([0.9, 0.8, 0.2], 1.0), ([0.9, 0.1, 0.5], 0.5), ([0.5] * 3, 0.5), ([0.1, 0.2, 0.9], 0.0)]
)
def test_the_area_under_the_curve_is_the_share_of_pairs_in_order(told, expected):
    assert measure(auc("auc", "actual", "told"), labelled([1, 1, 0], told)) == pytest.approx(expected)


def test_where_all_are_alike_there_is_no_area():
    assert math.isnan(measure(auc("auc", "actual", "told"), labelled([1, 1], [0.1, 0.2])))


def test_calibration_compares_chances_with_shares_in_bins_of_equal_rows():
    frame = labelled([0, 0, 1, 0], [0.1, 0.1, 0.7, 0.7])
    assert measure(calibration_error("error", "actual", "told", bins=2), frame) == pytest.approx(0.1 / 2 + 0.2 / 2)
