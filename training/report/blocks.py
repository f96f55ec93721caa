"""Blocks of Markdown that pages share: JSON that a reader can take in, and the table of the real suite."""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from training.report.card import table

WIDE = 100  # a list or object that fits into so many characters stays on one line
SUITE_COLUMNS = ("check", "rows", "metric", "ours", "aim", "reached", "baselines")


def json_block(found: Mapping[str, Any]) -> Iterator[str]:
    """A fenced block, indented where a line would be too wide."""
    yield f"\n```json\n{_spread(found, '')}\n```"


def _spread(value: Any, indent: str) -> str:
    flat = json.dumps(value, ensure_ascii=False)
    if len(indent) + len(flat) <= WIDE or not isinstance(value, Mapping | list):
        return flat
    inner = indent + "  "
    if isinstance(value, list):
        return "[\n" + ",\n".join(inner + _spread(each, inner) for each in value) + f"\n{indent}]"
    fields = (f"{inner}{json.dumps(name)}: {_spread(each, inner)}" for name, each in value.items())
    return "{\n" + ",\n".join(fields) + f"\n{indent}}}"


def suite_table(lines: Sequence[Mapping[str, Any]]) -> list[str]:
    """Lines of the real suite as a Markdown table."""
    return table(SUITE_COLUMNS, [[_cell(line.get(name)) for name in SUITE_COLUMNS] for line in lines])


def split_table(checks: Sequence[Mapping[str, Any]]) -> list[str]:
    """What each check asks, and how its rows are set apart, as a Markdown table."""
    rows = [[f"`{check['check']}`", f"{check['title']}; {check['split']}", check["product"]] for check in checks]
    return table(["check", "meaning", "product"], rows)


def _cell(value: object) -> str:
    if value is None or value == "":
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "**no**"
    if isinstance(value, int):
        return f"{value:,}"
    return f"{value:.4f}" if isinstance(value, float) else str(value)
