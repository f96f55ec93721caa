"""The page that leads to the products' pages."""

from collections.abc import Mapping, Sequence
from typing import Any

from training.report.blocks import json_block
from training.report.card import table
from training.report.insight import gate_metric
from training.report.pages import Measured

COLUMNS = ("product", "meaning", "metric", "model", "baseline to beat", "unseen rows")


def index(pages: Sequence[Measured], refused: Mapping[str, str], head: Mapping[str, Any]) -> str:
    """The index as Markdown. refused: why a product has no page. head: the fields that every answer has."""
    parts = [
        "# The products",
        "\nEach page says what a product answers, from what, how well on which data beside which rules, and where it "
        "fails. They are written by `talentml pages FOLDER`, which measures every product as it writes.",
        *([f"\nMeasured on {pages[0].data}, as of {pages[0].candidate.as_of:%Y-%m-%d}."] if pages else []),
        *table(COLUMNS, [_row(each) for each in pages]),
        *(f"\n`{name}` has no page: {reason}." for name, reason in refused.items()),
        "\nOn public data: [the real suite](../real-suite.md). To add one: [a new product](../adding-a-product.md).",
        "\n## What every answer begins with",
        *json_block(head),
        "\n`source` is `fallback` where a rule answered, and `reason` says why. What is ranked or estimated follows; "
        "each row has its own `source` and the `factors` that moved it most. They and the other columns' contributions "
        "add up, with `expected`, to what is explained. Every POST route has a form for many requests at once, at the "
        "same path with `/batch` unless its page names another.",
    ]
    return "\n".join(parts) + "\n"


def _row(measured: Measured) -> list[str]:
    candidate = measured.candidate
    product, metric = candidate.product, gate_metric(candidate.product)
    ours, theirs = candidate.metrics[metric.name], candidate.baselines[product.gate.beats][metric.name]
    way = "higher" if metric.higher_is_better else "lower"
    return [
        f"[{product.title}]({product.name}.md)",
        product.tags.get("question", "-"),
        f"{metric.name} ({way} is better)",
        f"{ours:.4g}",
        f"{product.gate.beats} {theirs:.4g}",
        f"{candidate.test_frame.height:,}",
    ]
