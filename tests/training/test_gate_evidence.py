"""What the gate is given: both models' answers to the same unseen rows, unit by unit, and by slice."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from feature_repo.entities import person
from feature_repo.errors import DataError
from training.contributions import Contributions
from training.gate import decide
from training.metrics import absolute_error
from training.product import Baseline, Gate, Label, Metric, Product, Slice, TimeSplit
from training.promotion import Contest, _check_unseen, evidence
from training.route import Outputs, Route
from training.version import Version

START = datetime(2024, 1, 1, tzinfo=UTC)
WEEK = timedelta(days=7)


@dataclass(frozen=True)
class Shifted:
    """A model that answers the truth plus a shift, another one where the row is new."""

    shift: float
    shift_on_new: float | None = None

    def predict(self, frame: pl.DataFrame) -> Outputs:
        on_new = self.shift if self.shift_on_new is None else self.shift_on_new
        shift = pl.when(pl.col("is_new")).then(on_new).otherwise(self.shift)
        return {"hours": frame.select(pl.col("actual_hours") + shift).to_series().to_numpy()}

    def contributions(self, frame: pl.DataFrame) -> Contributions:
        return Contributions.of([], np.zeros((frame.height, 1)))

    def save(self, folder: Path) -> None:
        raise NotImplementedError


METRIC = absolute_error("mae_hours", "actual_hours", "hours")
PRODUCT = Product(
    name="shifted",
    title="Shifted hours",
    entities=(),
    columns=(),
    label=Label("actual_hours", lambda facts, window: pl.DataFrame()),
    outputs=("hours",),
    split=TimeSplit(WEEK, WEEK, WEEK),
    trainer=None,  # type: ignore[arg-type]
    metrics=(METRIC,),
    baselines=(Baseline("far", (), Shifted(9.0).predict),),
    fallback="far",
    gate=Gate("mae_hours", beats="far"),
    routes=(Route("/api/v1/shifted", subject=(person,)),),
    slices=(Slice("new", lambda frame: frame["is_new"]),),
)


def frame(rows: int = 100, groups: int = 100) -> pl.DataFrame:
    """Row i: group i modulo groups, actual hours 10 + i, every fourth row new, an hour apart."""
    return pl.DataFrame(
        {
            "group": [f"G{i % groups}" for i in range(rows)],
            "actual_hours": [10.0 + i for i in range(rows)],
            "is_new": [i % 4 == 0 for i in range(rows)],
            "event_timestamp": [START + timedelta(hours=i) for i in range(rows)],
        }
    )


def test_both_models_and_the_baseline_are_scored_on_the_same_rows() -> None:
    found = evidence(PRODUCT, frame(), Shifted(1.0), Shifted(2.0))
    assert found.candidate.tolist() == [1.0] * 100
    assert found.champion is not None
    assert found.champion.tolist() == [2.0] * 100
    assert found.baseline.tolist() == [9.0] * 100
    assert not found.higher_is_better


@pytest.mark.parametrize(
    ("challenger", "champion", "promoted"), [(1.0, 2.0, True), (2.0, 1.0, False), (1.0, 1.0, False)]
)
def test_the_better_model_wins_and_a_tie_keeps_the_champion(challenger: float, champion: float, promoted: bool) -> None:
    assert decide(evidence(PRODUCT, frame(), Shifted(challenger), Shifted(champion))).promote is promoted


def test_a_slice_holds_its_own_rows_only() -> None:
    found = evidence(PRODUCT, frame(), Shifted(1.0, 5.0), Shifted(2.0)).slices["new"]
    assert found.candidate.tolist() == [5.0] * 25
    assert found.champion is not None
    assert found.champion.tolist() == [2.0] * 25


def test_a_model_that_is_better_overall_and_bad_on_a_slice_is_refused() -> None:
    verdict = decide(evidence(PRODUCT, frame(), Shifted(1.0, 2.5), Shifted(2.0)))
    assert verdict.numbers["gain"] > 0
    assert not verdict.promote
    assert "slice new" in verdict.reason


def test_the_first_model_is_held_against_the_baseline() -> None:
    assert decide(evidence(PRODUCT, frame(), Shifted(1.0), None)).promote
    assert not decide(evidence(PRODUCT, frame(), Shifted(9.5), None)).promote


def test_rows_of_a_group_are_one_piece_of_evidence() -> None:
    found = evidence(PRODUCT, frame(100, groups=10), Shifted(1.0), Shifted(2.0))
    assert found.clusters is not None
    assert len(np.unique(found.clusters)) == 10
    assert "10 units are too few" in decide(found).reason


def test_a_label_may_say_that_other_rows_than_those_of_a_group_depend_on_each_other() -> None:
    rows = frame(100, groups=50).with_columns(cluster=pl.int_range(pl.len()) % 4)
    found = evidence(PRODUCT, rows, Shifted(1.0), Shifted(2.0))
    assert found.clusters is not None
    assert len(np.unique(found.clusters)) == 4


def test_a_metric_by_group_needs_no_clusters() -> None:
    by_group = Metric("by_group", lambda rows: rows.group_by("group").agg(pl.col("hours").mean())["hours"].to_numpy())
    product = replace(PRODUCT, metrics=(by_group,), gate=Gate("by_group", beats="far"))
    assert evidence(product, frame(100, groups=50), Shifted(1.0), None).clusters is None


def test_a_metric_that_is_no_mean_cannot_gate() -> None:
    rmse = replace(METRIC, total=lambda rows: 1.0)
    with pytest.raises(DataError, match="no mean"):
        evidence(replace(PRODUCT, metrics=(rmse,)), frame(), Shifted(1.0), None)


@dataclass(frozen=True)
class Short(Shifted):
    def predict(self, frame: pl.DataFrame) -> Outputs:
        return {"hours": super().predict(frame)["hours"][:3]}


@dataclass(frozen=True)
class Renamed(Shifted):
    def predict(self, frame: pl.DataFrame) -> Outputs:
        return {"days": super().predict(frame)["hours"]}


@pytest.mark.parametrize("model", [Short(1.0), Renamed(1.0)])
def test_a_model_that_does_not_answer_each_row_with_the_products_outputs_is_an_error(model: Shifted) -> None:
    with pytest.raises(DataError, match="allowed: 100 of hours"):
        evidence(PRODUCT, frame(), model, Shifted(2.0))


@dataclass(frozen=True)
class Silent(Shifted):
    """Does not answer for the first row."""

    def predict(self, frame: pl.DataFrame) -> Outputs:
        return {"hours": np.append(np.nan, super().predict(frame)["hours"][1:])}


def test_an_answer_that_is_no_number_is_a_refusal() -> None:
    assert "missing for 1 of 100" in decide(evidence(PRODUCT, frame(), Silent(1.0), Shifted(2.0))).reason


def version(number: int, trained_until: datetime) -> Version:
    return Version("shifted", number, "run", "data", "code", trained_until + WEEK, trained_until, "", "shifted")


def test_rows_count_as_unseen_after_the_later_training_of_the_two() -> None:
    early, late = version(1, START), version(2, START + WEEK)
    assert Contest(PRODUCT, early, late).since == START + WEEK
    assert Contest(PRODUCT, late, early).since == START + WEEK
    assert Contest(PRODUCT, early, None).since == START


@pytest.mark.parametrize(
    ("trained_until", "as_of"),
    [(START + timedelta(hours=1), START + WEEK), (START, START + timedelta(hours=99))],
    ids=["seen in training", "later than the as-of date"],
)
def test_a_row_outside_the_unseen_period_is_an_error(trained_until: datetime, as_of: datetime) -> None:
    contest = Contest(PRODUCT, version(2, trained_until), None)
    with pytest.raises(DataError, match="1 rows to judge upon lie outside"):
        _check_unseen(contest, frame(), as_of)


def test_rows_inside_the_unseen_period_pass() -> None:
    _check_unseen(Contest(PRODUCT, version(2, START), None), frame(), START + timedelta(hours=100))
