"""`talentml pages`: a page for each product that can be measured, and the suite's table in its place."""

import json
from pathlib import Path

import pytest

from dags.verbs.pages import BEGIN, END
from tests.dags.command import talentml
from tests.training.homes import published

SUITE = {
    "suite": "real",
    "measured_at": "2026-11-21",
    "checks": [
        {
            "check": "so_occupation", "title": "Occupation", "split": "a random fifth", "product": "career",
            "rows": 8135, "ours": {"top-1": 0.534}, "aims": {"top-1": 0.53}, "reached": {"top-1": True},
            "baselines": {"majority": {"top-1": 0.339}},
        }
    ],
}  # fmt: skip


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return published(tmp_path_factory.mktemp("home"))


@pytest.fixture
def suite(tmp_path: Path) -> Path:
    path = tmp_path / "suite.json"
    path.write_text(json.dumps(SUITE))
    return path


def test_a_page_and_its_pictures_lie_where_they_are_asked_for(home, suite, tmp_path):
    folder = tmp_path / "docs" / "products"
    done = talentml("pages", folder, "--fit", "--product", "career", "--suite-file", suite, "--json", home=home)
    assert done.code == 0, done.stderr
    assert done.answer["pages"] == ["career"]
    text = (folder / "career.md").read_text()
    assert "| so_occupation | 8,135 | top-1 | 0.5340 | 0.5300 | yes | majority 0.339 |" in text
    assert all((folder / "career" / name).is_file() for name in ("importance.png", "calibration_score.png"))


def test_the_suites_table_takes_its_place_and_leaves_the_words_around_it(home, suite, tmp_path):
    page = tmp_path / "docs" / "real-suite.md"
    page.parent.mkdir()
    page.write_text(f"# Suite\n\nBefore.\n\n{BEGIN}\nold\n{END}\n\nAfter.\n")
    again = ("pages", page.parent / "products", "--fit", "--product", "career", "--suite-file", suite)
    for _ in range(2):
        assert talentml(*again, home=home).code == 0
    text = page.read_text()
    assert text.startswith("# Suite\n\nBefore.")
    assert text.endswith("After.\n")
    assert "old" not in text
    assert text.count("| so_occupation |") == 1
    assert "Measured 2026-11-21." in text
    assert "| `so_occupation` | Occupation; a random fifth | career |" in text


def test_a_file_that_is_no_suite_is_refused_by_name(home, tmp_path):
    (tmp_path / "suite.json").write_text("{}")
    done = talentml("pages", tmp_path / "out", "--fit", "--suite-file", tmp_path / "suite.json", home=home)
    assert done.code == 4
    assert "suite.json: no record of a suite" in done.stderr


def test_an_unknown_product_is_refused_with_those_there_are(home, tmp_path):
    done = talentml("pages", tmp_path / "out", "--fit", "--product", "careers", home=home)
    assert done.code == 2
    assert "career" in done.stderr
