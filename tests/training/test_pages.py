"""A product's page: every number on it is measured, and what it links to is there."""

from dataclasses import replace

import pytest

from tests.training.tiny import PRODUCT, candidate
from training.report.blocks import json_block, suite_table
from training.report.cuts import answers
from training.report.figures import drawn, figures, smaller
from training.report.insight import Bin, importance
from training.report.page_index import index
from training.report.pages import Example, Measured, page, sections

SPOKEN = replace(
    PRODUCT,
    tags={"question": "how long a task takes", "audience": "planners"},
    limits="Nothing is known of tasks that nobody finished.",
)


@pytest.fixture(scope="module")
def measured() -> Measured:
    found = candidate(product=SPOKEN)
    weights = importance(found)
    return Measured(
        candidate=found,
        importance=weights,
        data="a tiny world",
        parts=[Bin("rank of the person", "JUNIOR", 31, 0.61, 0.83)],
        examples=[Example("POST", "/api/v1/tiny", "Hours", {"task_id": "T1"}, {"estimates": [{"hours": "number"}]})],
        figures=list(figures(found, weights, answers(found))),
        suite=[{"check": "a set", "rows": 9, "metric": "mae", "ours": 0.5, "aim": 0.4, "reached": False}],
        suite_date="2026-11-21",
    )


@pytest.fixture(scope="module")
def text(measured: Measured) -> str:
    return page(measured, "tiny", "abc")


def test_the_page_says_what_is_asked_by_whom_and_how(text):
    assert "How long a task takes. Asked by planners." in text
    assert '`POST /api/v1/tiny`\n\n```json\n{"task_id": "T1"}\n```' in text


def test_every_column_is_there_with_its_unit_under_its_view(text, measured):
    for column in measured.candidate.product.columns:
        assert f"| `{column.name}` | {column.description}" in text
    assert "| `size` | How large the task is. | h |" in text


def test_the_model_stands_beside_every_baseline_with_the_name_of_the_data(text, measured):
    ours = measured.candidate.metrics["mae_hours"]
    rules = [measured.candidate.baselines[name]["mae_hours"] for name in ("mean", "by_size")]
    row = " | ".join(f"{value:.4g}" for value in (ours, *rules))
    assert f"| mae_hours | {row} |" in sections(text)["How well"]
    assert "On a tiny world." in text


def test_where_it_fails_has_the_declared_words_and_the_measured_parts(text):
    said = sections(text)["Where it fails"]
    assert SPOKEN.limits in said
    assert "| rank of the person: JUNIOR | 31 | 0.61 | 0.83 |" in said


def test_an_aim_of_the_real_suite_that_is_missed_is_said_to_be(text):
    assert "| a set | 9 | mae | 0.5000 | 0.4000 | **no** | - |" in text


def test_each_picture_that_is_linked_was_drawn(text, measured):
    linked = [line.split("(tiny/")[1].rstrip(")") for line in text.splitlines() if line.startswith("![")]
    assert sorted(linked) == sorted(measured.figures)


def test_an_index_names_each_product_with_its_metric_beside_the_baseline_to_beat(measured):
    found = index([measured], {"other": "3 rows, at least 500"}, {"prediction_id": "text"})
    ours, theirs = measured.candidate.metrics["mae_hours"], measured.candidate.baselines["by_size"]["mae_hours"]
    cells = f"how long a task takes | mae_hours (lower is better) | {ours:.4g} | by_size {theirs:.4g}"
    assert f"| [Hours of a tiny task](tiny.md) | {cells}" in found
    assert "`other` has no page: 3 rows, at least 500." in found


def test_the_same_candidate_gives_the_same_pictures_each_under_60_kilobytes():
    found = candidate()
    weights, told = importance(found), answers(found)
    first = figures(found, weights, told)
    assert first == figures(found, weights, told)
    assert {"importance.png", "comparison.png", "error_by_size.png"} <= set(first)
    assert all(len(png) < 60_000 for png in first.values())


def test_a_picture_in_fewer_colours_is_smaller_and_as_large_as_it_was():
    from io import BytesIO

    from PIL import Image

    png = drawn(lambda axes: axes.plot(range(100)))
    assert len(smaller(png)) < len(png)
    assert Image.open(BytesIO(smaller(png))).size == Image.open(BytesIO(png)).size


def test_wide_json_is_indented_and_what_fits_stays_on_a_line():
    found = {"jobs": [{"score": "number", "why": "x" * 100}], "limit": 3}
    assert "".join(json_block(found)).splitlines() == [
        "", "```json", "{", '  "jobs": [', "    {", '      "score": "number",', f'      "why": "{"x" * 100}"', "    }",
        "  ],", '  "limit": 3', "}", "```",
    ]  # fmt: skip


def test_a_suite_without_an_aim_shows_a_dash():
    assert suite_table([{"check": "c", "rows": 1, "metric": "m", "ours": 0.25}])[-1] == (
        "| c | 1 | m | 0.2500 | - | - | - |"
    )
