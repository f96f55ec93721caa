"""The documentation leads nowhere that is not there, and leaves no verb and no page out."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer

from dags.cli import app
from feature_repo.settings import Settings
from training.products import PRODUCTS

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
README = (ROOT / "README.md").read_text()
LINK = re.compile(r"\]\(([^)#]*)(#[^)]*)?\)")
PAGES = [ROOT / "README.md", *sorted(DOCS.rglob("*.md"))]


def anchors(page: Path) -> set[str]:
    """The headings of a page as links name them."""
    titles = re.findall(r"^#+ (.*)$", page.read_text(), re.M)
    return {"#" + re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


@pytest.mark.parametrize("page", PAGES, ids=[str(page.relative_to(ROOT)) for page in PAGES])
def test_every_link_picture_and_heading_is_there(page: Path) -> None:
    links = [(page.parent / name if name else page, head) for name, head in LINK.findall(page.read_text())]
    local = [(target, head) for target, head in links if ":" not in str(target)]
    assert [str(target) for target, head in local if not target.exists()] == []
    assert [head for target, head in local if head and head not in anchors(target)] == []


def test_every_product_has_its_page() -> None:
    assert {f"{name}.md" for name in PRODUCTS} <= {page.name for page in (DOCS / "products").glob("*.md")}


def test_a_picture_is_smaller_than_60_kilobytes() -> None:
    assert [path.name for path in DOCS.rglob("*.png") if path.stat().st_size >= 60_000] == []


def test_every_page_is_listed() -> None:
    listed = {name for name, _ in LINK.findall((DOCS / "README.md").read_text())}
    assert {page.name for page in DOCS.glob("*.md")} - {"README.md"} <= listed


def verbs(command: typer.core.TyperGroup) -> Iterator[str]:
    """The command's verbs; of a group with its own, such as `token secret`."""
    for name, each in command.commands.items():
        if not each.hidden:
            inner = getattr(each, "commands", {})
            yield from (f"{name} {verb}" for verb in inner) if inner else (name,)


def spelled(words: str) -> list[str]:
    """`token secret|issue` as two verbs."""
    first, _, inner = words.partition(" ")
    return [f"{first} {verb.strip()}".strip() for verb in inner.split("|")]


def test_the_readme_names_every_verb_and_no_other() -> None:
    listed = README.partition("--help` explains each: ")[2].partition("DAG tasks")[0]
    said = {verb for words in re.findall(r"`([^`]+)`", listed) for verb in spelled(words)}
    assert said == set(verbs(typer.main.get_command(app)))  # type: ignore[arg-type]


def test_the_readme_names_no_setting_that_there_is_not() -> None:
    section = README.partition("## Your own servers")[2].partition("\n## ")[0]
    first = [row.split("|")[1] for row in section.splitlines() if row.startswith("| `")]
    named = {name.lower() for cell in first for name in re.findall(r"`(\w+)`", cell)}
    assert len(named) > 10
    assert named <= set(Settings.model_fields)


def test_the_readme_s_make_targets_exist() -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.M))
    assert set(re.findall(r"\bmake ([a-z]+)", README)) <= targets
