"""Occupations from what people say, in a world where skills decide and a country does not."""

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from feature_repo.errors import DataError
from training.learners.marks import MISSING, Inputs, Marks
from training.learners.occupation import Occupations
from training.model import SUFFIXES
from training.suite import so_survey
from training.suite.check import row

INPUTS = Inputs(lists=("skills", "interests"), texts=("country",), numbers=("years",), pairs=("skills",))
JOBS = ("analyst", "backend", "mobile")
PLANTED = {"analyst": ["R", "Excel"], "backend": ["SQL", "Go"], "mobile": ["Swift", "Kotlin"]}


def people(seed: int, count: int = 900) -> pl.DataFrame:
    """Nine in ten have the two skills of their occupation; interests, country and years are noise."""
    random = np.random.default_rng(seed)
    jobs = random.choice(JOBS, count)
    told = np.where(random.random(count) < 0.9, jobs, random.choice(JOBS, count))
    return pl.DataFrame(
        {
            "skills": [PLANTED[job] for job in told],
            "interests": [
                [each] if each != "none" else None for each in random.choice(["art", "sport", "none"], count)
            ],
            "country": random.choice(["A", "B"], count),
            "years": random.integers(0, 30, count).astype(float),
            "job": jobs,
        }
    )


@pytest.fixture(scope="module")
def model():
    return Occupations.fit(people(1), "job", INPUTS, seed=1)


def test_it_finds_the_planted_skills_and_beats_the_majority(model):
    unseen = people(2)
    first = model.best(unseen, 1)["occupation"]
    accuracy = (first == unseen["job"]).mean()
    assert accuracy == pytest.approx(0.93, abs=0.03)
    assert accuracy > 2 * unseen["job"].value_counts()["count"].max() / unseen.height


def test_probabilities_are_shares_of_one_and_say_how_often_they_are_right(model):
    unseen = people(2)
    found = model.probabilities(unseen)
    assert found.sum(axis=1) == pytest.approx(np.ones(unseen.height))
    right = (model.best(unseen, 1)["occupation"] == unseen["job"]).mean()
    assert found.max(axis=1).mean() == pytest.approx(right, abs=0.05)


def test_contributions_sum_to_the_log_odds_and_name_the_skill_that_decides(model):
    unseen = people(2, 50).with_columns(pl.lit("mobile").alias("job"), pl.lit(["Swift", "Kotlin"]).alias("skills"))
    parts = model.contributions(unseen, ["mobile"] * 50)
    log_odds = model.log_odds(unseen)[:, JOBS.index("mobile")]
    assert parts.sum_horizontal().to_numpy() == pytest.approx(log_odds, abs=1e-9)
    strongest = parts.drop("expected").mean().transpose(include_header=True).sort("column_0")["column"][-1]
    assert strongest in {"skills=Swift", "skills=Kotlin"}
    assert {"country", "years", "skills_count"} <= set(parts.columns)


def test_a_batch_answers_as_its_people_do_one_by_one(model):
    unseen = people(2, 5)
    single = np.vstack([model.probabilities(unseen.slice(n, 1)) for n in range(5)])
    assert model.probabilities(unseen) == pytest.approx(single, abs=1e-12)


def test_somebody_who_says_nothing_gets_an_answer(model):
    silent = people(2, 1).with_columns(pl.lit(None).cast(pl.List(pl.String)).alias("skills"))
    assert model.probabilities(silent).sum() == pytest.approx(1)


def test_the_same_seed_gives_the_same_model_and_it_survives_save_and_load(model, tmp_path: Path):
    model.save(tmp_path)
    assert {path.suffix for path in tmp_path.iterdir()} <= SUFFIXES
    unseen = people(2)
    for other in (Occupations.load(tmp_path), Occupations.fit(people(1), "job", INPUTS, seed=1)):
        assert (other.probabilities(unseen) == model.probabilities(unseen)).all()
        assert other.contributions(unseen, unseen["job"]).equals(model.contributions(unseen, unseen["job"]))


def test_two_occupations_are_enough():
    frame = people(1).filter(pl.col("job") != "mobile")
    two = Occupations.fit(frame, "job", INPUTS, seed=1)
    assert (two.best(frame, 1)["occupation"] == frame["job"]).mean() > 0.9
    parts = two.contributions(frame, frame["job"])
    of_truth = np.where(frame["job"] == "analyst", *two.log_odds(frame).T)
    assert parts.sum_horizontal().to_numpy() == pytest.approx(of_truth, abs=1e-9)


@pytest.mark.parametrize(
    ("broken", "message"),
    [
        (people(1).drop("years"), "column years is missing"),
        (people(1).head(50), "found 50 people"),
        (people(1).with_columns(job=pl.lit("analyst")), "of 1 occupations"),
    ],
)
def test_people_who_cannot_be_learnt_from_are_refused(broken, message):
    with pytest.raises(DataError, match=message):
        Occupations.fit(broken, "job", INPUTS, seed=1)


def test_an_unknown_occupation_cannot_be_explained(model):
    with pytest.raises(DataError, match="'astronaut' is unknown"):
        model.contributions(people(2, 1), ["astronaut"])


def test_marks_of_a_small_table_worked_out_by_hand():
    """
    who     skills   country
    1-20    a, b     X
    21-40   a        none
    41-45   rare     X
    """
    table = pl.DataFrame(
        {
            "skills": [["a", "b"]] * 20 + [["a"]] * 20 + [["rare"]] * 5,
            "country": ["X"] * 20 + [None] * 20 + ["X"] * 5,
        }
    )
    marks = Marks.of(table, Inputs(lists=("skills",), texts=("country",)))
    expected = {"skills=a": 40, "skills=b": 20, "country=X": 25, f"country={MISSING}": 20}
    counts = dict(zip(marks.names, marks.rows(table).sum(axis=0).A1, strict=True))
    assert {name: counts[name] for name in expected} == expected
    assert "skills=rare" not in counts


def test_the_check_leaves_out_students_small_classes_and_those_who_name_no_technology(tmp_path: Path):
    (tmp_path / "so_survey").mkdir()
    crowd = people(1, 900)
    survey = crowd.with_columns(pl.lit(None, pl.String).alias(name) for name in so_survey.INPUTS.columns).with_columns(
        *(pl.lit(None, pl.Float64).alias(name) for name in so_survey.INPUTS.numbers),
        tech_do=crowd["skills"].list.join("; "),
        occupation_group=crowd["job"],
    )
    others = survey.head(300).with_columns(
        occupation_group=pl.Series(["Student"] * 200 + ["Growth hacker"] * 90 + ["backend"] * 10),
        tech_do=pl.Series(["Go"] * 290 + [None] * 10),
    )
    pl.concat([survey, others]).write_parquet(tmp_path / so_survey.SURVEY)
    found = row(so_survey.CHECKS[0], tmp_path)
    assert found["rows"] == 180
    assert found["ours"]["top-1"] > 0.85 > found["baselines"]["majority"]["top-1"]
