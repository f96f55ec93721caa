"""Answers from scores, worked out by hand."""

import json
import time
import uuid
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pytest

from monitoring.prediction_log import without_factors
from serving.answering.bodies import Body, Said, body
from serving.answering.features import Asked, read_for
from serving.answering.heads import Head, head, new_id
from serving.answering.scoring import Scored
from training.product import Product
from training.products import PRODUCTS
from training.route import Extra, Route

RANKING, ESTIMATE = PRODUCTS["task_assignment"], PRODUCTS["task_performance"]
NAN = float("nan")
HEAD = Head("a", "b", 2, "model", None, datetime(2026, 1, 1, tzinfo=UTC), "v1", b'{"scale":"score"}')


def answer(
    product: Product, asked: Asked, outputs: Any, shown: list[int], by_model: Any = None, **said: Any
) -> dict[str, Any]:
    """What is answered with these outputs; nobody published anything."""
    found: dict[str, Any] = json.loads(answered(product, asked, outputs, shown, by_model, **said).json)
    return found


def answered(product: Product, asked: Asked, outputs: Any, shown: list[int], by_model: Any = None, **said: Any) -> Said:
    arrays = {name: np.asarray(outputs.get(name, [NAN] * asked.height), np.float64) for name in product.outputs}
    known = np.ones(asked.height, np.bool_) if by_model is None else np.asarray(by_model)
    read, scored = read_for(None, asked, product.asked_columns), Scored(None, arrays, known, "no model")
    begin = head(product, read, scored)
    made = body(product, begin, asked, scored, shown, said.get("factors", {}), said.get("extras", {}))
    return made.said(1.23456)


def candidates(names: list[str], route: Route = RANKING.route) -> Asked:
    ids = {"person_id": names, "task_id": ["T1"] * len(names)}
    return Asked(route, ids, [None] * len(names), {"task_id": "T1"})  # type: ignore[arg-type]


def test_a_ranking_by_hand() -> None:
    # the members of a differ by .2: variance .01; b has one member only
    outputs = {"score": [0.5, 0.7], "content_score": [0.6, 0.3], "collaborative_score": [0.4, NAN]}
    found = answer(RANKING, candidates(["a", 'b "x", y']), outputs, [1, 0], by_model=[True, False])
    assert found["task_id"] == "T1"
    assert found["candidates"] == [
        {"person_id": 'b "x", y', "rank": 1, "score": 0.7, "content_score": 0.3, "collaborative_score": None,
         "confidence": None, "factors": None, "source": "fallback"},
        {"person_id": "a", "rank": 2, "score": 0.5, "content_score": 0.6, "collaborative_score": 0.4,
         "confidence": pytest.approx(0.98), "factors": None, "source": "model"},
    ]  # fmt: skip


def test_an_answer_says_how_sure_the_first_one_is() -> None:
    outputs = {"score": [0.5, 0.7], "content_score": [0.5, 1.0], "collaborative_score": [0.5, 0.6]}
    asked = candidates(["a", "b"])
    assert answer(RANKING, asked, outputs, [0, 1])["confidence"] == 1
    assert answer(RANKING, asked, outputs, [1, 0])["confidence"] == pytest.approx(0.92)  # 1 - 2 * .2 ** 2
    assert answer(RANKING, asked, outputs, [])["confidence"] is None


def test_a_row_that_lacks_a_member_makes_no_other_one_less_sure() -> None:
    content, collaborative = [0.61, 0.3, 0.9], [0.4, 0.77, NAN]
    whole = {"score": content[:2], "content_score": content[:2], "collaborative_score": collaborative[:2]}
    some = {"score": content, "content_score": content, "collaborative_score": collaborative}
    both = (answer(RANKING, candidates([*"abc"][:n]), said, [0, 1]) for n, said in ((2, whole), (3, some)))
    alone, among = ([row["confidence"] for row in found["candidates"]] for found in both)
    assert alone == among


def test_a_measure_that_nobody_expects_is_null_and_says_why() -> None:
    ids: dict[str, list[str | None]] = {"person_id": ["P1", "P2"], "task_id": ["T1", "(new)"]}
    asked = Asked(ESTIMATE.route, ids, [None, None], {})
    outputs = {"hours": [4.0, NAN], "hours_low": [1.0, 1.0], "hours_high": [NAN, 9.0], "quality": [0.5, 0.5]}
    first, second = answer(ESTIMATE, asked, outputs, [0, 1])["estimates"]
    assert first["hours"] == {"expected": 4.0, "low": 1.0, "high": None, "unit": "h"}
    assert (first["task_id"], second["task_id"], second["hours"]) == ("T1", None, None)
    assert (set(first["reasons"]), set(second["reasons"])) == ({"timeliness_days"}, {"hours", "timeliness_days"})


def test_factors_stand_with_the_rows_that_were_explained() -> None:
    found = answer(RANKING, candidates(["a", "b"]), {"score": [0.5, 0.7]}, [1, 0], factors={0: b'[{"column":"x"}]'})
    assert [row["factors"] for row in found["candidates"]] == [None, [{"column": "x"}]]


@pytest.mark.parametrize("name", ["a", 'a","factors":\t'])
def test_what_is_logged_of_an_answer_is_all_but_its_factors(name: str) -> None:
    asked = candidates([name, "b"])
    explained = answered(RANKING, asked, {"score": [0.5, 0.7]}, [1, 0], factors={0: b'[{"column":"x"}]'})
    assert json.loads(explained.logged) == without_factors({**json.loads(explained.json), "explanation": {}}) | {
        "explanation": None
    }
    plain = answered(RANKING, asked, {"score": [0.5, 0.7]}, [1, 0])
    assert plain.logged is plain.json


def test_an_extra_stands_with_each_row_or_beside_them_and_is_null_where_it_cannot_be_had() -> None:
    each = Extra("badge", bool, lambda _: [], "Whether it stands out", per_row=True)
    route = replace(RANKING.route, extras=(each, Extra("movers", list[str], lambda _: [], "Those that rise")))
    asked = candidates(["a", "b"], route)
    had = answer(RANKING, asked, {}, [0, 1], extras={"badge": [True, False], "movers": ["x"]})
    assert ([row["badge"] for row in had["candidates"]], had["movers"]) == ([True, False], ["x"])
    lacking = answer(RANKING, asked, {}, [0, 1], extras={"badge": None, "movers": None})
    assert ([row["badge"] for row in lacking["candidates"]], lacking["movers"]) == ([None, None], None)


def test_each_time_an_answer_is_given_it_has_an_id_and_a_time_of_its_own() -> None:
    rest = [b',"candidates":', b"[]}"]
    said = Body(HEAD, rest, rest).said(1.23456)
    first, again = json.loads(said.json), json.loads(said.body.said(0.1, is_cached=True).json)
    own = ("prediction_id", "processing_ms", "cached")
    assert [first.pop(name) for name in own] == [said.prediction_id, 1.235, False]
    assert [again.pop(name) for name in own[1:]] == [0.1, True]
    assert again.pop("prediction_id") != said.prediction_id
    assert first == again == {
        "product": "a", "model": {"name": "b", "version": 2}, "source": "model", "reason": None,
        "as_of": "2026-01-01T00:00:00Z", "snapshot": "v1", "explanation": {"scale": "score"}, "candidates": [],
    }  # fmt: skip


def test_an_explained_answer_that_is_given_again_is_logged_without_factors_again() -> None:
    said = Body(HEAD, [b',"candidates":[', b'{"factors":[]}', b"]}"], [b',"candidates":[', b"{}", b"]}"]).said(1.0)
    again = said.body.said(1.0)
    assert [json.loads(each)["candidates"] for each in (again.json, again.logged)] == [[{"factors": []}], [{}]]


def test_an_id_is_a_uuid_of_its_millisecond_and_random_within_it() -> None:
    begun = time.time_ns() // 1_000_000
    found = {uuid.UUID(new_id()) for _ in range(1000)}
    assert len(found) == 1000
    assert {(each.version, each.variant) for each in found} == {(7, uuid.RFC_4122)}
    assert {each.int >> 80 for each in found} <= set(range(begun, time.time_ns() // 1_000_000 + 1))
