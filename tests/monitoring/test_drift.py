"""A planted shift is found, equal distributions are not called drift, and too few rows are no verdict."""

import json
import math
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest

from feature_repo.column import Column
from feature_repo.features import demand
from monitoring import psi
from monitoring.drift import drift
from monitoring.shift import DriftReport
from training.product import Drift, Product
from training.products import PRODUCTS


def column(name: str, dtype: Any) -> Column:
    return Column(name=name, dtype=dtype, view="v", function=lambda rows: rows, nulls=1.0)


NUMBERS = tuple(f"number_{place}" for place in range(6))
PRODUCT: Product = replace(
    PRODUCTS["task_performance"],
    columns=(
        *(column(name, float) for name in NUMBERS),
        column("kind", str),
        column("is_open", bool),
        column("skills", list[str]),
        column("seen_at", datetime),
    ),
    outputs=("hours", "quality"),
    drift=Drift(share=0.3),
)


def rows(seed: int, count: int, **changed: Any) -> pl.DataFrame:
    """Heavy-tailed numbers, a category of 30 kinds, a truth, lists; an output that is never there; one row a task."""
    rng = np.random.default_rng(seed)
    return pl.DataFrame(
        {
            "task_id": [f"t{number}" for number in range(count)],
            **{f"v__{name}": rng.lognormal(0, 1.5, count) for name in NUMBERS},
            "v__kind": rng.zipf(1.5, count).clip(1, 30).astype(str),
            "v__is_open": rng.random(count) < 0.3,
            "v__skills": [["s"] * number for number in rng.poisson(2, count)],
            "v__seen_at": [datetime(2013, 1, 1 + seed % 28, tzinfo=UTC)] * count,
            "hours": rng.lognormal(0, 1, count),
            "quality": [math.nan] * count,
            "actual_hours": rng.lognormal(0, 1, count),
        }
    ).with_columns(**changed)


def shifted(*names: str, by: float = 3.0) -> dict[str, pl.Expr]:
    return {name: pl.col(name) * by for name in names}


@pytest.fixture(scope="module")
def reference() -> pl.DataFrame:
    return rows(1, 3_000)


@pytest.fixture(scope="module")
def report(reference: pl.DataFrame, tmp_path_factory: pytest.TempPathFactory) -> DriftReport:
    """Four of nine columns are shifted, and so is the output."""
    moved = shifted("v__number_0", "v__number_1", "v__number_2", "hours")
    current = rows(2, 600, **moved, v__kind=pl.lit("new"))
    return drift(PRODUCT, reference, current, tmp_path_factory.mktemp("drift"))


def test_a_planted_shift_is_found_in_the_columns_where_it_is(report: DriftReport):
    assert report.verdict == "drift"
    assert set(report.drifted) == {"v__number_0", "v__number_1", "v__number_2", "v__kind"}
    assert report.share == pytest.approx(4 / 9)
    assert report.reason.startswith("4 of 9 columns drifted (44%), allowed 30%")


def test_predictions_and_outcomes_are_told_apart_from_the_columns(report: DriftReport):
    assert report.drifted_outputs == ("hours",)
    assert report.labels == ("actual_hours",)
    assert report.drifted_labels == ()


def test_times_and_what_is_never_there_are_left_out_and_named(report: DriftReport):
    assert set(report.left_out) == {"v__seen_at", "quality"}


def test_the_json_is_strict_and_holds_what_evidently_found(report: DriftReport):
    def refuse(word: str) -> None:
        raise AssertionError(word)

    found = json.loads(report.json.read_text(), parse_constant=refuse)
    assert found["verdict"] == "drift"
    assert found["columns"]["v__number_0"]["drift"] is True
    assert found["evidently"]["metrics"][0]["value"] == {"count": 4.0, "share": pytest.approx(4 / 9)}


def test_the_page_says_what_it_is_about_and_needs_no_network(report: DriftReport):
    text = report.html.read_text()
    assert "<title>task_performance: drift found</title>" in text
    assert "600 current rows against 3,000 of the training reference" in text
    head = text[: text.index("<body>")] if "<body>" in text else text[:5_000]
    assert 'src="http' not in head
    assert report.files == (report.html, report.json)


def test_its_numbers_can_be_drawn(report: DriftReport):
    numbers = report.numbers()
    assert numbers["drift_share"] == pytest.approx(4 / 9)
    assert all(math.isfinite(value) for value in numbers.values())


@pytest.mark.parametrize("seed", range(10, 16))
def test_samples_of_one_distribution_are_not_called_drift(reference: pl.DataFrame, tmp_path: Path, seed: int):
    count = (100, 300, 2_000)[seed % 3]
    report = drift(PRODUCT, reference, rows(seed, count), tmp_path)
    assert (report.verdict, report.drifted, report.drifted_outputs) == ("none", (), ())


def test_candidates_of_one_task_count_once(reference: pl.DataFrame, tmp_path: Path):
    # 120 tasks with 50 candidates each: what is the same for all candidates of a task varies as 120 rows do.
    few = rows(20, 120)
    many = pl.concat([few] * 50)
    report = drift(PRODUCT, reference, many, tmp_path)
    assert report.units == (3_000, 120)
    assert report.verdict == "none"


def test_values_that_begin_to_be_missing_are_drift(reference: pl.DataFrame, tmp_path: Path):
    gone = {f"v__{name}": pl.lit(None, pl.Float64) for name in NUMBERS[:3]}
    report = drift(PRODUCT, reference, rows(3, 600, **gone), tmp_path)
    assert report.verdict == "drift"
    assert set(report.drifted) == {f"v__{name} is missing" for name in NUMBERS[:3]}


def test_a_column_that_the_reference_lacks_is_left_out_and_named(reference: pl.DataFrame, tmp_path: Path):
    report = drift(PRODUCT, reference.drop("v__kind"), rows(4, 600), tmp_path)
    assert "v__kind" in report.left_out
    assert report.verdict == "none"


@pytest.mark.parametrize("count", [0, 99])
def test_too_few_rows_are_no_verdict_and_say_so(reference: pl.DataFrame, tmp_path: Path, count: int):
    report = drift(PRODUCT, reference, rows(5, count, **shifted("v__number_0")), tmp_path)
    assert report.verdict == "insufficient"
    assert report.reason == f"3000 reference and {count} current cases, at least 100 of each are needed"
    assert report.files == (report.json,)
    assert json.loads(report.json.read_text())["share"] is None


def growing(seed: int, count: int, since: datetime, days: int, trend: float = 1.0) -> pl.DataFrame:
    """Rows spread over time, of which one column grows by the year, as lifetime counts do."""
    rng = np.random.default_rng(seed)
    at = pl.Series(
        [since + timedelta(days=float(day)) for day in rng.uniform(0, days, count)], dtype=pl.Datetime("us", "UTC")
    )
    years = (at - datetime(2008, 1, 1, tzinfo=UTC)).dt.total_days() / 365
    grown = pl.Series(rng.normal(size=count)) + trend * years
    return rows(seed, count, event_timestamp=at, **{f"v__{name}": grown for name in NUMBERS})


def test_what_has_always_moved_as_much_is_no_drift(tmp_path: Path):
    history = growing(1, 3_000, datetime(2008, 1, 1, tzinfo=UTC), 5 * 365)
    current = growing(2, 300, datetime(2013, 1, 1, tzinfo=UTC), 182)
    assert drift(PRODUCT, history, current, tmp_path).verdict == "none"
    # The same rows without their times, and rows that moved on faster, are drift.
    timeless = [frame.drop("event_timestamp") for frame in (history, current)]
    assert drift(PRODUCT, *timeless, tmp_path).verdict == "drift"
    faster = growing(2, 300, datetime(2013, 1, 1, tzinfo=UTC), 182, trend=2.0)
    assert drift(PRODUCT, history, faster, tmp_path).verdict == "drift"


# --- The index


def test_the_index_of_a_sample_with_itself_is_nothing():
    numbers = pd.Series(np.random.default_rng(0).normal(size=1_000))
    assert psi.index(numbers, numbers) == 0


def test_the_index_is_as_worked_out_by_hand():
    # 8 of 10 against 5 of 10, half a count added to each of three bins (a, b, all else).
    reference, current = pd.Series(list("aaaaaaaabb")), pd.Series(list("aaaaabbbbb"))
    expected, found = np.array([8.5, 2.5, 0.5]) / 11.5, np.array([5.5, 5.5, 0.5]) / 11.5
    assert psi.index(reference, current) == pytest.approx(((found - expected) * np.log(found / expected)).sum())


def test_chance_alone_rarely_exceeds_the_threshold():
    rng = np.random.default_rng(1)
    reference = pd.Series(rng.lognormal(size=3_000))
    limit = psi.threshold(reference, 3_000, 100)
    scores = [psi.index(reference, pd.Series(rng.lognormal(size=100))) for _ in range(500)]
    assert limit > 0.1
    assert np.mean(np.array(scores) > limit) < 0.01


def series(seed: int, count: int, periods: int, level: float = 1.0) -> pl.DataFrame:
    """A list of so many values in each row, and the horizon that was asked for."""
    values = np.random.default_rng(seed).lognormal(0, 1, (count, periods)) * level
    horizons = [float(1 + number % 12) for number in range(count)]
    return pl.DataFrame({"series__values": values.tolist(), "horizon": horizons, "actual_demand": values[:, -1]})


@pytest.mark.parametrize(("level", "verdict"), [(1.0, "none"), (3.0, "drift")])
def test_series_drift_where_their_values_move_and_not_because_they_grow_longer(
    tmp_path: Path, level: float, verdict: str
):
    product = replace(PRODUCTS["skill_demand"], columns=(demand.values,))
    report = drift(product, series(1, 1_000, periods=36), series(2, 400, periods=40, level=level), tmp_path)
    assert report.verdict == verdict


def test_what_a_request_asks_for_is_no_outcome(tmp_path: Path):
    product = replace(PRODUCTS["skill_demand"], columns=(demand.values,))
    report = drift(product, series(1, 1_000, 36), series(2, 400, 36), tmp_path)
    assert report.labels == ("actual_demand",)
