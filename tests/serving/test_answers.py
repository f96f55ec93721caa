"""What the product routes answer."""

from typing import Any

import pytest

from tests.serving.conftest import Service

NEW_TASK = {"title": "Move the reports", "priority": 3, "project_id": "J1", "estimate_hours": 4.0}


def test_a_stored_task_gets_ranked_candidates_by_the_champion(service: Service) -> None:
    answer = service.rank(task_id="T60", limit=3)
    scores = [candidate["score"] for candidate in answer["candidates"]]
    assert scores == sorted(scores, reverse=True)
    assert [candidate["rank"] for candidate in answer["candidates"]] == [1, 2, 3]
    assert (answer["source"], answer["model"], answer["reason"]) == (
        "model",
        {"name": "task_assignment", "version": 3},
        None,
    )
    assert (answer["task_id"], answer["as_of"]) == ("T60", "2012-01-01T00:00:00Z")


def test_without_candidates_all_who_worked_in_the_last_year_and_are_still_here_are_ranked(service: Service) -> None:
    people = {candidate["person_id"] for candidate in service.rank(task_id="T60", limit=100)["candidates"]}
    assert people == {"P0", "P1", "P2", "P3", "P4", "P5", "P6"}  # P7 has left


def test_only_the_named_candidates_are_ranked(service: Service) -> None:
    answer = service.rank(task_id="T60", candidates=["P7", "P2"])
    assert {candidate["person_id"] for candidate in answer["candidates"]} == {"P7", "P2"}


def test_one_candidate_gets_the_same_score_alone_and_among_others(service: Service) -> None:
    among = {each["person_id"]: each["score"] for each in service.rank(task_id="T60", limit=100)["candidates"]}
    alone = service.rank(task_id="T60", candidates=["P2"])["candidates"][0]["score"]
    assert alone == among["P2"]


def test_confidence_is_one_less_twice_the_variance_of_the_member_scores(service: Service) -> None:
    best = service.rank(task_id="T60")["candidates"][0]
    mean = (best["content_score"] + best["collaborative_score"]) / 2
    variance = ((best["content_score"] - mean) ** 2 + (best["collaborative_score"] - mean) ** 2) / 2
    assert best["confidence"] == pytest.approx(1 - min(2 * variance, 0.5))


def test_an_unknown_person_is_answered_by_the_rule_and_marked(service: Service) -> None:
    sources = {
        each["person_id"]: each["source"]
        for each in service.rank(task_id="T60", candidates=["P1", "nobody"])["candidates"]
    }
    assert sources == {"P1": "model", "nobody": "fallback"}


def test_only_unknown_people_are_answered_by_the_rule(service: Service) -> None:
    answer = service.rank(task_id="T60", candidates=["nobody"])
    assert (answer["source"], answer["reason"]) == ("fallback", "person unknown")


ODD_NAMES = ["(new)", 'a "b"', "{}", "null", "é \u2028 \U0001f600", "%s", "\\u0041"]


@pytest.mark.parametrize("name", ODD_NAMES)
def test_somebody_whom_nobody_knows_is_answered_under_the_name_that_was_asked(service: Service, name: str) -> None:
    among = service.rank(task_id="T60", candidates=["P1", name], explain=False)["candidates"]
    assert [each["person_id"] for each in among] == ["P1", name]
    assert service.estimate(person_id=name, task_id="T60")["estimates"][0]["person_id"] == name
    assert service.post("talent_job_match", {"person_id": name})["person_id"] == name


def test_a_task_that_is_not_stored_is_ranked_by_its_columns(service: Service) -> None:
    answer = service.rank(task=NEW_TASK)
    assert (answer["source"], answer["task_id"]) == ("model", None)
    twice = service.rank(task={**NEW_TASK, "estimate_hours": 400.0})
    assert [row["score"] for row in twice["candidates"]] != [row["score"] for row in answer["candidates"]]


def test_a_pair_gets_hours_and_timeliness_with_intervals(service: Service) -> None:
    estimate = service.estimate(person_id="P1", task_id="T60")["estimates"][0]
    assert set(estimate["hours"]) == {"expected", "low", "high", "unit"}
    assert (estimate["hours"]["unit"], estimate["timeliness_days"]["unit"]) == ("h", "days")


def test_pairs_are_answered_in_their_order_stored_and_new_tasks_mixed(service: Service) -> None:
    pairs: list[dict[str, Any]] = [
        {"person_id": "P1", "task": NEW_TASK},
        {"person_id": "P2", "task_id": "T61"},
        {"person_id": "P3", "task": {**NEW_TASK, "estimate_hours": 40.0}},
        {"person_id": "P4", "task_id": "T60"},
    ]
    together = service.estimate(pairs=pairs, explain=False)["estimates"]
    assert [(row["person_id"], row["task_id"]) for row in together] == [
        ("P1", None),
        ("P2", "T61"),
        ("P3", None),
        ("P4", "T60"),
    ]
    assert together == [service.estimate(**pair, explain=False)["estimates"][0] for pair in pairs]


def test_every_answer_has_an_id_of_its_own_and_says_how_long_it_took(service: Service) -> None:
    answers = [service.rank(task_id="T60") for _ in range(3)]
    assert len({answer["prediction_id"] for answer in answers}) == 3
    assert all(answer["processing_ms"] > 0 for answer in answers)


def test_factors_are_the_strongest_contributions_in_words(service: Service) -> None:
    answer = service.rank(task_id="T60", limit=1)
    factors = answer["candidates"][0]["factors"]
    sizes = [abs(factor["contribution"]) for factor in factors]
    assert 0 < len(factors) <= 5
    assert sizes == sorted(sizes, reverse=True)
    assert all(factor["direction"] == ("raises" if factor["contribution"] > 0 else "lowers") for factor in factors)
    assert all(factor["sentence"].endswith(f"This {factor['direction']} the score.") for factor in factors)
    assert answer["explanation"]["output"] == "score"


def test_without_explain_there_are_no_factors(service: Service) -> None:
    answer = service.rank(task_id="T60", explain=False)
    assert answer["explanation"] is None
    assert all(candidate["factors"] is None for candidate in answer["candidates"])
