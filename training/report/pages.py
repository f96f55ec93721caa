"""A product's page in the documentation: what it answers and from what, how well, and where it fails, as measured."""

import inspect
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from feature_repo.column import Column
from training.candidate import Candidate, Numbers
from training.product import Product
from training.report.blocks import json_block, suite_table
from training.report.card import card, table
from training.report.insight import Bin, gate_metric

HEADING = re.compile(r"^## ", re.MULTILINE)
LONGEST = 60  # of a parameter's value, in characters
ABOUT_FIGURES = {
    "comparison": "The model above its baselines",
    "calibration": "Chances given, and how often it was so",
    "predicted": "Every unseen row",
    "error": "How far off, by the size of what is predicted",
    "hits": "How long a list must be",
    "off_policy": "What each order would have been worth",
    "backtest": "Forecasts as they would have been made, and what came",
}
Row = Mapping[str, Any]


@dataclass(frozen=True)
class Example:
    """A route with a request that it answers and the answer's own fields."""

    method: str
    path: str
    title: str
    request: Mapping[str, Any]
    answer: Mapping[str, Any]


@dataclass(frozen=True)
class Measured:
    """A candidate with all that its page says of it.

    data: the name of the data it was measured on. parts: the gate's metric by parts of the unseen rows. suite: lines
    of the real suite's table that belong to the product. figures: names of the pictures beside the page.
    """

    candidate: Candidate
    importance: Numbers
    data: str
    parts: Sequence[Bin]
    examples: Sequence[Example]
    figures: Sequence[str]
    suite: Sequence[Row] = ()
    suite_date: str = ""


def page(measured: Measured, feature_service: str, code_revision: str) -> str:
    """The page as Markdown, with links to pictures that lie beside it."""
    said = sections(card(measured.candidate, measured.importance, feature_service, code_revision))
    parts = [
        *_opening(measured),
        *_asked(measured),
        *_columns(measured.candidate.product),
        *_judged(measured.candidate),
        f"\n## How well\n\nOn {measured.data}.",
        said["How well"],
        *_pictures(measured, [name for name in ABOUT_FIGURES if name != "importance"]),
        *_real(measured),
        *_failing(measured, said["Where it fails"]),
        "\n## What matters\n",
        said["What matters"],
        *_pictures(measured, ["importance"]),
        *_otherwise(measured.candidate.product),
        "\n## Limits\n",
        said["Limits"],
    ]
    return "\n".join(part.rstrip("\n") for part in parts) + "\n"


def sections(text: str) -> dict[str, str]:
    """The bodies of a Markdown text's second-level sections by their headings."""
    found = (part.partition("\n") for part in HEADING.split(text)[1:])
    return {heading.strip(): body.strip("\n") for heading, _, body in found}


def _opening(measured: Measured) -> Iterator[str]:
    candidate = measured.candidate
    product = candidate.product
    yield f"# {product.title}"
    yield (
        f"\n`{product.name}`, measured on {measured.data} as of {candidate.as_of:%Y-%m-%d}. "
        "Written by `talentml pages`; every number is measured."
    )


def _asked(measured: Measured) -> Iterator[str]:
    product = measured.candidate.product
    yield "\n## What it answers, and to whom"
    if product.about:
        yield f"\n{product.about}"
    for example in measured.examples:
        yield f"\n**{example.title}**: `{example.method} {example.path}`"
        yield from json_block(example.request)
        yield "\nThe answer, beside what [every answer begins with](README.md):"
        yield from json_block(example.answer)


def _columns(product: Product) -> Iterator[str]:
    yield "\n## From what"
    yield f"\n{len(product.columns)} columns, each as it was known at the event."
    for view in dict.fromkeys(column.view for column in product.columns):
        yield f"\n`{view}`"
        yield from table(["column", "meaning", "unit"], _column_rows(view, product.columns))


def _column_rows(view: str, columns: Sequence[Column]) -> list[list[str]]:
    """A row for each meaning: columns that differ in what they are of only, such as in the period, share one."""
    alike: dict[tuple[str, str], list[str]] = {}
    for column in columns:
        if column.view == view:
            alike.setdefault((_meaning(column), column.unit or "-"), []).append(f"`{column.name}`")
    return [[", ".join(names), meaning, unit] for (meaning, unit), names in alike.items()]


def _meaning(column: Column) -> str:
    meaning = " ".join(column.description.split()).replace("|", "/")
    return f"{meaning} *{column.source}*" if column.source else meaning


def _judged(candidate: Candidate) -> Iterator[str]:
    product, train, test = candidate.product, candidate.train_window, candidate.test_window
    parameters = {name: value for name, value in candidate.parameters.items() if name != "trainer"}
    yield "\n## What is learned, and how it is judged"
    yield f"\n- **Label** `{product.label.name}`. {_words(product.label.rows)}"
    yield (
        f"- **Split** by time: events before {train.until:%Y-%m-%d} are learned from ({candidate.rows:,} rows, and the "
        f"last {product.split.validation.days} days of them for stopping and calibration), those of "
        f"{test.since:%Y-%m-%d} to {test.until:%Y-%m-%d} are judged ({candidate.test_frame.height:,} rows). Ends are "
        "exclusive, and labels are those known when the unseen period begins."
    )
    yield f"- **Model** `{type(product.trainer).__name__}`. {_words(inspect.getmodule(type(product.trainer)))}"
    yield f"- **Parameters** {', '.join(f'`{name}` {_short(value)}' for name, value in parameters.items())}."
    yield (
        f"- **Gate**: a first model must beat `{product.gate.beats}` on `{product.gate.metric}`; a later one must "
        f"better the champion by {product.gate.improvement:.0%}, its lower {product.gate.confidence:.0%} bound above 0."
    )


def _words(declared: Any) -> str:
    """The docstring of a function, or the first paragraph of a module's."""
    text = inspect.getdoc(declared) or ""
    return " ".join((text.split("\n\n")[0] if inspect.ismodule(declared) else text).split())


def _short(value: object) -> str:
    if isinstance(value, tuple) and len(str(value)) > LONGEST:
        return f"{len(value)} of them"
    return str(value) if len(str(value)) <= LONGEST else f"{str(value)[:LONGEST]}..."


def _pictures(measured: Measured, kinds: Sequence[str]) -> Iterator[str]:
    """Links to the pictures whose names begin so."""
    for kind in kinds:
        for name in measured.figures:
            if name.startswith(kind):
                yield f"\n![{ABOUT_FIGURES.get(kind, 'What matters')}]({measured.candidate.product.name}/{name})"


def _real(measured: Measured) -> Iterator[str]:
    if not measured.suite:
        return
    yield f"\nOn public data, {measured.suite_date} ([the whole suite, and what it says](../real-suite.md)):"
    yield from suite_table(measured.suite)


def _failing(measured: Measured, said: str) -> Iterator[str]:
    product = measured.candidate.product
    yield "\n## Where it fails"
    if product.limits:
        yield f"\n{product.limits}"
    yield f"\n{said}"
    if measured.parts:
        yield f"\n`{gate_metric(product).name}` by what was known and by whom it is about:"
        beaten = product.gate.beats
        rows = [
            [f"{part.column}: {part.range}", f"{part.rows:,}", f"{part.model:.4g}", f"{part.baseline:.4g}"]
            for part in measured.parts
        ]
        yield from table(["part", "units", "model", beaten], rows)


def _otherwise(product: Product) -> Iterator[str]:
    yield "\n## When no model answers, and how sure an answer is"
    yield (
        f"\nWithout a champion, or for somebody or something unknown, the rule `{product.fallback}` answers in the "
        "same schema, marked `fallback`, with its reason."
    )
    measures = [name for name in product.outputs if f"{name}_low" in product.outputs]
    if measures:
        yield f"\nIntervals: {', '.join(f'`{name}`' for name in measures)} come with a low and a high bound."
    members = [name for name in product.outputs if name.endswith("_score")]
    if "confidence" in product.outputs or len(members) > 1:
        yield "\nConfidence: 1 - min(2 * variance of the members' scores, .5): how far they agree, which is no chance."
