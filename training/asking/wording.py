"""What a column did to an answer, in words."""

import re
from functools import cache
from typing import Any

from feature_repo.column import Column

MOST_LISTED = 5  # so many entries of a list-valued column are named in a sentence
LONG = 999.5  # from here on numbers are said without decimals, below by three digits, which would make it 1e+03


def sentence(column: Column, value: Any, contribution: float, output: str) -> str:
    """Such as: Share of the job's skills that the person declares: 0.75. This raises the score."""
    before, after = around(column, output, is_known=value is not None, raises=contribution > 0)
    return f"{before}{words(column, value)}{after}"


def around(column: Column, output: str, *, is_known: bool, raises: bool) -> tuple[str, str]:
    """What stands in a sentence before and after the words for a value."""
    said, claim = _clause(column.description)
    known = ": " if column.view else ""
    direction = "raises" if raises else "lowers"
    return f"{claim if claim and is_known else said}{known}", f". This {direction} the {output.replace('_', ' ')}."


def words(column: Column, value: Any) -> str:
    """A column's value in a sentence about it; nothing where it has none."""
    if not column.view:
        return ""
    return spoken(bool(value) if is_claim(column) and value is not None else value, column.unit)


def is_claim(column: Column) -> bool:
    """Whether its value tells if something holds."""
    return _clause(column.description)[1] is not None


@cache
def plain(description: str) -> str:
    """In one line."""
    return " ".join(description.split())


@cache
def _clause(description: str) -> tuple[str, str | None]:
    """The first clause; and of a column that is 1 where something holds what that is, to be answered by yes or no."""
    said = re.split(r"[.:;] ", plain(description).rstrip("."))[0]
    claim = re.match(r"1 where (.)(.*)", said)
    return said, claim[1].upper() + claim[2] if claim else None


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
        value = f"{value:.3g}" if abs(value) < LONG else f"{value:.0f}"
    return f"{value} {unit}".strip()
