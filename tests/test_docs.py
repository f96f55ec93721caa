"""The documentation leads nowhere that is not there."""

import re
from pathlib import Path

import pytest

from training.products import PRODUCTS

DOCS = Path(__file__).parents[1] / "docs"
LINK = re.compile(r"\]\(([^)#]+)\)")
PAGES = sorted(DOCS.rglob("*.md"))


@pytest.mark.parametrize("page", PAGES, ids=[str(page.relative_to(DOCS)) for page in PAGES])
def test_every_link_and_picture_is_there(page):
    local = [target for target in LINK.findall(page.read_text()) if "://" not in target]
    assert [target for target in local if not (page.parent / target).exists()] == []


def test_every_product_has_its_page():
    assert {f"{name}.md" for name in PRODUCTS} <= {page.name for page in (DOCS / "products").glob("*.md")}


def test_a_picture_is_smaller_than_60_kilobytes():
    assert [path.name for path in DOCS.rglob("*.png") if path.stat().st_size >= 60_000] == []
