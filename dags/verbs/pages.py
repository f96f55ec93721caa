"""The verb that writes the documentation's pages of products, measured as they are written."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from dags.border import verb
from dags.output import Progress, Record, progress
from dags.verbs.options import AsOf, as_of_store, product
from dags.verbs.suite import lines
from feature_repo.errors import DataError, TooFewError

if TYPE_CHECKING:
    from datetime import datetime

    from feature_repo.settings import Settings
    from training.candidate import Candidate
    from training.product import Product
    from training.report.pages import Example, Measured

app = typer.Typer()
BEGIN, END = "<!-- table: written by talentml pages -->", "<!-- end of the table -->"


@verb(app)
def pages(
    settings: "Settings",
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="Where the pages go, such as docs/products.")],
    suite_file: Annotated[
        Path | None, typer.Option("--suite-file", help="What `evaluate --suite real --json` printed.")
    ] = None,
    data: Annotated[str, typer.Option(help="What the home holds, in words.")] = "the published feature store",
    fit: Annotated[bool, typer.Option("--fit", help="Fit candidates; no registry is asked.")] = False,
    only: Annotated[list[str] | None, typer.Option("--product", help="Only this product's page.")] = None,
    as_of: AsOf = None,
) -> Record:
    """Write a page with pictures for each product, from its champion, its newest version or a candidate fitted now.

    With --suite-file the table of the real suite goes into real-suite.md beside FOLDER, between its two marks.
    """
    from training.products import PRODUCTS

    when, suite = as_of_store(as_of, settings), _suite(suite_file)
    chosen = [product(name) for name in only or PRODUCTS]
    written: list[Measured] = []
    refused: dict[str, str] = {}
    with progress("pages") as say:
        for declared in chosen:
            try:
                candidate = _candidate(settings, declared, when, fit, say)
            except TooFewError as error:
                refused[declared.name] = str(error)
                continue
            written.append(_written(candidate, settings, folder, data, suite, say))
    if not only:
        _write_index(folder, written, refused)
    if suite:
        _write_suite(folder.parent / "real-suite.md", suite)
    return {"folder": folder, "pages": [each.candidate.product.name for each in written], "refused": refused}


def _suite(path: Path | None) -> Any:
    """The suite's record. Raises DataError where the file holds none."""
    if path is None:
        return {}
    try:
        found = json.loads(path.read_text())
        return {"measured_at": found["measured_at"], "checks": found["checks"]}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DataError(f"{path}: no record of a suite, needed: checks and measured_at ({error})") from None


def _candidate(settings: "Settings", declared: "Product", as_of: "datetime", fit: bool, say: Progress) -> "Candidate":
    from training.fit import fit_candidate
    from training.model import load_model
    from training.registry import Registry
    from training.report.measured import measured

    if not fit:
        registry = Registry(settings)
        newest = registry.versions(declared.name)[:1]
        found = registry.champion(declared.name) or (newest[0] if newest else None)
        if found is not None:
            say(f"{declared.name}: measuring version {found.number}")
            return measured(declared, settings.root, found, load_model(registry.fetch(found)))
    say(f"{declared.name}: fitting a candidate")
    return fit_candidate(declared, settings.root, as_of)


def _written(
    candidate: "Candidate", settings: "Settings", folder: Path, data: str, suite: Any, say: Progress
) -> "Measured":
    """Draw and write one product's page."""
    from dags.revision import code_revision
    from training.report.cuts import answers, parts
    from training.report.figures import figures
    from training.report.insight import importance
    from training.report.pages import Measured, page

    name = candidate.product.name
    say(f"{name}: drawing")
    told, weights = answers(candidate), importance(candidate)
    drawn = figures(candidate, weights, told)
    checks = [check for check in suite.get("checks", ()) if check["product"] == name]
    measured = Measured(
        candidate=candidate,
        importance=weights,
        data=data,
        parts=parts(candidate, settings.root, told),
        examples=_examples(candidate),
        figures=list(drawn),
        suite=list(lines(checks)),
        suite_date=suite.get("measured_at", ""),
    )
    place = folder / name
    place.mkdir(parents=True, exist_ok=True)
    for file, png in drawn.items():
        (place / file).write_bytes(png)
    (folder / f"{name}.md").write_text(page(measured, name, code_revision()))
    return measured


def _examples(candidate: "Candidate") -> "list[Example]":
    """A request for each route, about somebody or something of the unseen rows."""
    from serving.schemas.examples import answer_shape, request_example
    from training.report.pages import Example

    declared, first = candidate.product, candidate.test_frame.row(0, named=True)
    ids = {entity.key: str(first[entity.key]) for entity in declared.entities if first.get(entity.key)}
    return [
        Example(
            route.method,
            route.path,
            route.title or declared.title,
            request_example(declared, route, ids),
            answer_shape(declared, route),
        )
        for route in declared.routes
    ]


def _write_index(folder: Path, written: "Sequence[Measured]", refused: dict[str, str]) -> None:
    from serving.schemas.examples import head_shape
    from training.report.page_index import index

    (folder / "README.md").write_text(index(written, refused, head_shape()))


def _write_suite(path: Path, suite: Any) -> None:
    """Put the table between the marks of the page, or make a page of it alone; what is written around it stays."""
    from training.report.blocks import split_table, suite_table

    text = path.read_text() if path.exists() else f"# The real suite\n\n{BEGIN}\n{END}\n"
    if BEGIN not in text or END not in text:
        raise DataError(f"{path}: no place for the table, needed: lines {BEGIN!r} and {END!r}")
    before, rest = text.split(BEGIN, 1)
    checks = suite["checks"]
    measured = f"\nMeasured {suite['measured_at']}."
    table = "\n".join([measured, *suite_table(list(lines(checks))), *split_table(checks), ""])
    path.write_text(f"{before}{BEGIN}\n{table}\n{END}{rest.split(END, 1)[1]}")
