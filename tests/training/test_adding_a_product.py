"""The documented steps add a product that works: the page's own blocks are run, on a small synthetic world."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.patience import LONG
from tests.training.documented import blocks
from tests.training.homes import published

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "adding-a-product.md"


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return published(tmp_path_factory.mktemp("home"))


@pytest.fixture(scope="module")
def found(home: Path) -> Any:
    words = [sys.executable, "-m", "tests.training.documented", PAGE, home]
    done = subprocess.run([*map(str, words)], cwd=ROOT, capture_output=True, text=True, timeout=5 * LONG)
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout.splitlines()[-1])


def test_a_product_takes_one_file_one_line_and_its_columns_with_a_spec():
    assert [file for file, _ in blocks(PAGE)] == [
        "feature_repo/features/fit.py",
        "tests/feature_repo/test_fit.py",
        "training/products/interview.py",
        "training/products/__init__.py",
    ]


def test_the_documented_column_holds_its_documented_table(found):
    assert found["specified"] == ["test_pay_falls_short_by_the_share_that_is_missing"]


def test_the_documented_product_trains_and_its_model_is_ahead_of_its_rule(found):
    assert found["metrics"]["log_loss"] < found["rule"]["log_loss"]


def test_the_new_column_is_read_and_explained_as_every_other(found):
    assert "fit__pay_shortfall" in found["columns"]
    assert "# Interviews" in found["card"]


def test_its_route_and_batch_form_are_there_without_a_line_about_http(found):
    assert {"/api/v1/interviews/predict", "/api/v1/interviews/predict/batch"} <= set(found["paths"])
