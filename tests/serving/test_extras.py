"""What the market's products say beyond scores, worked out by hand on the small world."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from feature_repo.entities import job
from tests.serving import fitted, market
from tests.serving.conftest import Service, promote, promoted
from tests.serving.questions import asking
from tests.serving.test_fallback import give
from tests.serving.test_models import Answering
from training.products.talent_job_match import GROUPS, talent_job_match

Serve = Callable[[Path], Service]
JOBS, TALENTS = asking("/api/v1/match/talent-to-jobs"), asking("/api/v1/match/job-to-talents")
GAPS, CLOSING = asking("/api/v1/skill-gaps/analyze"), asking("/api/v1/skill-gaps/predict")
LEARNING, CAREERS = asking("/api/v1/recommendations/generate"), asking("/api/v1/careers/recommend")
TRENDS = asking("/api/v1/trends/analyze")


@pytest.fixture
def market_service(home: Path, serve: Serve) -> Service:
    """A service with real models of matches, gaps and demand."""
    promote(home, promoted(home, 3))
    service = serve(home)
    for name in ("talent_job_match", "skill_gap"):
        give(service, name, fitted.ensemble(name))  # type: ignore[arg-type]
    give(service, "skill_demand", fitted.forecaster())  # type: ignore[arg-type]
    return service


@pytest.mark.parametrize("asked", [JOBS, TALENTS], ids=str)
def test_the_parts_of_a_score_and_the_expected_one_add_up_to_it(market_service: Service, asked: object) -> None:
    answer = asked.answer(market_service, **{asked.route.named: None})  # type: ignore[attr-defined]
    for row in answer[asked.items]:  # type: ignore[attr-defined]
        assert set(row["parts"]) == set(GROUPS)
        added = sum(part["contribution"] for part in row["parts"].values())
        assert 0 < row["score"] < 100
        assert answer["explanation"]["expected"] + added == pytest.approx(row["score"], abs=1e-9)


def test_a_part_is_fifty_where_it_adds_nothing_and_a_hundred_from_twenty_points_on(market_service: Service) -> None:
    for row in JOBS.answer(market_service, jobs=None)["jobs"]:
        for part in row["parts"].values():
            assert part["score"] == pytest.approx(min(max(50 + 2.5 * part["contribution"], 0), 100))


def test_reasons_are_the_three_strongest_factors(market_service: Service) -> None:
    for row in JOBS.answer(market_service, jobs=None)["jobs"]:
        assert row["reasons"] == [factor["sentence"] for factor in row["factors"][:3]]


@pytest.mark.parametrize(("score", "badge"), [(80.0, False), (80.1, True), (12.0, False)])
def test_the_badge_is_for_scores_above_eighty(home: Path, serve: Serve, score: float, badge: bool) -> None:
    promote(home, promoted(home, 3))
    service = serve(home)
    give(service, "talent_job_match", Answering(score=score, confidence=0.9))
    assert {row["badge"] for row in JOBS.answer(service)["jobs"]} == {badge}


def test_what_the_rule_scored_has_no_parts_and_no_reasons(market_service: Service) -> None:
    rows = {row["job_id"]: row for row in JOBS.answer(market_service, jobs=["JB0", "nothing"])["jobs"]}
    assert (rows["nothing"]["parts"], rows["nothing"]["reasons"]) == (None, None)
    assert rows["JB0"]["parts"] is not None


def test_learning_hours_are_the_missing_levels_at_the_pace_of_what_teaches_the_skill(market_service: Service) -> None:
    answer = CLOSING.answer(market_service, person_id="P1", target_id="engineer", skills=["spark", "python"])
    hours = {row["skill_id"]: row["learning_hours"] for row in answer["skills"]}
    # contents take 10 h for 2 levels and 20 h for 2: 7.5 h for one; P1 lacks 3 of spark and 3 - 2 of python
    assert hours == {"spark": 22.5, "python": 7.5}


def test_priorities_follow_the_chance_of_a_gap(market_service: Service) -> None:
    for chance, priority in ((0.71, "high"), (0.7, "medium"), (0.5, "low"), (0.31, "low")):
        give(market_service, "skill_gap", Answering(score=chance, confidence=0.9))
        assert {row["priority"] for row in GAPS.answer(market_service)["skills"]} == {priority}


def test_gaps_of_thirty_percent_and_less_are_not_shown_by_the_analysis(market_service: Service) -> None:
    give(market_service, "skill_gap", Answering(score=0.3, confidence=0.9))
    assert GAPS.answer(market_service)["skills"] == []
    assert len(CLOSING.answer(market_service)["skills"]) == 2


def test_the_impact_on_a_job_is_its_match_score_before_and_with_the_skill(market_service: Service) -> None:
    row = CLOSING.answer(market_service, person_id="P0", target_id="JB3", skills=["spark"])["skills"][0]
    before = JOBS.answer(market_service, person_id="P0", jobs=["JB3"])["jobs"][0]["score"]
    # P0 declares go at level 1; JB3 asks for spark and sql at level 2 + 3 % 3
    held = {"skills": ["go", "spark"], "levels": [1.0, 2.0], "years": [0.0, None]}
    after = scores(market_service, "P0", ["JB3"], held)[0]
    assert row["impact"]["before"] == before
    assert row["impact"]["after"] == after
    assert after > before
    assert row["impact"]["sentence"].startswith(f"Learn spark: {before:.0f} -> {after:.0f}, ")


def test_the_impact_without_a_job_is_on_the_ten_best_matches(market_service: Service) -> None:
    row = CLOSING.answer(market_service, person_id="P0", target_id=None, skills=["spark"])["skills"][0]
    jobs = [name for name in market.JOBS if name != market.CLOSED]
    now = {"skills": ["go"], "levels": [1.0], "years": [0.0]}
    then = {"skills": ["go", "spark"], "levels": [1.0, 3.0], "years": [0.0, None]}
    for name, held in (("before", now), ("after", then)):
        found = scores(market_service, "P0", jobs, held)
        assert row["impact"][name] == pytest.approx(np.sort(found)[-10:].mean())
        assert row["impact"][f"jobs_{name}"] == (found > 80).sum()


def scores(service: Service, person: str, jobs: list[str], held: dict[str, list[object]]) -> np.ndarray:
    """Match scores of somebody who declares these skills."""
    published = service.running.features.current
    assert published is not None
    assert published.knows(job, jobs[0])
    spine = pl.DataFrame({"person_id": [person] * len(jobs), "job_id": jobs})
    given = pl.DataFrame(
        {f"talent_skill_set__{name}": [values] * len(jobs) for name, values in held.items()},
        schema_overrides={"talent_skill_set__years": pl.List(pl.Float64)},
    )
    frame = published.read(spine, talent_job_match.columns, given)
    found: np.ndarray = fitted.ensemble("talent_job_match").predict(frame)["score"]
    return found


def test_a_path_puts_what_must_be_known_before_first_and_adds_up_the_hours(market_service: Service) -> None:
    answer = LEARNING.answer(market_service, person_id="P0", target_id="engineer", contents=None, limit=100)
    path = answer["path"]
    assert {step["content_id"] for step in path} == {"C2", "C3", "C4", "C7", "C8", "C9"}  # python, spark, sql
    first = {
        skill: next(n for n, step in enumerate(path) if step["skill_id"] == skill)
        for skill in ("python", "spark", "sql")
    }
    assert first["spark"] > max(first["python"], first["sql"])
    assert all(step["waits_for"] == [] for step in path)
    assert path[-1]["hours"] == 3 * 10 + 3 * 20
    assert {row["content_id"]: row["title"] for row in answer["contents"]}["C8"] == "Spark 2"


def test_a_path_says_what_is_missing_where_nothing_teaches_it(market_service: Service) -> None:
    [step] = LEARNING.answer(market_service, person_id="P0", contents=["C3"])["path"]
    assert (step["content_id"], step["waits_for"]) == ("C3", ["python", "sql"])


def test_a_career_says_what_is_missing_and_which_related_one_is_nearest(market_service: Service) -> None:
    rows = {row["occupation_id"]: row for row in CAREERS.answer(market_service, occupations=None)["occupations"]}
    # P0 declares go alone; the analyst's dbt matters more than its sql; gopher leads to engineer, which needs three
    assert rows["analyst"]["missing_skills"] == ["dbt", "sql"]
    assert rows["gopher"]["missing_skills"] == []
    assert rows["gopher"]["next_step"] == {"occupation_id": "engineer", "title": "Engineer", "missing": 3}
    assert rows["engineer"]["next_step"] == {"occupation_id": "analyst", "title": "Analyst", "missing": 2}
    assert rows["analyst"]["about"] == {"title": "Analyst", "cluster": "IT", "wage": 50_000.0, "source": "synthetic"}


def test_trends_name_what_rises_and_what_falls_the_most_change_first(market_service: Service) -> None:
    answer = TRENDS.answer(market_service, skills=None, horizon=6)
    assert {row["skill_id"]: row["direction"] for row in answer["skills"]} == {
        "python": "rising", "go": "falling", "sql": "steady",
    }  # fmt: skip
    assert answer["movers"] == {"rising": ["python"], "falling": ["go"]}
    assert answer["skills"][-1]["skill_id"] == "sql"


@pytest.mark.parametrize(
    ("target_id", "first"),
    [("engineer", ["C2", "C7", "C3", "C8", "C4", "C9"]), ("gopher", ["C1", "C6"]), (None, ["C1", "C6"])],
)
def test_studied_for_a_target_is_what_teaches_its_skills_and_without_one_what_is_near(
    market_service: Service, target_id: str | None, first: list[str]
) -> None:
    # content number n teaches skill n % 5 of dbt, go, python, spark, sql; P0 works with go
    published = market_service.running.features.current
    assert published is not None
    asked = {"person_id": "P0"} if target_id is None else {"person_id": "P0", "target_id": target_id}
    assert list(published.candidates(LEARNING.route.path, asked))[: len(first)] == first


@pytest.mark.parametrize(("asked", "is_computed"), [(JOBS, True), (GAPS, False), (TRENDS, False)], ids=str)
def test_contributions_are_computed_unasked_only_for_what_is_made_of_them(
    market_service: Service, asked: object, is_computed: bool
) -> None:
    counted = f'talentml_stage_seconds_count{{product="{asked.product.name}",stage="explanation"}}'  # type: ignore[attr-defined]
    before = market_service.metric(counted)
    asked.answer(market_service, explain=False)  # type: ignore[attr-defined]
    assert (market_service.metric(counted) > before) is is_computed
