"""What a column did to an answer, in words."""

import re
from typing import Any

from feature_repo.column import Column

MOST_LISTED = 5  # so many entries of a list-valued column are named in a sentence


def sentence(column: Column, value: Any, contribution: float, output: str) -> str:
    """Such as: Share of the job's skills that the person declares: 0.75. This raises the score."""
    description = " ".join(column.description.split())
    said = re.split(r"[.:;] ", description.rstrip("."))[0]
    claim = re.match(r"1 where (.)(.*)", said)
    if claim and value is not None:  # a column that is 1 where something holds: a yes or a no
        said, value = claim[1].upper() + claim[2], bool(value)
    known = f": {spoken(value, column.unit)}" if column.view else ""
    direction = "raises" if contribution > 0 else "lowers"
    return f"{said}{known}. This {direction} the {output.replace('_', ' ')}."


def spoken(value: Any, unit: str) -> str:
    """A value with its unit; lists by their first entries."""
    if value is None:
        return "not known"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        rest = len(value) - MOST_LISTED
        named = ", ".join(spoken(item, "") for item in value[:MOST_LISTED])
        return (named or "none") + (f" and {rest} more" if rest > 0 else "")
    if isinstance(value, float):
        value = f"{value:.3g}" if abs(value) < 1000 else f"{value:.0f}"
    return f"{value} {unit}".strip()
